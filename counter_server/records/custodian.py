"""From the operator's settings to the keys of the safe: in the token where contracts' keys lie, else in files."""

from collections.abc import Iterator
from contextlib import contextmanager
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
from counter_server.records.errors import KeyFileError, KeyUnsupportedError, RecordUnknownError
from counter_server.records.home import SafeHome
from counter_server.records.keys import RecordKeys, read_private
from counter_server.records.log.files import LogFiles, load_or_create_log_key
from counter_server.records.log.note import LogKey
from counter_server.records.log.token_key import make_token_key, read_token_key
from counter_server.records.masters import FileMasterKeys, MasterKeys
from counter_server.records.reading import open_database
from counter_server.records.slots import read_slots
from counter_server.records.token_masters import TokenMasterKeys
from counter_server.signing.errors import SignerUnableError, SigningError
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
    try:
        return sealing_identity_in_ring(folder, open_token(settings, curve=ec.SECP384R1.name), now)
    except SigningError as error:
        raise KeyFileError(str(error)) from error


def open_log_key(files: LogFiles, settings: SigningSettings) -> LogKey:
    """What signs this home's log, made at first use; `KeyFileError` when it cannot be had.

    A log that began with a file stays with it until `counter log move-key`: others know it by that key.

    Raises:
        KeyUnsupportedError: the token has no Ed25519.
    """
    named = files.token_key.exists()
    if not named and (settings.keys is not KeyHolder.PKCS11 or settings.log_key_in_file or files.key.exists()):
        return load_or_create_log_key(files)
    with token_troubles():
        token = open_token(settings)
        return read_token_key(files, token) if named else make_token_key(files, token)


def open_token(settings: SigningSettings, *, curve: str = ec.SECP256R1.name) -> Token:
    """The token that the settings name; `KeyFileError` or `SignerGoneError` when there is none."""
    if settings.keys is not KeyHolder.PKCS11 or settings.pkcs11_module is None:
        raise KeyFileError("counter.toml: [signing] names no token (keys, pkcs11_module)")
    return Token(settings.pkcs11_module, settings.token_label, read_secret(settings.secret_file), curve=curve)


@contextmanager
def token_troubles() -> Iterator[None]:
    """What goes wrong with the log's key in a token, in the words of records."""
    try:
        yield
    except SignerUnableError as error:
        raise KeyUnsupportedError(
            f"{error}: name a token that has it, or keep the log's key alone in a file: "
            "counter.toml, [signing] log_key_in_file = true"
        ) from error
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
