"""Another key for a log that goes on: out of the file, into the token.

The new key is made inside the token, because what lay in a file may lie in backups of it. The log says so in a leaf
under its old key; the newest checkpoint gets the new key's signature beside the old one, so that the tree goes on
without a gap; the policy lists both keys, so that proofs given out before stay proven. Order, each step durable before
the next and harmless to repeat: leaf, policy, checkpoint, `log.token`, and only then the old key is destroyed.
"""

import os
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from counter_server.db import Database
from counter_server.records.durable import PUBLIC_FILE, replace_file, sync_folder
from counter_server.records.errors import KeyFileError, StoreError
from counter_server.records.log import ledger
from counter_server.records.log.checkpoint import with_signatures
from counter_server.records.log.files import LogFiles
from counter_server.records.log.note import VerifierKey
from counter_server.records.log.policy import Policy
from counter_server.records.log.publishing import Publisher
from counter_server.records.log.signers import read_signer
from counter_server.records.log.token_key import LABEL, TokenLogKey, name_token_key, read_token_key
from counter_server.signing.tokens import Token

MOVED = "log_key_moved"


def move_key(database: Database, files: LogFiles, token: Token, now: datetime) -> TokenLogKey:
    """The log's key from now on. The counter must be stopped, so that nobody signs in between.

    Raises:
        KeyFileError: there is no key in a file, or the token holds another than `log.token` names.
        LogError, StoreError: as when the log is published.
        SigningError: the token does not answer, or has no Ed25519.
    """
    if not files.token_key.exists():
        _hand_over(database, files, token, now)
    key = read_token_key(files, token)
    _destroy(files.key)
    return key


def _hand_over(database: Database, files: LogFiles, token: Token, now: datetime) -> None:
    if not files.key.exists():
        raise KeyFileError("there is no key in a file to move; the counter makes one at its first start")
    old = read_signer(files.key)
    publisher = Publisher(files, old)
    held = token.edwards_key(LABEL, make=True)
    verifier = VerifierKey(old.name, old.algorithm, held.public)
    database.run_now(_announce, verifier, now)
    while (publication := database.run_now(publisher.prepare)) is not None:
        publisher.put(publication)
    _believe(files, old.verifier, verifier)
    published = publisher.published()
    if published is None:
        raise StoreError("the log was not published")
    note, checkpoint = published
    both = with_signatures(note, checkpoint.sign(TokenLogKey(verifier, held)).signatures)
    policy = files.read_policy()
    witnessed = policy.satisfied_by(policy.witnesses_of(both))
    database.run_now(ledger.keep_cosigned, checkpoint, both, witnessed=witnessed)
    publisher.put_cosigned(both, checkpoint)
    name_token_key(files, verifier)


def _announce(conn: Connection, verifier: VerifierKey, now: datetime) -> None:
    """Once, however often a crash interrupts."""
    if ledger.count_of(conn, MOVED) == 0:
        ledger.append_event(conn, kind=MOVED, subject="log", at=now, details={"to": verifier.spelling()})


def _believe(files: LogFiles, old: VerifierKey, new: VerifierKey) -> None:
    """List the new key after the old one, once."""
    text = files.policy.read_text("utf-8")
    if new in Policy.parse(text).logs:
        return
    lines = text.splitlines(keepends=True)
    after = next((at for at, line in enumerate(lines) if old.spelling() in line.split()), None)
    if after is None:
        raise KeyFileError(f"{files.policy.name} does not list the log's key")
    lines.insert(
        after + 1, f"# the key above signed until the one below, in a token, took over\nlog {new.spelling()}\n"
    )
    replace_file(files.policy, "".join(lines).encode(), PUBLIC_FILE)


def _destroy(path: Path) -> None:
    """Overwrite and remove a key's file, where there is one. What its disk keeps elsewhere is beyond us."""
    if not path.exists():
        return
    try:
        with path.open("r+b") as file:
            file.write(bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    except OSError as error:
        raise StoreError(f"{path.name} could not be destroyed: {error.strerror}") from error
    sync_folder(path.parent)
