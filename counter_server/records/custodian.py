"""From the operator's settings to the keys of the safe: in the token where contracts' keys lie, else in files."""

from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from counter_server.config import KeyHolder, SigningSettings, read_signing
from counter_server.errors import StoppedError
from counter_server.records.authority import (
    AUTHORITY_FILE,
    SealingIdentity,
    load_or_create_sealing_identity,
    sealing_identity_in_ring,
)
from counter_server.records.codes import is_record_id
from counter_server.records.errors import KeyFileError, RecordUnknownError
from counter_server.records.home import SafeHome
from counter_server.records.keys import RecordKeys, read_private
from counter_server.records.masters import FileMasterKeys, MasterKeys
from counter_server.records.reading import open_database
from counter_server.records.slots import read_slots
from counter_server.records.token_masters import TokenMasterKeys
from counter_server.signing.errors import SigningError
from counter_server.signing.tokens import Token, read_secret


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


def open_sealing(folder: Path, settings: SigningSettings, now: datetime) -> SealingIdentity:
    """Who seals in this home, made at first use; `KeyFileError` when the keys cannot be had.

    A home that began with files stays with them: its root is in the hands of strangers.
    """
    if settings.keys is not KeyHolder.PKCS11 or (folder / AUTHORITY_FILE).exists():
        return load_or_create_sealing_identity(folder, now)
    if settings.pkcs11_module is None:
        raise KeyFileError("counter.toml: [signing] pkcs11_module is missing")
    try:
        pin = read_secret(settings.secret_file)
        ring = Token(settings.pkcs11_module, settings.token_label, pin, curve=ec.SECP384R1.name)
        return sealing_identity_in_ring(folder, ring, now)
    except SigningError as error:
        raise KeyFileError(str(error)) from error


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
