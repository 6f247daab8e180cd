"""At least once, in order per subject, and nobody waits for somebody else's receiver."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from counter_server.db import Database
from counter_server.outbox import orders, service
from counter_server.outbox.courier import pause_s
from counter_server.outbox.service import DeliveryState
from counter_server.outbox.subscribers import OutboxSettings
from tests.counter_server.outbox.builders import courier, hooks, occasion
from tests.counter_server.outbox.receiver import Certified, certified, receiving


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return certified(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "counter.sqlite3")
    database.open()
    yield database
    database.close()


def states(db: Database) -> list[str]:
    return [row.state.value for row in reversed(db.run_now(service.list_deliveries))]


async def test_one_change_goes_to_every_subscriber_and_each_sees_only_its_fields(
    db: Database, made: Certified, tmp_path: Path
) -> None:
    with receiving(made) as core, receiving(made) as letters:
        settings = hooks(tmp_path, made, core=core, letters=letters)
        assert db.run_now(service.post, settings, occasion()) == 2
        assert db.run_now(service.post, settings, occasion()) == 0  # told twice is told once
        both = courier(db, settings, tmp_path)
        assert [await both.round(name) for name in settings.names] == [1, 1]
        for receiver in (core, letters):
            (told,) = receiver.told
            assert json.loads(told.body)["data"]["fields"] == {"address": "北京市西城区金融大街1号"}
            assert b"ZHANG" not in told.body
        ids = {receiver.told[0].headers["webhook-id"] for receiver in (core, letters)}
    assert ids == {occasion().event_id}
    assert states(db) == ["delivered", "delivered"]
    assert b"\xe9\x87\x91\xe8\x9e\x8d" not in (tmp_path / "counter.sqlite3").read_bytes()  # 金融: bodies are emptied


async def test_what_came_later_for_the_same_customer_waits(db: Database, made: Certified, tmp_path: Path) -> None:
    with receiving(made) as core:
        settings = hooks(tmp_path, made, core=core)
        for number, (subject, street) in enumerate([("C-1", "first"), ("C-2", "other"), ("C-1", "second")]):
            db.run_now(service.post, settings, occasion(f"R-20261121-0000000{number}", subject, address=street))
        core.answers = [500]
        one = courier(db, settings, tmp_path)
        await one.round("core")
        assert [json.loads(told.body)["data"]["fields"]["address"] for told in core.told] == ["first", "other"]
        await asyncio.sleep(0.06)
        while await one.round("core"):
            pass
        heard = [json.loads(told.body)["data"]["fields"]["address"] for told in core.told]
    assert heard == ["first", "other", "first", "second"]


async def test_what_was_given_up_holds_back_until_somebody_decides(
    db: Database, made: Certified, tmp_path: Path
) -> None:
    with receiving(made) as core:
        settings = hooks(tmp_path, made, core=core)
        db.run_now(service.post, settings, occasion("R-20261121-00000001"))
        db.run_now(service.post, settings, occasion("R-20261121-00000002"))
        core.answers = [500, 500, 500]
        one = courier(db, settings, tmp_path)
        for _ in range(3):
            await one.round("core")
            await asyncio.sleep(0.25)
        assert states(db) == ["dead", "waiting"]
        assert await one.round("core") == 0
        orders.write_order(tmp_path, 1, orders.What.RETRY)
        await one.follow_orders()
        assert orders.read_orders(tmp_path) == []
        while await one.round("core"):
            pass
        assert states(db) == ["delivered", "delivered"]


async def test_a_dropped_one_lets_the_next_go(db: Database, made: Certified, tmp_path: Path) -> None:
    with receiving(made) as core:
        settings = hooks(tmp_path, made, core=core)
        for record in ("R-20261121-00000001", "R-20261121-00000002"):
            db.run_now(service.post, settings, occasion(record))
        core.answers = [410]
        one = courier(db, settings, tmp_path)
        await one.round("core")
        assert states(db) == ["dead", "waiting"]
        assert db.run_now(service.drop, 1)
        assert not db.run_now(service.drop, 1)
        assert not db.run_now(service.retry, 1)  # its body is gone
        await one.round("core")
        assert states(db) == ["dropped", "delivered"]


async def test_a_receiver_that_hangs_keeps_nobody_else_waiting(db: Database, made: Certified, tmp_path: Path) -> None:
    with receiving(made) as slow, receiving(made) as quick:
        slow.hold = threading.Event()
        settings = hooks(tmp_path, made, slow=slow, quick=quick)
        db.run_now(service.post, settings, occasion())
        running = asyncio.create_task(courier(db, settings, tmp_path).run())
        await asyncio.to_thread(quick.wait, 1)
        assert "waiting" in states(db)
        slow.hold.set()
        await asyncio.to_thread(slow.wait, 1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


def test_what_nobody_took_for_a_month_is_dropped(db: Database, made: Certified, tmp_path: Path) -> None:
    with receiving(made) as core:
        settings = hooks(tmp_path, made, core=core)
    db.run_now(service.post, settings, occasion())
    db.run_now(service.missed, 1, "no_connection", None)
    db.run_now(service.tidy, time.time())
    assert states(db) == ["dead"]
    db.run_now(service.tidy, time.time() + 31 * 86_400)
    assert states(db) == [DeliveryState.DROPPED.value]
    db.run_now(service.tidy, time.time() + 200 * 86_400)
    assert states(db) == []


def test_pauses_double_up_to_a_bound_and_never_meet() -> None:
    settings = OutboxSettings(first_pause_s=5, longest_pause_s=3600)
    assert [pause_s(settings, n, 1.0) for n in (1, 2, 3)] == [5, 10, 20]
    assert pause_s(settings, 1, 0.0) == 2.5
    assert pause_s(settings, 10_000, 1.0) == 3600
    # with 36 tries: about a day even when every pause is the shortest
    assert sum(pause_s(settings, n, 0.0) for n in range(1, 36)) > 12 * 3600
