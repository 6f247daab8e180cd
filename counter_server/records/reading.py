"""Looking into the database beside the running counter."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import SQLAlchemyError

from counter_server.records.errors import StoreError
from counter_server.records.home import SafeHome


@contextmanager
def open_database(home: SafeHome) -> Iterator[Connection]:
    """A read-only connection, so that the server's writer stays the only one."""
    if not home.database.is_file():
        raise StoreError(f"no database in {home.folder}; is --home right?")
    engine = create_engine(f"sqlite:///file:{home.database.resolve()}?mode=ro&uri=true")
    try:
        with engine.connect() as conn:
            yield conn
    except SQLAlchemyError as error:
        raise StoreError(f"the database could not be read ({type(error).__name__})") from error
    finally:
        engine.dispose()
