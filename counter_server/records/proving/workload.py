"""The process that seals while others watch, kill it, or take its disk away.

Runs the counter's own path: `Database` (one writer, group commit), key slot, segments, `seal_record`, row, then "ACK".
A nursery loads Python once and forks a child per run, so that a thousand faults do not cost a thousand interpreters:

    python -m counter_server.records.proving.workload      one JSON task per line on standard input
"""

import ctypes
import json
import logging
import os
import shutil
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.dialects import sqlite  # noqa: F401 - loaded before the disk fails, not while it does
from sqlalchemy.exc import SQLAlchemyError

from counter_server.db import Database
from counter_server.errors import StoppedError
from counter_server.records.errors import RecordError, RecordUnknownError
from counter_server.records.keeping import DEFAULT_KEEPING, keep_until
from counter_server.records.keys import RecordKeys
from counter_server.records.log.ledger import append_event
from counter_server.records.proving.sabotage import Sabotage, apply_sabotage
from counter_server.records.proving.sample import (
    NOW,
    VISIT,
    SampleSafe,
    open_sample_safe,
    sample_draft,
    sample_keys,
    sample_visit_id,
    write_segments,
)
from counter_server.records.seal import SealedRecord, seal_record
from counter_server.records.service import find_record, insert_record
from counter_server.records.slots import give_to_customer, read_slots, store_keys
from counter_server.records.store import RecordStore

SOME_REFUSED = 3  # exit code: the process lived on, and told at least one caller "not done"
PR_SET_PTRACER = 0x59616D61  # prctl(2): who may trace us, where the kernel asks
SEGMENTS, SEGMENT_BYTES = 2, 1_500


@dataclass(frozen=True, slots=True)
class Task:
    """One run: which visits to seal in which home. Acknowledgements go to a file outside of the home."""

    home: str
    acknowledgements: str
    numbers: tuple[int, ...]
    at_once: int = 1
    sabotage: str | None = None
    gate: str | None = None  # a FIFO: wait there until somebody traces us
    segment_bytes: int = SEGMENT_BYTES
    probe: bool = False  # try to open the home a second time


def main() -> int:
    """Fork a child per task; print its process number, then how it ended."""
    for line in sys.stdin:
        words = json.loads(line)
        task = Task(**{**words, "numbers": tuple(words["numbers"])})
        child = os.fork()
        if child == 0:
            os._exit(_child(task))
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
    return 0


