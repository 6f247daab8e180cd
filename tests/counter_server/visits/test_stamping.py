"""The day's time stamp on the log, checked by openssl."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from counter_server.config import SigningSettings
from counter_server.records.log import ledger
from counter_server.records.log.files import LogFiles, load_or_create_log_key
from counter_server.records.log.publishing import Publisher
from counter_server.signing.worker import open_desk
from counter_server.visits.stamping import is_due, stamp_checkpoint
from tests.counter_server.records import builders


def publish(safe: builders.Safe, publisher: Publisher) -> None:
    with safe.engine.begin() as conn:
        ledger.append_event(conn, kind="visit", subject="R-1", at=builders.NOW)
        publication = publisher.prepare(conn)
    assert publication is not None
    publisher.put(publication)


def test_openssl_finds_the_stamp_on_the_checkpoint_and_a_day_passes_until_the_next(tmp_path: Path) -> None:
    safe = builders.build_safe(tmp_path)
    files, now = LogFiles(tmp_path), datetime.now(UTC)
    publisher = Publisher(files, load_or_create_log_key(files))
    assert not is_due(files, now)
    publish(safe, publisher)
    assert is_due(files, now)
    desk = open_desk(tmp_path / "keys", SigningSettings())
    stamp = stamp_checkpoint(files, desk.clock)
    (tmp_path / "root.pem").write_bytes(desk.authority.root.public_bytes(Encoding.PEM))
    words = ["openssl", "ts", "-verify", "-token_in", "-in", str(stamp), "-CAfile", str(tmp_path / "root.pem"), "-data"]
    note = stamp.with_suffix(".checkpoint")
    subprocess.run([*words, str(note)], check=True, capture_output=True)
    assert note.read_bytes() == files.checkpoint.read_bytes()
    publish(safe, publisher)
    assert not is_due(files, now)
    assert is_due(files, now + timedelta(days=1, minutes=1))
    assert subprocess.run([*words, str(files.checkpoint)], check=False, capture_output=True).returncode != 0
