"""`counter log key | move-key`: where the log's key lies, and how it gets into a token."""

import argparse
import json
from collections.abc import Callable
from datetime import UTC, datetime

from counter_server.config import KeyHolder
from counter_server.db import Database
from counter_server.errors import StoppedError
from counter_server.records.canonical import Plain
from counter_server.records.custodian import open_log_key, open_token, read_settings, token_troubles
from counter_server.records.errors import StoreError
from counter_server.records.home import SafeHome
from counter_server.records.log.files import LogFiles
from counter_server.records.log.moving import move_key
from counter_server.records.log.token_key import LABEL

Answer = dict[str, Plain]


def run_key(asked: argparse.Namespace) -> int:
    """Open the key as the counter would, and say where it lies."""
    home, files = SafeHome(asked.home), LogFiles(asked.home)
    if not files.key.exists() and not files.token_key.exists():
        raise StoreError("there is no log yet; the counter makes it at its first start")
    settings = read_settings(home)
    key, in_token = open_log_key(files, settings), files.token_key.exists()
    where = f"token {settings.token_label!r}, key {LABEL!r}" if in_token else f"file {files.key.name}"
    others_in_token = settings.keys is KeyHolder.PKCS11
    advice = None
    if files.key.exists() and in_token:
        advice = f"{files.key.name} is left over from a move that was interrupted: counter log move-key"
    elif others_in_token and not in_token and not settings.log_key_in_file:
        advice = "the other keys lie in the token; to move this one, stop the counter: counter log move-key"
    return _told(asked, {"origin": key.name, "held_in": where, "verifier": key.verifier.spelling(), "advice": advice})


def run_move_key(asked: argparse.Namespace) -> int:
    """Hand the log over to a key made in the token. The counter must be stopped."""
    home, files = SafeHome(asked.home), LogFiles(asked.home)
    if not home.database.is_file():
        raise StoreError(f"no database in {home.folder}; is --home right?")
    database = Database(home.database)
    try:
        database.open()
    except StoppedError as error:
        raise StoreError(str(error)) from error
    try:
        with token_troubles():
            key = move_key(database, files, open_token(read_settings(home)), datetime.now(UTC))
    finally:
        database.close()
    advice = "hand witnesses and verifiers the new policy; old proofs stay proven while it lists the old key too"
    return _told(asked, {"origin": key.name, "held_in": "token", "verifier": key.verifier.spelling(), "advice": advice})


KEY_COMMANDS: tuple[tuple[str, str, Callable[[argparse.Namespace], int]], ...] = (
    ("key", "where the log's private key lies; fails when it cannot be used", run_key),
    ("move-key", "from the file into the token; the counter must be stopped", run_move_key),
)


def _told(asked: argparse.Namespace, answer: Answer) -> int:
    if asked.json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        for name, value in answer.items():
            if value is not None:
                print(f"{name:10} {value}")
    return 0
