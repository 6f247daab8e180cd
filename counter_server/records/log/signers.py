"""Private keys of logs and witnesses as files."""

import secrets
from pathlib import Path

from counter_server.records.codes import Randomness
from counter_server.records.durable import make_folder, write_once
from counter_server.records.errors import KeyFileError
from counter_server.records.keys import read_private
from counter_server.records.log.errors import LogFormatError
from counter_server.records.log.note import SEED_BYTES, Algorithm, SignerKey, is_key_name


def write_signer(path: Path, name: str, algorithm: Algorithm, rng: Randomness = secrets.token_bytes) -> SignerKey:
    """A new key in a new file; `KeyFileError` when the file is there or the name is none for a key."""
    if not is_key_name(name):
        raise KeyFileError("a key's name has neither spaces nor plus signs")
    made = SignerKey(name, algorithm, rng(SEED_BYTES))
    make_folder(path.parent)
    if not write_once(path, f"{made.spelling()}\n".encode()):
        raise KeyFileError(f"{path.name} exists already")
    return made


def read_signer(path: Path) -> SignerKey:
    """A private key from its file; `KeyFileError` when it is damaged or readable by others."""
    try:
        return SignerKey.parse(read_private(path).decode("utf-8", errors="replace").removesuffix("\n"))
    except LogFormatError as error:
        raise KeyFileError(f"{path.name}: {error}") from error
