"""The counter's side of the face process: sessions begin, pictures go down, guidance and decisions come up."""

import asyncio
import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from counter_server.identification.continuity_calls import Follow, Noticed, Unfollow
from counter_server.identification.face_process import (
    Begin,
    End,
    FaceFinding,
    Guide,
    Look,
    Ready,
    StopColours,
    Unfit,
    Wish,
    main,
)
from webrtc.engine import EncodedPicture
from webrtc.wire.face import ContinuityCue, ContinuityState

log = logging.getLogger(__name__)

# A crash is answered at once; one that repeats, ever more slowly: loading the network costs a second of a core.
BACK_OFF_S, PROVEN_S = (0.0, 0.0, 1.0, 5.0, 15.0), 60.0

MOST_QUEUED = 90  # three seconds of pictures; beyond it the process is behind and waits for the next key picture

UNFIT_AGAIN_S = 60.0  # a machine that lacks something may have got it

FaceEvent = Guide | FaceFinding | Noticed
Order = Begin | Look | Wish | StopColours | End | Follow | Unfollow


class FaceDesk:
    """Runs one face process and tells `on_event` what comes of its sessions.

    A process that dies takes its sessions with it: each is reported by `on_lost`, and a new process is started.
    """

    def __init__(self, on_event: Callable[[FaceEvent], None], on_lost: Callable[[str], None]) -> None:
        self._on_event = on_event
        self._on_lost = on_lost
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._outgoing: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
        self._sessions: dict[str, int] = {}
        """Which attempt is running: the process may still speak of one before it."""
        self._attempts = itertools.count(1)
        self._followed: set[str] = set()
        self._wait_for_key: set[str] = set()
        self._stopping = False
        self._began_s = 0.0
        self._failures = 0
        self._ready: asyncio.Future[None] | None = None
        self.engine = ""
        self.unfit: str | None = None
        """What this machine lacks, and the cure; None while faces can be judged."""

    async def start(self) -> None:
        """Start the process and wait until its engine is loaded (about a second), or has said why it cannot be."""
        loop = asyncio.get_running_loop()
        self._ready = loop.create_future()
        self._spawn(loop)
        await asyncio.wait_for(self._ready, 60)

    async def stop(self) -> None:
        """End the process."""
        self._stopping = True
        self._outgoing.put(None)
        if self._process is not None:
            await asyncio.to_thread(self._process.join, 5)
            if self._process.is_alive():
                self._process.kill()

    def begin(
        self, session_id: str, portrait: bytes | None, seed: bytes, *, without_colours_because: str = "not asked for"
    ) -> None:
        """Open a session for a leg whose pictures follow; everything asked for is drawn from the seed.

        Args:
            session_id: As `Guide` and `FaceFinding` will name it.
            portrait: The chip's.
            seed: Of the challenge.
            without_colours_because: Why the screen shows no colours; empty where it does.
        """
        self._sessions[session_id] = attempt = next(self._attempts)
        self._outgoing.put(Begin(session_id, portrait, seed, without_colours_because, attempt))

    def ask_another(self, session_id: str) -> None:
        """The person cannot do what is asked."""
        if session_id in self._sessions:
            self._outgoing.put(Wish(session_id))

    def stop_colours(self, session_id: str) -> None:
        """The person wants no changing colours."""
        if session_id in self._sessions:
            self._outgoing.put(StopColours(session_id))

    def look(self, session_id: str, picture: EncodedPicture) -> None:
        """Hand over one picture. Live pictures are dropped when the process is behind, until the next key picture."""
        if session_id not in self._sessions and session_id not in self._followed:
            return
        if self._outgoing.qsize() > MOST_QUEUED:
            self._wait_for_key.add(session_id)
        if session_id in self._wait_for_key:
            if not picture.key or self._outgoing.qsize() > MOST_QUEUED // 2:
                return
            self._wait_for_key.discard(session_id)
        self._outgoing.put(Look(session_id, picture))

    def follow(self, session_id: str, *, known: bool) -> None:
        """Watch whether the person who passed stays, by key pictures that follow; `Noticed` tells every change.

        Args:
            session_id: Of the face check that was passed.
            known: False where no face was checked: then the first clear looks count.
        """
        self._followed.add(session_id)
        self._outgoing.put(Follow(session_id, known))

    def unfollow(self, session_id: str) -> None:
        """Watch no more; who passed stays known until `end`."""
        if session_id in self._followed:
            self._followed.discard(session_id)
            self._outgoing.put(Unfollow(session_id))

    def end(self, session_id: str) -> None:
        """Forget a session, and who passed it; nothing more is reported of it."""
        self._sessions.pop(session_id, None)
        self._followed.discard(session_id)
        self._wait_for_key.discard(session_id)
        self._outgoing.put(End(session_id))

    def _spawn(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._stopping:
            return
        context = get_context("spawn")  # a forked copy of the server would inherit its sockets and locks
        ours, theirs = context.Pipe()
        self._pipe = ours
        self._began_s = time.monotonic()
        self._process = context.Process(target=main, args=(theirs,), name="face", daemon=True)
        self._process.start()
        theirs.close()
        threading.Thread(target=self._send, args=(ours, self._outgoing), name="face-send", daemon=True).start()
        threading.Thread(target=self._receive, args=(ours, loop), name="face-receive", daemon=True).start()

    def _send(self, pipe: Connection, outgoing: "queue.SimpleQueue[Order | None]") -> None:
        try:
            while (message := outgoing.get()) is not None:
                pipe.send(message)
            pipe.send(None)  # it ends, and its end of the pipe with it
        except OSError:
            pass  # the process is gone; `_receive` sees the same and reports it

    def _receive(self, pipe: Connection, loop: asyncio.AbstractEventLoop) -> None:
        try:
            while True:
                loop.call_soon_threadsafe(self._hear, pipe.recv())
        except (EOFError, OSError):
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._gone, loop)

    def _hear(self, message: Ready | Unfit | FaceEvent) -> None:
        match message:
            case Ready() | Unfit():
                if isinstance(message, Unfit):
                    self.engine, self.unfit = "", message.message
                    log.error("no face can be judged: %s", message.message)
                else:
                    self.engine, self.unfit = message.engine, None
                if self._ready is not None and not self._ready.done():
                    self._ready.set_result(None)
            case Noticed():
                if message.session_id in self._followed:
                    self._on_event(message)
            case Guide():
                if self._sessions.get(message.session_id) == message.attempt:
                    self._on_event(message)
            case FaceFinding():
                if self._sessions.get(message.session_id) == message.attempt:
                    del self._sessions[message.session_id]
                    self._on_event(message)

    def _gone(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._stopping:
            return
        lived_s = time.monotonic() - self._began_s
        self._failures = 0 if lived_s > PROVEN_S else self._failures + 1
        wait_s = BACK_OFF_S[min(self._failures, len(BACK_OFF_S) - 1)]
        if self.unfit is not None:
            wait_s = UNFIT_AGAIN_S
        else:
            log.error("the face process ended unasked; starting another in %.1f s", wait_s)
        lost, self._sessions = self._sessions, {}
        unwatched, self._followed = self._followed, set()
        self._outgoing.put(None)  # ends the thread that fed it
        self._outgoing = queue.SimpleQueue()  # sessions that begin meanwhile wait here
        loop.call_later(wait_s, self._spawn, loop)
        for session_id in lost:
            self._on_lost(session_id)
        for session_id in unwatched:  # who it was died with the process
            self._on_event(Noticed(session_id, ContinuityState.BROKEN, ContinuityCue.WATCH_LOST, 0, 0))
