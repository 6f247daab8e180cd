"""A counter does not start where SQLite cannot keep what was acknowledged."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine

from counter_server.db import Database
from counter_server.errors import StoppedError
from counter_server.serve import refuse_what_loses


def test_our_own_settings_are_accepted(tmp_path: Path) -> None:
    database = Database(tmp_path / "db")
    database.open()
    database.run_now(refuse_what_loses)
    database.close()


@pytest.mark.parametrize(
    ("vfs", "pragmas"),
    [
        ("unix-dotfile", ("journal_mode=WAL", "synchronous=FULL")),  # no shared memory, as on a network share
        ("unix", ("journal_mode=DELETE", "synchronous=FULL")),
        ("unix", ("journal_mode=WAL", "synchronous=NORMAL")),
        ("unix", ("journal_mode=WAL", "synchronous=OFF")),
        ("unix", ("journal_mode=MEMORY", "synchronous=EXTRA")),
    ],
)
def test_whatever_the_power_cut_model_lost_records_with_is_refused(
    tmp_path: Path, vfs: str, pragmas: tuple[str, ...]
) -> None:
    engine = create_engine(f"sqlite:///file:{tmp_path / 'db'}?vfs={vfs}&uri=true")
    with engine.connect() as connection:
        for pragma in pragmas:
            connection.exec_driver_sql(f"PRAGMA {pragma}")
        connection.rollback()
        with pytest.raises(StoppedError, match="a power cut could take"):
            refuse_what_loses(connection)
    engine.dispose()
