"""The issuers this counter believes: CSCA certificates, master lists and revocation lists in `<home>/trust`."""

import hashlib
import shutil
import tempfile
from pathlib import Path

from counter_server.errors import StoppedError
from counter_server.identification.pkd import unpack
from hardware_drivers.errors import DeviceError
from hardware_drivers.id_chip.master_list import ListReport, ListSigner
from hardware_drivers.id_chip.trust import CERTIFICATE_SUFFIXES, REVOCATION_SUFFIX, TrustStore

SUFFIXES = (*CERTIFICATE_SUFFIXES, REVOCATION_SUFFIX, ".ldif")
NAME_DIGITS = 12  # of the hash a file is named by: no two of a few thousand lists share them
LIST_WORDS = {
    ListSigner.TRUSTED: "signed under a certificate that you imported",
    ListSigner.OWN_CSCA: "signed under a CSCA on the list itself: compare its fingerprint with the publisher's",
    ListSigner.OTHER_LIST: "signed under a CSCA that only another list vouches for",
    ListSigner.UNKNOWN: "signed under a CSCA that is not here: nobody known vouches for it",
}


def load_trust(folder: Path) -> TrustStore:
    """Every issuer in the folder. An empty folder means that no card can be proven, and is allowed: phones still come.

    Raises:
        StoppedError: a file is neither certificate nor list, or a list was changed after signing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return TrustStore.load(folder)
    except (DeviceError, OSError) as error:
        raise StoppedError(f"{folder}: {error}") from error


def import_trust(source: Path, folder: Path) -> int:
    """Copy a certificate, master list or revocation list into the folder, once it was read and its signature held.

    An LDIF file of the ICAO directory is taken apart into its lists; those that do not hold are left out.
    Returns how many issuers are known now. What is there already stays when the new file is refused.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if source.suffix.lower() == ".ldif":
        _import_directory(source, folder)
        return len(load_trust(folder))
    with tempfile.TemporaryDirectory() as alone:
        try:
            copied = Path(shutil.copyfile(source, Path(alone) / source.name))
            store = TrustStore.load(copied.parent)
        except (DeviceError, OSError) as error:
            raise StoppedError(f"{source.name}: {error}") from error
    if not len(store) and not store.revocations:
        raise StoppedError(f"{source.name}: its name ends in none of {' '.join(SUFFIXES)}")
    shutil.copyfile(source, folder / source.name)
    return len(load_trust(folder))


def _import_directory(source: Path, folder: Path) -> None:
    """The lists of an LDIF file, each under the hash of its content."""
    try:
        with source.open("rb") as lines:
            contents = [(suffix, content) for suffix, content in unpack(lines) if content is not None]
    except OSError as error:
        raise StoppedError(f"{source.name}: {error}") from error
    if not contents:
        raise StoppedError(f"{source.name}: holds no master or revocation list that can be believed")
    for suffix, content in contents:
        (folder / f"pkd-{hashlib.sha256(content).hexdigest()[:NAME_DIGITS]}{suffix}").write_bytes(content)


def describe_lists(folder: Path) -> tuple[str, ...]:
    """A line for each master list in the folder: how many issuers, when signed, and who vouches for it."""
    return tuple(_describe(report) for report in load_trust(folder).lists)


def _describe(report: ListReport) -> str:
    """One list, for the operator."""
    signed_at = f" of {report.signed_at[:10]}" if report.signed_at else ""
    left_out = f" ({report.unreadable} of them unreadable)" if report.unreadable else ""
    objection = f"; BUT {report.objection}" if report.objection else ""
    return f"{report.name}{signed_at}: {report.certificates} issuers{left_out}, {LIST_WORDS[report.signer]}{objection}"
