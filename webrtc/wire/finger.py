"""The finger: what is asked for, what the scanner gave, and what it came to."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Base64Bytes, Field, StringConstraints

from webrtc.wire.check import Verdict
from webrtc.wire.message import Message, ShortText


class FingerTask(StrEnum):
    """What a finger is asked for."""

    ENROL = "enrol"  # several impressions, kept as a template for later visits
    COMPARE = "compare"  # with what is known of the holder


class FingerAdvice(StrEnum):
    """The one thing to change before the next impression."""

    NO_FINGER = "no_finger"
    LIFTED_EARLY = "lifted_early"
    PRESS_MORE = "press_more"
    TOO_DRY = "too_dry"
    TOO_WET = "too_wet"
    MOVE_TO_MIDDLE = "move_to_middle"
    HOLD_STILL = "hold_still"
    CLEAN_GLASS = "clean_glass"
    USE_MORE_OF_PAD = "use_more_of_pad"
    SAME_FINGER = "same_finger"  # of an enrolment: not the finger that was given first
    NOT_ALIKE = "not_alike"  # clear enough, and not the finger that is known
    SENSOR_DOUBTS = "sensor_doubts"  # the sensor itself took it for an imitation


class FingerView(Message):
    """What the finger step asks for and came to. No bare score leaves the counter."""

    task: FingerTask
    position: int = Field(ge=1, le=10, description="ISO/IEC 19794-2: 1 to 5 right thumb to little finger, 6 to 10 left")
    taken: int = Field(default=0, description="impressions that counted so far")
    wanted: int = 1
    advice: FingerAdvice | None = None
    verdict: Verdict | None = Field(default=None, description="None until it is decided, and for an enrolment")
    compared: bool = False
    fmr_upper: float | None = Field(default=None, description="upper bound of a stranger's chance, tries included")
    comparisons: int | None = Field(default=None, description="impostor comparisons behind that bound")
    engine: str = ""
    cannot: bool = Field(default=False, description="no finger could be given: a clerk and a second person decide")
    attempts_left: int = 0
    transaction: str = Field(default="", description="drawn for the next picture, where a device has to sign for it")


FingerPosition = Annotated[
    int, Field(ge=0, le=10, description="ISO/IEC 19794-2: 1 to 5 right thumb to little finger, 6 to 10 left, 0 unknown")
]


class AskFinger(Message):
    """POST /api/visits/{id}/finger on the kiosk agent: wait for this finger and hand its picture to the counter."""

    position: FingerPosition
    transaction: Annotated[str, StringConstraints(pattern="^(?:[0-9a-f]{32})?$")] = Field(
        default="", description="as in FingerView: what a device that signs is to sign with the picture"
    )


class PadVerdict(StrEnum):
    """What a scanner itself says about an imitation. Only a sensor that looks for one may say anything."""

    LIVE = "live"
    ATTACK = "attack"
    NOT_JUDGED = "not_judged"


class SensorPad(Message):
    """The scanner's own verdict on presentation attacks, with whoever gave it. Never a claim of our software."""

    verdict: PadVerdict = PadVerdict.NOT_JUDGED
    source: Annotated[str, StringConstraints(max_length=80)] = ""
    score: float | None = Field(default=None, description="on the source's own scale")


class FingerEvidenceMessage(Message):
    """POST /api/kiosk/visits/{id}/finger, kiosk agent to counter: one picture of a finger, as the scanner gave it."""

    position: FingerPosition = Field(description="what was asked for; a scanner cannot see which finger it is")
    image_png: Annotated[Base64Bytes, Field(max_length=3_000_000, description="grey, 8 bits, ridges dark")]
    dpi: Annotated[int, Field(ge=100, le=1200)]
    scanner: ShortText = Field(description="maker, model and serial number")
    sensor_pad: SensorPad = SensorPad()
    quality: Annotated[int, Field(ge=0, le=100, description="a hint of the desk's, from area and contrast")] | None = (
        None
    )
    attempt: Annotated[int, Field(ge=1, le=100, description="of this visit and finger at this desk")] = 1
    capture_ms: Annotated[int, Field(ge=0)] = 0
    device_statement: Annotated[
        Base64Bytes,
        Field(
            max_length=3_000_000, description="what the scanner signed (SBI: JWS with the record), for a second check"
        ),
    ] = b""


class CannotGiveFinger(Message):
    """POST /api/visits/{id}/finger-cannot: people decide instead. Nothing is lost by it and nobody asks why."""

    why: Literal["customer", "no_scanner"] = "customer"
