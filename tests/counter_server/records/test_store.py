"""What is acknowledged stays; what is half-written goes; what a row refers to is never touched."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from counter_server.records.authority import load_or_create_sealing_identity
from counter_server.records.errors import RecordExistsError, RecordUnknownError, StoreError
from counter_server.records.seal import seal_record
from counter_server.records.service import insert_record
from counter_server.records.slots import read_slots
from counter_server.records.store import UNCLAIMED, WRITING
from counter_server.records.tables import record
from counter_server.records.verify import verify_record
from tests.counter_server.records import builders
from tests.counter_server.records.builders import NOW, Safe


@pytest.fixture
def safe(tmp_path: Path) -> Safe:
    return builders.build_safe(tmp_path)


def test_a_record_lies_in_its_year_readable_by_its_owner_only(safe: Safe) -> None:
    _, sealed = builders.seal_visit(safe)
    assert sealed.folder == safe.home / "records" / "2026" / sealed.record_id
    assert sealed.folder.stat().st_mode & 0o777 == 0o700
    assert all(
        path.stat().st_mode & 0o077 == 0 for path in (sealed.folder / "objects").iterdir() if path.stat().st_nlink == 1
    )
    assert not list((safe.home / "records" / WRITING).iterdir())


def test_segments_are_adopted_without_a_copy_and_stay_until_released(safe: Safe) -> None:
    keys, sealed = builders.seal_visit(safe)
    waiting = sorted(safe.store.recording_folder(keys.record_id).iterdir())
    assert len(waiting) == 3
    assert all(path.stat().st_nlink == 2 for path in waiting)
    assert safe.store.release_recording(keys.record_id)
    assert not waiting[0].exists()
    assert verify_record(sealed.folder, safe.trust, builders.identity_of(keys)).intact


def test_segments_of_a_record_that_was_not_sealed_are_kept(safe: Safe) -> None:
    with safe.engine.begin() as conn:
        keys = builders.begin_recording(safe, conn)
    assert safe.store.release_recording(keys.record_id)
    segments = builders.record_segments(safe, keys)
    assert not safe.store.release_recording(keys.record_id)
    assert segments[0].path.exists()


def test_a_sealed_record_is_never_written_again(safe: Safe) -> None:
    keys, _ = builders.seal_visit(safe)
    with pytest.raises(RecordExistsError):
        seal_record(builders.build_draft(safe, keys), keys, safe.sealing, safe.store, NOW)


def test_a_folder_name_cannot_lead_elsewhere(safe: Safe) -> None:
    for name in ("../../etc", "R-20261121-7K3M9Q2X/..", ""):
        with pytest.raises(RecordUnknownError):
            safe.store.folder_of(name)
        with pytest.raises(RecordUnknownError):
            safe.store.recording_folder(name)


def test_a_sweep_tidies_and_touches_nothing_a_row_refers_to(safe: Safe) -> None:
    kept_keys, kept = builders.seal_visit(safe)
    with safe.engine.begin() as conn:
        insert_record(conn, kept)
        interrupted = builders.begin_recording(safe, conn)
    builders.record_segments(safe, interrupted)
    (safe.home / "records" / WRITING / "R-20261121-00000000" / "objects").mkdir(parents=True)
    orphan = safe.store.recording_folder("R-20261121-00000001")
    (orphan / "segment.age").write_bytes(b"x")
    _, unclaimed = _seal_another(safe)

    with safe.engine.connect() as conn:
        report = safe.store.sweep(conn)

    assert report.drafts_removed == 1
    assert report.recordings_removed == 2  # the orphan, and the sealed record's leftover
    assert report.unclaimed == (unclaimed,)
    assert report.waiting == (interrupted.record_id,)
    assert report.missing == ()
    assert verify_record(kept.folder, safe.trust, builders.identity_of(kept_keys)).intact
    assert len(list(safe.store.recording_folder(interrupted.record_id).iterdir())) == 3
    aside = safe.home / "records" / UNCLAIMED / f"{unclaimed}.0"
    assert verify_record(aside, safe.trust).intact
    assert not orphan.exists()
    with safe.engine.connect() as conn:
        again = safe.store.sweep(conn)
    assert (again.drafts_removed, again.recordings_removed, again.unclaimed) == (0, 0, ())


def _seal_another(safe: Safe) -> tuple[object, str]:
    with safe.engine.begin() as conn:
        keys = builders.begin_recording(safe, conn)
    seal_record(builders.build_draft(safe, keys), keys, safe.sealing, safe.store, NOW)
    return keys, keys.record_id


def test_a_sweep_says_when_a_record_is_gone(safe: Safe) -> None:
    _, sealed = builders.seal_visit(safe)
    with safe.engine.begin() as conn:
        insert_record(conn, sealed)
    shutil.rmtree(sealed.folder)
    with safe.engine.connect() as conn:
        assert safe.store.sweep(conn).missing == (sealed.record_id,)


def test_an_interrupted_visit_can_still_be_sealed_after_a_restart(safe: Safe) -> None:
    """Slot and segments outlive the process; the key comes back out of its slot."""
    with safe.engine.begin() as conn:
        keys = builders.begin_recording(safe, conn)
    segments = builders.record_segments(safe, keys)
    with safe.engine.connect() as conn:
        safe.store.sweep(conn)
        found = read_slots(conn, keys.record_id).open(safe.master)
    sealed = seal_record(builders.build_draft(safe, found, segments), found, safe.sealing, safe.store, NOW)
    assert verify_record(sealed.folder, safe.trust, builders.identity_of(keys)).intact


@pytest.mark.parametrize("failure", [errno.EIO, errno.ENOSPC])
def test_every_failing_sync_is_an_error_and_sealing_again_works(
    safe: Safe, monkeypatch: pytest.MonkeyPatch, failure: int
) -> None:
    real, calls = os.fsync, 0
    broken_at = 0

    def failing(handle: int) -> None:
        nonlocal calls
        calls += 1
        if calls == broken_at:
            raise OSError(failure, os.strerror(failure))
        real(handle)

    with safe.engine.begin() as conn:
        keys = builders.begin_recording(safe, conn)
    segments = builders.record_segments(safe, keys, 2)
    monkeypatch.setattr(os, "fsync", failing)
    failures = 0
    for attempt in range(1, 100):
        broken_at, calls = attempt, 0
        try:
            seal_record(builders.build_draft(safe, keys, segments), keys, safe.sealing, safe.store, NOW)
        except StoreError:
            failures += 1
            with safe.engine.connect() as conn:
                safe.store.set_aside_unclaimed(conn, keys.record_id)
            continue
        break
    assert failures >= 10  # objects, segments, three files, four folders
    assert verify_record(safe.store.folder_of(keys.record_id), safe.trust, builders.identity_of(keys)).intact


CHILD = """
import sys, os
from pathlib import Path
from tests.counter_server.records import builders
from tests.counter_server.records.test_store import seal_for_ever
seal_for_ever(Path(sys.argv[1]))
"""


def seal_for_ever(home: Path) -> None:
    """The child of the test below: seal, commit the row, acknowledge on standard output, again."""
    safe = builders.build_safe(home)
    with safe.engine.connect() as conn:
        conn.exec_driver_sql("pragma journal_mode=wal")
    with safe.engine.connect() as conn:
        safe.store.sweep(conn)
    number = 0
    while True:
        number += 1
        with safe.engine.begin() as conn:
            keys = builders.begin_recording(safe, conn)
        visit = f"visit-{os.getpid()}-{number}"
        draft = builders.build_draft(safe, keys, builders.record_segments(safe, keys, 2))
        draft = builders.of_visit(safe, keys, draft, visit)
        sealed = seal_record(draft, keys, safe.sealing, safe.store, NOW)
        with safe.engine.begin() as conn:
            insert_record(conn, sealed)
        os.write(1, f"{sealed.record_id}\n".encode())
        safe.store.release_recording(keys.record_id)


def test_no_acknowledged_record_is_lost_to_a_kill(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    load_or_create_sealing_identity(tmp_path / "keys", NOW)
    for round_number in range(4):
        child = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        first = child.stdout.readline()  # it is up and has sealed once
        time.sleep(0.02 * round_number)
        child.send_signal(signal.SIGKILL)
        rest, _ = child.communicate()
        acknowledged += (first + rest[: rest.rfind(b"\n") + 1]).decode().split()
    safe = builders.build_safe(tmp_path)
    with safe.engine.connect() as conn:
        report = safe.store.sweep(conn)
        rows = set(conn.execute(select(record.c.record_id)).scalars())
    assert len(acknowledged) >= 4
    assert set(acknowledged) <= rows
    assert report.missing == ()
    for record_id in rows:
        with safe.engine.connect() as conn:
            keys = read_slots(conn, record_id).open(safe.master)
        assert verify_record(safe.store.folder_of(record_id), safe.trust, builders.identity_of(keys)).intact
