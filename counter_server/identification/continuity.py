"""Whether the person of the face check is still the one in the call: from single looks to held, uncertain or broken.

Pure. Looks come about once a second and say one thing each; only sustained evidence breaks, because people look down
to sign, turn away and rub their eyes. Every uncertainty ends within a minute: in `held`, or in `broken` with the cue
that spoke. Broken stays broken until the person is identified again.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from webrtc.wire.face import ContinuityCue, ContinuityState

LOOKS_PER_S: Final = 1.0
"""Up to this pace the media worker samples key pictures alone, each decodable without the others."""

ARRIVE_S: Final = 30.0  # from the clerk's call until the customer's face is first seen: they may have sat down
SETTLED_S: Final = 4.0  # without a face until the page asks to be looked at
NO_FACE_S: Final = 10.0  # and until the face is asked for again: bent over a form, people look up within that
UNCLEAR_S: Final = 60.0  # a face that is there all the time and never shown clearly enough to be known
FROZEN_S: Final = 6.0  # of pictures that do not change at all; six key pictures
OTHER_LOOKS: Final = 3
"""Good looks in a row at a face as different as strangers are; none of them alike enough to be the same person."""
OTHER_S: Final = 2.0  # and at least as long
UNLIKE_LOOKS: Final = 10  # good looks in a row, none of them alike enough, none as different as strangers are
SECOND_LOOKS: Final = 5  # in a row with another face of nearly the same size
EXCUSED_S: Final = 30.0  # while our own process is behind, nobody is reproached for what it did not look at


class Sight(StrEnum):
    """What one look showed."""

    SAME = "same"  # as alike as the calibration accepts
    UNLIKE = "unlike"  # a clear look, between same and different
    OTHER = "other"  # a clear look, as different as strangers are
    UNCLEAR = "unclear"  # a face, turned away or in bad light
    NOBODY = "nobody"
    TWO = "two"


NEEDS_CARD: Final = frozenset({ContinuityCue.OTHER_FACE, ContinuityCue.SECOND_FACE, ContinuityCue.PICTURE_FROZEN})
"""Where somebody else may have sat down, the card is asked for too; after a mere gap the face alone."""


@dataclass(slots=True)
class Continuity:
    """Feed every look to `see` and the clock to `tick`; `state` and `cue` say where it stands."""

    began_s: float
    state: ContinuityState = field(default=ContinuityState.UNCERTAIN, init=False)
    cue: ContinuityCue | None = field(default=None, init=False)
    looks: int = field(default=0, init=False)
    same: int = field(default=0, init=False)
    _last_s: float = field(init=False)
    _face_s: float = field(init=False)
    _same_s: float = field(init=False)
    _picture_s: float = field(init=False)
    _still_since_s: float | None = field(default=None, init=False)
    _others: list[float] = field(default_factory=list, init=False)
    _unlike: int = field(default=0, init=False)
    _two: int = field(default=0, init=False)
    _excused_s: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        arrives_s = self.began_s + ARRIVE_S - NO_FACE_S
        self._last_s = self._picture_s = self.began_s
        self._face_s = arrives_s
        self._same_s = self.began_s

    @property
    def broken(self) -> bool:
        """Whether the person must be identified again."""
        return self.state is ContinuityState.BROKEN

    def see(self, sight: Sight, at_s: float, *, still: bool = False) -> None:
        """Take one look into account.

        Args:
            sight: What it showed.
            at_s: When the picture arrived.
            still: Nothing has changed since the look before, in no part of the picture.
        """
        if self.broken or at_s <= self._last_s:
            return
        self.looks += 1
        if not still:
            self._still_since_s = None
        elif self._still_since_s is None:
            self._still_since_s = self._last_s
        self._last_s = self._picture_s = at_s
        if sight is not Sight.NOBODY:
            self._face_s = at_s  # and with the first face the time to sit down is over
            self._excused_s = 0.0
        self._two = self._two + 1 if sight is Sight.TWO else 0
        match sight:
            case Sight.SAME:
                self.same += 1
                self._same_s = at_s
                self._others.clear()
                self._unlike = 0
            case Sight.OTHER:
                self._others.append(at_s)
                self._unlike += 1
            case Sight.UNLIKE:
                self._unlike += 1
            case _:
                pass
        self._judge(at_s)

    def excuse(self, at_s: float) -> None:
        """A picture came and was not looked at, because this process is behind."""
        if at_s <= self._last_s:
            return
        passed_s, self._last_s = at_s - self._last_s, at_s
        self._picture_s = at_s
        if self._excused_s + passed_s <= EXCUSED_S:
            self._excused_s += passed_s
            self._face_s += passed_s
            self._same_s += passed_s
        self._judge(at_s)

    def tick(self, now_s: float) -> None:
        """Time has passed, with or without pictures."""
        if not self.broken:
            self._judge(now_s)

    def break_for(self, cue: ContinuityCue) -> None:
        """Something outside the pictures ended it: another line, or nobody looked."""
        if not self.broken:
            self.state, self.cue = ContinuityState.BROKEN, cue

    def _judge(self, now_s: float) -> None:
        if (cue := self._breach(now_s)) is not None:
            self.break_for(cue)
            return
        self.cue = self._doubt(now_s)
        self.state = ContinuityState.HELD if self.cue is None else ContinuityState.UNCERTAIN

    def _breach(self, now_s: float) -> ContinuityCue | None:
        if len(self._others) >= OTHER_LOOKS and self._others[-1] - self._others[0] >= OTHER_S:
            return ContinuityCue.OTHER_FACE
        if self._unlike >= UNLIKE_LOOKS:
            return ContinuityCue.OTHER_FACE
        if self._two >= SECOND_LOOKS:
            return ContinuityCue.SECOND_FACE
        if self._still_since_s is not None and self._last_s - self._still_since_s >= FROZEN_S:
            return ContinuityCue.PICTURE_FROZEN
        if now_s - self._face_s > NO_FACE_S:
            without_picture = now_s - self._picture_s > NO_FACE_S / 2
            return ContinuityCue.NO_PICTURE if without_picture else ContinuityCue.NO_FACE
        return ContinuityCue.FACE_UNCLEAR if now_s - self._same_s > UNCLEAR_S else None

    def _doubt(self, now_s: float) -> ContinuityCue | None:
        if self._others or self._unlike > 1:
            return ContinuityCue.OTHER_FACE
        if self._two > 1:
            return ContinuityCue.SECOND_FACE
        if self._still_since_s is not None and self._last_s - self._still_since_s >= FROZEN_S / 2:
            return ContinuityCue.PICTURE_FROZEN
        if now_s - self._face_s > SETTLED_S:
            return ContinuityCue.NO_PICTURE if now_s - self._picture_s > SETTLED_S else ContinuityCue.NO_FACE
        return ContinuityCue.FACE_UNCLEAR if self.same == 0 or now_s - self._same_s > UNCLEAR_S / 3 else None
