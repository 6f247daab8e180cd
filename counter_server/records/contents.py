"""Objects of a sealed record, for the counter itself: what it keeps there for later visits."""

import hashlib
from pathlib import Path

from counter_server.records.agefile import AgeKeyring
from counter_server.records.canonical import read_canonical
from counter_server.records.errors import RecordFormatError, StoreError
from counter_server.records.plain import from_plain
from counter_server.records.record import MANIFEST_FILE, OBJECT_FOLDER, OBJECT_SUFFIX, Manifest, ObjectClass


def open_class(folder: Path, keyring: AgeKeyring, wanted: ObjectClass) -> dict[str, bytes]:
    """Every object of one class by name. The file's hash is held against the manifest; its seal is not checked here.

    Raises:
        RecordFormatError: The record or an object is not what was sealed, or the keys do not open it.
        StoreError: The disk refused.
    """
    try:
        manifest = from_plain(Manifest, read_canonical((folder / MANIFEST_FILE).read_bytes()))
        return {
            item.name: keyring.open(_whole(folder / OBJECT_FOLDER / f"{item.sha256}{OBJECT_SUFFIX}", item.sha256))
            for item in manifest.objects
            if item.object_class is wanted
        }
    except OSError as error:
        raise StoreError(f"an object could not be read: {error.strerror}") from error


def _whole(path: Path, sha256: str) -> bytes:
    sealed = path.read_bytes()
    if hashlib.sha256(sealed).hexdigest() != sha256:
        raise RecordFormatError("an object is not the one that was sealed")
    return sealed
