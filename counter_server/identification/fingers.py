"""The counter's side of the finger process: one picture at a time, a process that is started when first needed."""

import asyncio
import logging
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from counter_server.errors import CounterError
from counter_server.identification.finger_messages import FingerFinding, Judge
from webrtc.wire.message import ErrorCode

log = logging.getLogger(__name__)

WITHIN_S = 20.0  # loading takes 2 s, a picture 0.15 s; a busy machine takes several times that


def run(pipe: Connection) -> None:
    """The process itself."""
    from counter_server.identification.finger_process import main  # noqa: PLC0415 - 200 MB that stay out of the counter

    main(pipe)


class FingerDesk:
    """Judges pictures of fingers. Where no service asks for a finger, no process runs."""

    def __init__(self) -> None:
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._turn = asyncio.Lock()

    async def stop(self) -> None:
        """End the process."""
        async with self._turn:
            await asyncio.to_thread(self._end)

    async def warm(self) -> None:
        """Have a process loaded before the first finger lies on the glass; without one, the first finger tells."""
        try:
            async with self._turn:
                await asyncio.to_thread(self._started)
        except OSError as error:
            log.error("no finger process: %s", error.strerror)

    async def judge(self, asked: Judge) -> FingerFinding:
        """What this picture came to.

        Raises:
            CounterError: INTERNAL when the process died over the picture or took too long: it is ended, and the next
                picture gets another.
        """
        async with self._turn:
            finding = await asyncio.to_thread(self._ask, asked)
        if finding is None:
            raise CounterError(ErrorCode.INTERNAL, "the finger could not be looked at")
        return finding

    def _ask(self, asked: Judge) -> FingerFinding | None:
        try:
            pipe = self._started()
            pipe.send(asked)
            if pipe.poll(WITHIN_S):
                answer = pipe.recv()
                if isinstance(answer, FingerFinding):
                    return answer
            log.error("the finger process did not answer within %.0f s", WITHIN_S)
        except (EOFError, OSError):
            log.error("the finger process ended over a picture")
        self._end()
        return None

    def _started(self) -> Connection:
        if self._pipe is not None and self._process is not None and self._process.is_alive():
            return self._pipe
        self._end()
        context = get_context("spawn")  # a forked copy of the server would inherit its sockets and locks
        ours, theirs = context.Pipe()
        self._process = context.Process(target=run, args=(theirs,), name="finger", daemon=True)
        self._process.start()
        theirs.close()
        self._pipe = ours
        return ours

    def _end(self) -> None:
        pipe, process = self._pipe, self._process
        self._pipe = self._process = None
        if pipe is not None:
            pipe.close()  # its end of the pipe goes with it, and with that the process
        if process is not None:
            process.join(2)
            if process.is_alive():
                process.kill()
                process.join()
