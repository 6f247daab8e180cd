"""What pages answer, put to a connection of aiortc: refused by one name whatever aiortc makes of it."""

import struct

from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.exceptions import InternalError, InvalidAccessError, InvalidStateError, OperationError
from aiortc.sdp import candidate_from_sdp

from webrtc.errors import BadDescriptionError

# Browsers send about ten.
EARLY_MAX = 64
# What aiortc raises on a description it cannot use: its own errors, and plain ones from inside its parser.
_DESCRIPTION_ERRORS = (
    ValueError,
    KeyError,
    IndexError,
    AttributeError,
    TypeError,
    AssertionError,
    ArithmeticError,
    RuntimeError,  # a StopIteration inside its parser
    OSError,
    struct.error,
    InternalError,
    InvalidAccessError,
    InvalidStateError,
    OperationError,
)


def without_unreachable_candidates(sdp: str) -> str:
    """The answer without `.local` candidates and without the end mark.

    Resolving mDNS names takes multicast that a counter's network rarely carries; the page's checks tell its address
    anyway (peer-reflexive, RFC 8445 §7.3.1.3). An end mark would let ICE fail before they arrive.
    """
    kept = [line for line in sdp.splitlines() if not (line.startswith("a=candidate:") and ".local " in line)]
    return "\r\n".join(line for line in kept if line != "a=end-of-candidates") + "\r\n"


class Answering:
    """The answers of one connection's page, and its candidates, which may overtake the first of them."""

    def __init__(self, connection: RTCPeerConnection):
        self._connection = connection
        self._answered = False
        self._early: list[tuple[str, str | None, int | None]] = []

    async def accept(self, sdp: str) -> None:
        """Apply the answer, then the candidates that came before it; raise `BadDescriptionError`."""
        description = RTCSessionDescription(sdp=without_unreachable_candidates(sdp), type="answer")
        try:
            await self._connection.setRemoteDescription(description)
        except _DESCRIPTION_ERRORS as error:
            raise BadDescriptionError(f"the answer cannot be used: {type(error).__name__}") from error
        self._answered = True
        early, self._early = self._early, []
        for candidate, sdp_mid, sdp_mline_index in early:
            await self.add_candidate(candidate, sdp_mid, sdp_mline_index)

    async def add_candidate(self, candidate: str, sdp_mid: str | None, sdp_mline_index: int | None) -> None:
        """Apply a trickled candidate; raise `BadDescriptionError`."""
        if not candidate or ".local " in candidate:
            return
        if not self._answered:
            if len(self._early) < EARLY_MAX:
                self._early.append((candidate, sdp_mid, sdp_mline_index))
            return
        try:
            parsed = candidate_from_sdp(candidate.removeprefix("candidate:"))
            parsed.sdpMid, parsed.sdpMLineIndex = sdp_mid, sdp_mline_index
            await self._connection.addIceCandidate(parsed)
        except _DESCRIPTION_ERRORS as error:
            raise BadDescriptionError(f"the candidate cannot be used: {type(error).__name__}") from error
