"""What the counter offers, through which door, and how sure it has to be of whom."""

from enum import StrEnum

from pydantic import Field

from webrtc.wire.message import Message, Text


class Risk(StrEnum):
    """Risk tier of a service."""

    LOW = "low"
    HIGH = "high"


class Assurance(StrEnum):
    """How much is proven about who is in front of the camera, weakest first."""

    NONE = "none"
    LIVE_PERSON = "live_person"  # a living face followed a random instruction; nothing says whose
    CHIP_AND_FACE = "chip_and_face"  # genuine chip, and its portrait is the living face
    CHIP_AND_FINGER = "chip_and_finger"  # genuine chip, and a finger its holder is known by
    CHIP_FACE_AND_FINGER = "chip_face_and_finger"  # both


class Channel(StrEnum):
    """The door a customer came through."""

    KIOSK = "kiosk"
    PHONE = "phone"


class FieldKind(StrEnum):
    """How a form field is typed and checked."""

    TEXT = "text"
    MONEY = "money"  # whole yuan, digits only
    TEL = "tel"
    EMAIL = "email"  # one address, as mail servers take it
    CHOICE = "choice"


class Choice(Message):
    """One option of a `choice` field."""

    value: str
    label: Text


class FormField(Message):
    """One question of a service's form."""

    name: str
    kind: FieldKind
    label: Text
    hint: Text | None = None
    max_length: int = 120
    required: bool = True
    choices: tuple[Choice, ...] = ()
    minimum: int | None = None
    maximum: int | None = None


class Route(StrEnum):
    """What a service can be done by, through one door."""

    SELF_SERVICE = "self_service"
    CLERK = "clerk"
    NOT_HERE = "not_here"


class ServiceOffer(Message):
    """One service as the customer sees it before choosing."""

    service_id: str
    title: Text
    summary: Text
    risk: Risk
    route: Route = Field(description="for the door that asked")
    assurance: Assurance = Field(description="what this door can reach and the service then relies on")
    minutes: int = Field(description="how long it usually takes, without waiting")
    form: tuple[FormField, ...]
    needs_approval: bool


class CatalogueView(Message):
    """GET /api/catalogue."""

    channel: Channel
    services: tuple[ServiceOffer, ...]
    waiting: int = Field(description="people in the queue now")
    clerks_ready: int
