import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, Integer, Table, func, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError

from counter_server.db import Database, metadata
from counter_server.errors import StoppedError

number = Table("test_number", metadata, Column("n", Integer, primary_key=True))


def put(connection: Connection, n: int) -> int:
    connection.execute(insert(number).values(n=n))
    if n < 0:
        raise ValueError("negative")
    return n


def count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(number)).scalar_one()


async def test_an_operation_that_fails_undoes_only_itself(tmp_path: Path) -> None:
    database = Database(tmp_path / "db")
    database.open()
    answers = await asyncio.gather(*(database.run(put, n) for n in (1, 2, -1, 3)), return_exceptions=True)
    assert [a for a in answers if isinstance(a, int)] == [1, 2, 3]
    assert isinstance(answers[2], ValueError)
    assert await database.run(count) == 3
    database.close()


async def test_what_was_answered_is_there_after_opening_again(tmp_path: Path) -> None:
    database = Database(tmp_path / "db")
    database.open()
    await asyncio.gather(*(database.run(put, n) for n in range(500)))
    database.close()
    again = Database(tmp_path / "db")
    again.open()
    assert await again.run(count) == 500
    again.close()


async def test_a_caller_who_gives_up_does_not_stop_the_writer(tmp_path: Path) -> None:
    database = Database(tmp_path / "db")
    database.open()
    held = threading.Event()
    slow = asyncio.ensure_future(database.run(lambda _: held.wait(5)))
    await asyncio.sleep(0.05)
    given_up = [asyncio.ensure_future(database.run(put, n)) for n in range(5)]
    await asyncio.sleep(0)
    for waiting in (slow, *given_up):
        waiting.cancel()
    held.set()
    await asyncio.gather(slow, *given_up, return_exceptions=True)
    assert await asyncio.wait_for(database.run(put, 99), 5) == 99
    database.close()


def test_a_second_counter_on_the_same_home_is_refused(tmp_path: Path) -> None:
    first, second = Database(tmp_path / "db"), Database(tmp_path / "db")
    first.open()
    with pytest.raises(StoppedError, match="another counter"):
        second.open()
    first.close()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "db").write_bytes(b"this is not SQLite" * 1000)
    with pytest.raises(StoppedError, match="Restore it"):
        Database(tmp_path / "db").open()


async def test_who_asks_while_another_program_holds_the_file_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("counter_server.db.BUSY_MS", 50)
    database = Database(tmp_path / "db")
    database.open()
    backup = sqlite3.connect(tmp_path / "db")
    backup.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError):
        await asyncio.wait_for(database.run(put, 12345678), 5)
    backup.rollback()
    backup.close()
    assert await asyncio.wait_for(database.run(put, 2), 5) == 2
    with pytest.raises(IntegrityError) as twice:
        await database.run(put, 2)
    assert "[parameters" not in str(twice.value) or "hidden" in str(twice.value)
    database.close()
