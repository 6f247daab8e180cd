"""Whether the face that moves is still the one that was looked at first: one embedding every so often.

Two looks in a row must show somebody else, since one may be a blurred one; whoever flickers more often than twice is
somebody else all the same.
"""

from dataclasses import dataclass, field
from typing import Final

from biometrics.face.compare import erase
from biometrics.face.engine import Embedding
from biometrics.face.liveness.continuity import IdentityTrack

EVERY_S: Final = 0.4  # while the head is nearly straight
MOST_DOUBTS: Final = 2  # looks that may show a stranger for once


@dataclass(slots=True, repr=False)  # a face must not reach a log by way of repr
class Looks:
    """The looks of one check; `again` asks for one at the next picture, whatever the time."""

    track: IdentityTrack
    again: bool = field(default=False, init=False)
    _at_s: float = field(default=float("-inf"), init=False)
    _doubts: int = field(default=0, init=False)

    def due(self, at_s: float) -> bool:
        """Whether a nearly straight face should be looked at by then."""
        return at_s - self._at_s >= EVERY_S

    def somebody_else(self, embedding: Embedding, at_s: float, *, turned: bool) -> bool:
        """Take one look into account, and its embedding over; True when somebody else is there."""
        self._at_s = at_s
        if not self.again and self._doubts < MOST_DOUBTS and self.track.share(embedding, turned=turned) > 1:
            erase(embedding)
            self.again = True
            self._doubts += 1
            return False
        self.again = False
        return self.track.see(embedding, at_s, turned=turned)