def _child(task: Task) -> int:
    logging.disable(logging.CRITICAL)  # a dying disk is the point here; how it died is in the exit code
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_ulong(-1), 0, 0, 0)
    acknowledged = os.open(task.acknowledgements, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        if task.gate is not None:
            os.read(os.open(task.gate, os.O_RDONLY), 1)
        return run_task(task, acknowledged)
    except (RecordError, SQLAlchemyError, StoppedError, OSError):
        return SOME_REFUSED


def run_task(task: Task, acknowledged: int) -> int:
    """Start as the counter does, sweep, then seal every visit. 0 when all were acknowledged."""
    sabotage = None if task.sabotage is None else Sabotage(task.sabotage)
    if sabotage is not None:
        apply_sabotage(sabotage)
    safe = open_sample_safe(Path(task.home))
    database = Database(safe.home.database)
    database.open()
    if sabotage is not Sabotage.LEFT_OVER_SEAL_BELIEVED:
        database.run_now(safe.home.store().sweep)
    refused = threading.Event()

    def one(number: int) -> None:
        try:
            submit(safe, database, number, sabotage, acknowledged, task.segment_bytes)
        except (RecordError, SQLAlchemyError, OSError):
            refused.set()

    with ThreadPoolExecutor(task.at_once) as pool:
        list(pool.map(one, task.numbers))
    if task.probe:
        _second_writer(safe, acknowledged)
    database.close()
    return SOME_REFUSED if refused.is_set() else 0


def submit(
    safe: SampleSafe,
    database: Database,
    number: int,
    sabotage: Sabotage | None,
    acknowledged: int,
    segment_bytes: int,
) -> None:
    """Seal one visit and acknowledge it; a visit that has its row already is acknowledged again and nothing else."""
    keys, visit_id = sample_keys(number), sample_visit_id(number)
    if sabotage is Sabotage.RETRY_IS_ANOTHER_VISIT:
        keys, visit_id = sample_keys(hash((number, os.getpid()))), f"{visit_id}~{os.getpid()}"
    store = safe.home.store()
    if database.run_now(find_record, keys.record_id) is not None:
        _acknowledge(acknowledged, number)
        return

    def keep_key() -> None:
        try:
            database.run_now(read_slots, keys.record_id)
        except RecordUnknownError:
            database.run_now(_open_visit, safe, keys)

    if sabotage is not Sabotage.KEY_AFTER_ANSWER:
        keep_key()
    if sabotage is Sabotage.LEFT_OVER_SEAL_BELIEVED and store.folder_of(keys.record_id).exists():
        _acknowledge(acknowledged, number)
        return
    folder = store.recording_folder(keys.record_id)
    segments = write_segments(folder, keys, SEGMENTS, segment_bytes, "customer")
    database.run_now(store.set_aside_unclaimed, keys.record_id)
    draft = sample_draft(safe, keys, visit_id, (segments,))
    if sabotage is Sabotage.ROW_BEFORE_FOLDER:
        drafts = RecordStore(store.root / "early", store.trust_root)
        sealed = seal_record(draft, keys, safe.sealing, drafts, NOW)
        database.run_now(_register, safe, sealed)
        _move_late(sealed, store)
    else:
        sealed = seal_record(draft, keys, safe.sealing, store, NOW)
        if sabotage is Sabotage.ANSWER_BEFORE_COMMIT:
            _acknowledge(acknowledged, number)
        late = sabotage is Sabotage.KEY_AFTER_ANSWER  # there is no key yet that could be put under the customer's
        database.run_now(_insert if late else _register, safe, sealed)
    if sabotage is not Sabotage.ANSWER_BEFORE_COMMIT:
        _acknowledge(acknowledged, number)
    if sabotage is Sabotage.KEY_AFTER_ANSWER:
        keep_key()
    store.release_recording(keys.record_id)


def _open_visit(conn: Connection, safe: SampleSafe, keys: RecordKeys) -> None:
    """The transaction that begins a visit: its keys, and its first leaf."""
    store_keys(conn, keys, safe.master, NOW)
    append_event(conn, kind=VISIT, subject=keys.record_id, at=NOW, details={"state": "opened"})


def _insert(conn: Connection, _safe: SampleSafe, sealed: SealedRecord) -> None:
    append_event(conn, kind=VISIT, subject=sealed.record_id, at=NOW, details={"state": "done"})
    insert_record(conn, sealed)


def _register(conn: Connection, safe: SampleSafe, sealed: SealedRecord) -> None:
    """The transaction that acknowledges: row, leaves, and the keys under the customer's."""
    _insert(conn, safe, sealed)
    until = keep_until(DEFAULT_KEEPING, NOW)
    give_to_customer(conn, safe.master, sealed.record_id, f"C-{sealed.record_id}", until, NOW)


def _move_late(sealed: SealedRecord, store: RecordStore) -> None:
    """The mistake of `ROW_BEFORE_FOLDER`: what the row promises comes into its place after the row."""
    draft = store.begin(sealed.record_id)
    shutil.rmtree(draft)
    sealed.folder.rename(draft)
    store.commit(sealed.record_id)


def _second_writer(safe: SampleSafe, acknowledged: int) -> None:
    """Say so when a second counter on the same home is let in."""
    second = Database(safe.home.database)
    try:
        second.open()
    except StoppedError:
        return
    os.write(acknowledged, b"SECOND WRITER\n")
    second.close()


def _acknowledge(acknowledged: int, number: int) -> None:
    os.write(acknowledged, f"ACK {number}\n".encode())


if __name__ == "__main__":
    sys.exit(main())
