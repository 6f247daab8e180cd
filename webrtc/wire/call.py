"""The call: its legs, how good its line is, and what goes wrong with a device."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from webrtc.wire.message import Message, ShortText


class Line(StrEnum):
    """State of one side's pictures and sound, judged by packets that arrive."""

    NONE = "none"
    CONNECTING = "connecting"
    OK = "ok"
    LOST = "lost"


class LineWay(StrEnum):
    """How a page's pictures and sound can reach the counter."""

    DIRECT = "direct"  # UDP, as it should be
    RELAY = "relay"  # only through the operator's TURN server
    NONE = "none"


class LineVerdict(StrEnum):
    """What a measured line is good for."""

    GOOD = "good"  # for video
    COARSE = "coarse"  # it works; the picture is coarse, sound comes first
    NOT_NOW = "not_now"


class LineCheck(Message):
    """What the page measured over a `check` leg before the queue; ends that leg. Told to the clerk, journaled."""

    type: Literal["line_check"] = "line_check"
    verdict: LineVerdict
    way: LineWay
    round_trip_ms: Annotated[int, Field(ge=0, le=60_000)] | None = None
    loss_percent: Annotated[float, Field(ge=0, le=100, description="of the worse direction")] | None = None
    kbit_s: Annotated[int, Field(ge=0, le=10_000_000, description="of the narrower direction")] | None = None


class ShownKind(StrEnum):
    """What a customer sends as a second picture."""

    DOCUMENT = "document"  # another camera, over papers
    SCREEN = "screen"


class ShowPicture(Message):
    """The customer begins to show something beside themselves, or no longer does (null). Journaled and recorded."""

    type: Literal["show"] = "show"
    what: ShownKind | None


class DeviceTrouble(Message):
    """The page could not get its camera or microphone; told to the clerk and journaled."""

    type: Literal["device_trouble"] = "device_trouble"
    device: Literal["camera", "microphone"]
    trouble: Literal["refused", "missing", "busy", "ended"]


class CallPart(StrEnum):
    """Which of a page's legs. Nothing is mixed, so whoever takes part beside the two comes over more of them."""

    MAIN = "main"
    THIRD = "third"  # customer or clerk: whoever joined them
    WATCH_CUSTOMER = "watch-customer"  # a supervisor: the customer, and the supervisor's own voice
    WATCH_CLERK = "watch-clerk"  # a supervisor: the clerk
    SHOWN = "shown"  # the customer's second picture: sent by one leg, seen by the clerk on another
    CHECK = "check"  # a customer before the queue: what is sent comes back, to measure the line


class JoinCall(Message):
    """The page has camera and microphone and wants its leg; answered by an `offer`. Also used to rejoin."""

    type: Literal["join"] = "join"
    part: CallPart = CallPart.MAIN


class RestartLeg(Message):
    """The line of a leg that was up has gone quiet: another way is wanted; answered by an `offer` for the same leg."""

    type: Literal["restart"] = "restart"
    leg_id: ShortText


class Answer(Message):
    """The page's SDP answer."""

    type: Literal["answer"] = "answer"
    leg_id: ShortText
    sdp: Annotated[str, StringConstraints(max_length=60_000)]


class Candidate(Message):
    """A trickled ICE candidate of the page; null ends them."""

    type: Literal["candidate"] = "candidate"
    leg_id: ShortText
    candidate: Annotated[str, StringConstraints(max_length=2_000)] | None
    sdp_mid: ShortText | None = None
    sdp_mline_index: int | None = None


class IceServer(Message):
    """A TURN server with credentials good for minutes."""

    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = None


class OfferMessage(Message):
    """The counter offers a leg: one audio and one video section, both sendrecv."""

    type: Literal["offer"] = "offer"
    part: CallPart = CallPart.MAIN
    leg_id: str
    sdp: str
    ice_servers: tuple[IceServer, ...] = ()


class RejoinMessage(Message):
    """The page's leg is gone or is needed on another worker: join again now."""

    type: Literal["rejoin"] = "rejoin"
    part: CallPart = CallPart.MAIN


class SetCall(Message):
    """POST /api/console/visits/{id}/call: let the customer wait, switch the own microphone off. Journaled."""

    held: bool
    muted: bool
