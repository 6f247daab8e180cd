"""Who has passed a face check, and the calls that are watched for them: the face process's side.

An embedding stays in this process from the check that it passed until its visit ends.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from biometrics.decision import Thresholds
from biometrics.face.compare import erase
from biometrics.face.engine import Embedding, FaceEngine
from counter_server.identification.continuity_watch import CallWatch
from webrtc.wire.face import ContinuityCue, ContinuityState


@dataclass(frozen=True, slots=True)
class Follow:
    """The call has begun: watch whether the person who passed the face check stays.

    `known` is False where a finger identified and nobody's face was checked: then the first clear looks count.
    """

    session_id: str
    known: bool


@dataclass(frozen=True, slots=True)
class Unfollow:
    """The call has ended, or the person is identified again; who it was stays known until `End`."""

    session_id: str


@dataclass(frozen=True, slots=True)
class Noticed:
    """Where the watch over a call stands now; told when it changes."""

    session_id: str
    state: ContinuityState
    cue: ContinuityCue | None
    looks: int
    same: int


@dataclass(slots=True, repr=False)
class FollowedPeople:
    """Who has passed a face check and not ended the visit yet, and the calls that are watched for them."""

    engine: FaceEngine
    thresholds: Thresholds
    known: dict[str, Embedding] = field(default_factory=dict)
    calls: dict[str, CallWatch] = field(default_factory=dict)
    told: dict[str, tuple[ContinuityState, ContinuityCue | None]] = field(default_factory=dict)

    def remember(self, session_id: str, person: Embedding | None) -> None:
        """The face that has just passed; any before it is overwritten."""
        self.forget(session_id)
        if person is not None:
            self.known[session_id] = person

    def follow(self, begin: Follow) -> None:
        """Watch from now on."""
        self.unfollow(begin.session_id)
        person = self.known.get(begin.session_id)
        watch = CallWatch(self.engine, self.thresholds, None if person is None else person.copy(), time.monotonic())
        if person is None and begin.known:
            watch.continuity.break_for(ContinuityCue.WATCH_LOST)  # a process before this one knew the face
        self.calls[begin.session_id] = watch

    def unfollow(self, session_id: str) -> None:
        """Watch no more."""
        self.told.pop(session_id, None)
        if (watch := self.calls.pop(session_id, None)) is not None:
            watch.forget()

    def forget(self, session_id: str) -> None:
        """Overwrite everything of this visit."""
        self.unfollow(session_id)
        if (person := self.known.pop(session_id, None)) is not None:
            erase(person)

    def forget_all(self) -> None:
        """Overwrite everybody."""
        for session_id in {*self.known, *self.calls}:
            self.forget(session_id)

    def news(self) -> Iterator[Noticed]:
        """What has changed since the last time, by looks or by the clock alone."""
        now_s = time.monotonic()
        for session_id, watch in self.calls.items():
            seen = watch.continuity
            seen.tick(now_s)
            if self.told.get(session_id) != (seen.state, seen.cue):
                self.told[session_id] = (seen.state, seen.cue)
                yield Noticed(session_id, seen.state, seen.cue, seen.looks, seen.same)
