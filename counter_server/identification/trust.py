"""The issuers this counter believes: CSCA certificates and master lists in `<home>/trust`."""

import shutil
from pathlib import Path

from counter_server.errors import StoppedError
from hardware_drivers.errors import DeviceError
from hardware_drivers.id_chip.trust import TrustStore


def load_trust(folder: Path) -> TrustStore:
    """Every issuer in the folder. An empty folder means that no card can be proven, and is allowed: phones still come.

    Raises:
        StoppedError: a file is neither certificate nor master list.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return TrustStore.load(folder)
    except DeviceError as error:
        raise StoppedError(f"{folder}: {error}") from error


def import_trust(source: Path, folder: Path) -> int:
    """Copy a certificate or master list into the folder, once it was read. Returns how many issuers are known now."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / source.name
    shutil.copyfile(source, target)
    try:
        return len(load_trust(folder))
    except StoppedError:
        target.unlink()
        raise
