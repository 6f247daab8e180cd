"""Who signs for the server: a few processes, each order with a time limit, so that the loop is never held."""

import asyncio
import contextlib
import multiprocessing
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from counter_server.config import SigningSettings
from counter_server.signing.errors import SignerGoneError, SigningLateError
from counter_server.signing.worker import Done, Order, main

PROCESSES = 2  # one signature takes 15 ms; the second serves while the first waits for a token or an authority
LIMIT_S = 30.0  # a process's first order imports pyHanko (1.5 s of CPU) and may make keys in a token
_CONTEXT = multiprocessing.get_context("forkserver")  # forked from a process without our threads, imports done once
_CONTEXT.set_forkserver_preload(["counter_server.signing.worker"])


class SigningPool:
    """Processes that sign, started when they are first needed."""

    def __init__(
        self, folder: Path, settings: SigningSettings, *, processes: int = PROCESSES, limit_s: float = LIMIT_S
    ) -> None:
        self._folder, self._settings, self._limit_s = folder, settings, limit_s
        self._places = asyncio.Semaphore(processes)  # orders wait here; visits are far fewer than a queue could hold
        self._idle: list[_Worker] = []

    async def sign(self, order: Order) -> bytes:
        """The signed contract.

        Raises:
            SignerGoneError: A key or the time stamp authority refused; says which, without personal data.
            SigningLateError: It took too long; the process was ended.
        """
        async with self._places:
            worker = self._idle.pop() if self._idle else None
            try:
                if worker is None:
                    worker = await asyncio.to_thread(_Worker, self._folder, self._settings)
                done = await asyncio.to_thread(worker.ask, order, self._limit_s)
            except BaseException:
                if worker is not None:
                    worker.end()
                raise
            if done.pdf is None:
                worker.end()  # it has ended itself already
                raise SignerGoneError(done.why)
            self._idle.append(worker)
            return done.pdf

    def close(self) -> None:
        """End the processes that are idle; one that is busy ends when its order is done and its pipe is gone."""
        while self._idle:
            self._idle.pop().end()


class _Worker:
    """One process and our end of its pipe."""

    def __init__(self, folder: Path, settings: SigningSettings) -> None:
        ours, theirs = _CONTEXT.Pipe()
        self._pipe: Connection = ours
        self._process: ForkServerProcess = _CONTEXT.Process(
            target=main, args=(theirs, folder, settings), daemon=True, name="signing"
        )
        self._process.start()
        theirs.close()

    def ask(self, order: Order, limit_s: float) -> Done:
        """Give an order and wait for it."""
        try:
            self._pipe.send(order)
            if not self._pipe.poll(limit_s):
                raise SigningLateError(f"no signature within {limit_s:g} s")
            done = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise SignerGoneError("the signing process ended") from error
        if not isinstance(done, Done):
            raise SignerGoneError("the signing process answered something else")
        return done

    def end(self) -> None:
        """At once: nothing of it is worth waiting for."""
        self._pipe.close()
        with contextlib.suppress(ValueError):  # it never came to life
            self._process.kill()
            self._process.join()
