"""From the operator's settings to the master keys: in the token where contracts' keys lie, else in files."""

from pathlib import Path

from counter_server.config import KeyHolder, SigningSettings, read_signing
from counter_server.errors import StoppedError
from counter_server.records.codes import is_record_id
from counter_server.records.errors import KeyFileError, RecordUnknownError
from counter_server.records.home import SafeHome
from counter_server.records.keys import RecordKeys, read_private
from counter_server.records.masters import FileMasterKeys, MasterKeys
from counter_server.records.reading import open_database
from counter_server.records.slots import read_slots
from counter_server.records.token_masters import TokenMasterKeys


def open_masters(folder: Path, settings: SigningSettings) -> MasterKeys:
    """The master keys of a home, the first made at first use; `KeyFileError` when they cannot be had.

    A home that began with a file stays with it: its slots are under that key.
    """
    if settings.keys is not KeyHolder.PKCS11 or (folder / "master.key").exists():
        return FileMasterKeys.load_or_create(folder)
    if settings.pkcs11_module is None or settings.secret_file is None:
        raise KeyFileError("counter.toml: [signing] pkcs11_module or secret_file is missing")
    pin = read_private(settings.secret_file).decode().strip()
    return TokenMasterKeys(settings.pkcs11_module, settings.token_label, pin)


def read_settings(home: SafeHome) -> SigningSettings:
    """Who keeps this home's keys; `KeyFileError` when `counter.toml` is wrong."""
    try:
        return read_signing(home.folder)
    except StoppedError as error:
        raise KeyFileError(str(error)) from error


def open_record_keys(home: SafeHome, record_id: str) -> RecordKeys:
    """The keys of one record, out of the safe."""
    if not is_record_id(record_id):
        raise RecordUnknownError("not a record number")
    with open_database(home) as conn:
        slots = read_slots(conn, record_id)
    return slots.open(open_masters(home.sealing, read_settings(home)))
