"""SIGKILL at any moment: whatever was acknowledged is told after the restart, in the order of its subject."""

import contextlib
import json
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from counter_server.db import Database
from counter_server.outbox import service
from counter_server.outbox.service import DeliveryState
from tests.counter_server.outbox.receiver import Certified, Receiver, certified, receiving

SEED, KILLS, RECORDS_PER_LIFE = 20261121, 3, 12


@contextlib.contextmanager
def delivering(home: Path, receiver: Receiver, made: Certified, records: list[str]) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "-m", "tests.counter_server.outbox.deliver", str(home), receiver.url, str(made.ca_file)]
    process = subprocess.Popen([*words, *records], stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.timeout(120)
def test_what_was_acknowledged_is_told_over_any_crash(tmp_path: Path) -> None:
    rng = random.Random(SEED)  # noqa: S311 - repeatable moments of death
    made, home = certified(tmp_path / "ca"), tmp_path / "home"
    acknowledged: list[str] = []
    with receiving(made) as receiver:
        for life in range(KILLS):
            records = [f"R-20261121-{life:04d}{number:04d}" for number in range(RECORDS_PER_LIFE)]
            receiver.answers = [rng.choice((204, 204, 503)) for _ in range(RECORDS_PER_LIFE)]
            with delivering(home, receiver, made, records) as process:
                assert process.stdout is not None
                heard = len(receiver.told)
                for _ in range(rng.randrange(1, RECORDS_PER_LIFE + 1)):
                    acknowledged.append(process.stdout.readline().strip())
                if life % 2:
                    receiver.wait(heard + 1)  # killed while it delivers, not always before
                    time.sleep(rng.random() * 0.1)
        with delivering(home, receiver, made, []):
            until = time.monotonic() + 30
            while time.monotonic() < until and not set(acknowledged) <= set(_told(receiver)):
                time.sleep(0.05)
            time.sleep(0.3)
    told = _told(receiver)
    assert acknowledged
    assert set(acknowledged) <= set(told), "an acknowledged record was told to nobody"
    ids = defaultdict(set)
    for request in receiver.told:
        ids[json.loads(request.body)["data"]["record_id"]].add(request.headers["webhook-id"])
    assert all(len(same) == 1 for same in ids.values()), "a repetition has another id: a receiver would do it twice"
    for subject in {record[-1] for record in told}:
        order = list(dict.fromkeys(record for record in told if record[-1] == subject))
        assert order == sorted(order), "told out of the order of its subject"
    database = Database(home / "counter.sqlite3")
    database.open()
    rows = database.run_now(service.list_deliveries, limit=1000)
    database.close()
    assert {row.record_id for row in rows} >= set(acknowledged)
    assert {row.state for row in rows} <= {DeliveryState.DELIVERED, DeliveryState.WAITING}


def _told(receiver: Receiver) -> list[str]:
    """Records whose events the receiver took or refused, in the order they came."""
    return [str(json.loads(request.body)["data"]["record_id"]) for request in receiver.told]
