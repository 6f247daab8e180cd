"""Both ends of transport-wide feedback on one transport: what we tell a publisher, and what a viewer tells us."""

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from webrtc.errors import MalformedRtpError
from webrtc.rtp import ahead
from webrtc.transport_cc import STATUSES_MAX, TICK_S, pack_feedback, parse_feedback

# Browsers send one each 50 to 250 ms and aim at 100 ms (libwebrtc's RemoteEstimatorProxy).
FEEDBACK_EVERY_S = 0.1
# A number this far behind what was told last comes from before a jump, not from a late packet.
_LATE_MAX = 200
# Packets on their way or just lost: 1024 are three seconds of 2.5 Mbit/s. A power of two, for the ring.
_RING = 1024
_REFERENCE_WRAP_TICKS = (1 << 24) * 256


class ArrivalLog:
    """Notes when packets of a publisher arrive and tells it ten times a second: its own estimate lives on that."""

    def __init__(self, send: Callable[[bytes], None], ssrc: int):
        self._send = send
        self._ssrc = ssrc
        self._media_ssrc = 0
        self._noted: dict[int, float] = {}
        self._next: int | None = None  # first number not told yet
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None
        self._began_s = time.monotonic() - 1.0  # a late packet must not make ticks negative

    def note(self, number: int, media_ssrc: int) -> None:
        """A packet of this transport number came just now."""
        self._noted[number] = time.monotonic()
        self._media_ssrc = media_ssrc
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FEEDBACK_EVERY_S, self._tell)

    def forget(self) -> None:
        """Tell nothing of what was lost so far: an outage is not a line that carries little."""
        self._noted.clear()
        self._next = None

    def stop(self) -> None:
        """End the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tell(self) -> None:
        """Send what was noted since the last time."""
        self._timer = None
        noted, self._noted = self._noted, {}
        if not noted:
            return
        anchor = self._next if self._next is not None else next(iter(noted))
        steps = {ahead(number, anchor): at_s for number, at_s in noted.items()}
        first, last = min(steps), max(steps)
        if self._next is not None and first > 0:
            first = 0  # what is missing before the first that came
        if first < -_LATE_MAX or last - first >= STATUSES_MAX:  # a jump: begin anew at the newest stretch
            first = min(step for step in steps if step > last - STATUSES_MAX)
        arrivals: list[int | None] = [None] * (last - first + 1)
        for step, at_s in steps.items():
            if step >= first:
                arrivals[step - first] = int((at_s - self._began_s) / TICK_S)
        base = (anchor + first) & 0xFFFF
        self._next = (anchor + max(last + 1, 0)) & 0xFFFF
        self._send(pack_feedback(self._ssrc, self._media_ssrc, self._count, base, arrivals))
        self._count = (self._count + 1) & 0xFF


class Departure(NamedTuple):
    """One packet we sent, and when the viewer got it on its own clock (None: lost)."""

    sent_s: float
    arrived_s: float | None
    size: int


class DepartureLog:
    """Numbers what we send on a transport and, from a viewer's feedback, tells what became of it."""

    def __init__(self, heard: Callable[[list[Departure]], None]):
        self._heard = heard
        self._number = 0
        self._sent: list[tuple[int, float, int] | None] = [None] * _RING
        self._reference = 0  # of the message before, to unwrap the 24 bits
        self._origin = 0

    def number(self, size: int, now_s: float) -> int:
        """The transport number of a packet that leaves now."""
        number = self._number
        self._sent[number & (_RING - 1)] = (number, now_s, size)
        self._number = (number + 1) & 0xFFFF
        return number

    def on_feedback(self, packet: bytes) -> None:
        """Match a viewer's feedback with what we sent; a broken one is dropped."""
        try:
            feedback = parse_feedback(packet)
        except MalformedRtpError:
            return
        step = (feedback.reference_ticks - self._reference) % _REFERENCE_WRAP_TICKS
        if step >= _REFERENCE_WRAP_TICKS // 2:
            step -= _REFERENCE_WRAP_TICKS
        self._reference = feedback.reference_ticks
        self._origin += step
        shift = self._origin - feedback.reference_ticks
        fates: list[Departure] = []
        for offset, ticks in enumerate(feedback.arrivals):
            number = (feedback.base + offset) & 0xFFFF
            sent = self._sent[number & (_RING - 1)]
            if sent is None or sent[0] != number:
                continue
            if ticks is not None:
                self._sent[number & (_RING - 1)] = None
                fates.append(Departure(sent[1], (ticks + shift) * TICK_S, sent[2]))
            else:
                fates.append(Departure(sent[1], None, sent[2]))
        if fates:
            self._heard(fates)
