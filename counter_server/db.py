"""One database, one writer, group commit.

Domain operations are plain functions `op(connection, …)` on SQLAlchemy Core. One thread owns the only connection and
runs them: many callers' operations share one transaction and one fsync, each in its own savepoint, and every caller
is answered only after the commit is on the disk (10 times the durable transactions of the usual async ORM, measured).

One connection is also what keeps SQLite 3.40, which Debian 12 ships, clear of its WAL-reset bug: that needs two.
"""

import asyncio
import fcntl
import logging
import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, MetaData, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from counter_server.errors import StoppedError

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

metadata = MetaData()

WRITER_ENDED = 70  # sysexits.h EX_SOFTWARE

BUSY_MS = 10_000  # how long a backup may hold the file before writes fail

MOST_PER_COMMIT = 64  # bounds how long the first caller of a group waits for its fsync


@dataclass(slots=True)
class _Job:
    operation: Callable[[Connection], Any]
    answer: Future[Any]


class Database:
    """The counter's state. Open once per process; a second process on the same home is refused."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock_fd = -1

    def open(self) -> None:
        """Take the home's lock, create missing tables and start the writer.

        Raises:
            StoppedError: another counter holds the home, or the file is no database of ours.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._lock_fd = os.open(self._path.parent / "server.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock_fd)
            raise StoppedError(
                f"{self._path.parent} is in use by another counter. Stop it first; several machines need PostgreSQL."
            ) from error
        ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._write, args=(ready,), name="database-writer", daemon=True)
        self._thread.start()
        ready.result()

    def close(self) -> None:
        """Finish what is queued, close the file and give the lock back."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None
            os.close(self._lock_fd)

    async def run(self, operation: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the operation returns, once its transaction is durable. Its exception undoes only itself."""
        return await asyncio.wrap_future(self._submit(lambda connection: operation(connection, *args, **kwargs)))

    def run_now(self, operation: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `run`, for callers without an event loop (the command line)."""
        return self._submit(lambda connection: operation(connection, *args, **kwargs)).result()

    def _submit(self, operation: Callable[[Connection], T]) -> Future[T]:
        answer: Future[T] = Future()
        self._jobs.put(_Job(operation, answer))
        return answer

    def _write(self, ready: Future[None]) -> None:
        engine: Engine | None = None
        try:
            engine = self._engine()  # in here: what fails before the first answer would leave `open` waiting for ever
            with engine.connect() as connection:
                with connection.begin():
                    metadata.create_all(connection)
                ready.set_result(None)
                self._serve(connection)
        except SQLAlchemyError as error:
            if not ready.done():
                ready.set_exception(StoppedError(f"{self._path} cannot be opened: {error}. Restore it from a backup."))
                return
            _stop()
        except Exception:
            _stop()
        finally:
            if engine is not None:
                engine.dispose()

    def _engine(self) -> Engine:
        """The file with our settings on every connection."""
        engine = create_engine(
            f"sqlite:///{self._path}",
            hide_parameters=True,  # an error's text reaches logs, and parameters are people's names and addresses
        )

        @event.listens_for(engine, "connect")
        def _configure(raw: Any, _record: Any) -> None:
            raw.isolation_level = None  # we say BEGIN ourselves; sqlite3's own guessing breaks savepoints
            for pragma in (
                "journal_mode=WAL",
                "synchronous=FULL",
                "foreign_keys=ON",
                "secure_delete=ON",
                f"busy_timeout={BUSY_MS}",
            ):
                raw.execute(f"PRAGMA {pragma}")

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

        return engine

    def _serve(self, connection: Connection) -> None:
        while (job := self._jobs.get()) is not None:
            done: list[tuple[_Job, Any]] = []
            goes_on = True
            try:
                with connection.begin():
                    goes_on = self._one_group(connection, job, done)
            except SQLAlchemyError as error:
                # The commit itself failed (disk full, I/O error): nobody in this group was acknowledged.
                for failed, _ in done:
                    failed.answer.set_exception(error)
                # Nor did it begin, perhaps (another program holds the file): its caller would wait for ever.
                if not job.answer.done() and (job.answer.running() or job.answer.set_running_or_notify_cancel()):
                    job.answer.set_exception(error)
            else:
                for finished, value in done:
                    finished.answer.set_result(value)
            if not goes_on:
                return

    def _one_group(self, connection: Connection, first: _Job, done: list[tuple[_Job, Any]]) -> bool:
        """Run what is queued, up to `MOST_PER_COMMIT`. False when the queue was closed: this was the last group."""
        job = first
        while True:
            # From here on the caller can no longer cancel: an answer to a cancelled one would end this thread.
            if job.answer.set_running_or_notify_cancel():
                try:
                    with connection.begin_nested():
                        done.append((job, job.operation(connection)))
                except BaseException as error:
                    job.answer.set_exception(error)  # handed to whoever asked; nothing is swallowed
            if len(done) >= MOST_PER_COMMIT:
                return True
            try:
                following = self._jobs.get_nowait()
            except queue.Empty:
                return True
            if following is None:
                return False
            job = following


def _stop() -> None:
    """Without its writer a counter would wait for ever; it stops instead, to be started again."""
    log.exception("the database writer ended; the counter stops")
    os._exit(WRITER_ENDED)
