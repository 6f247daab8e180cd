"""Who comes into a call beside customer and clerk."""

from enum import StrEnum

from pydantic import Field

from webrtc.wire.message import Language, Message, ShortText, Text


class SupervisionMode(StrEnum):
    """How a third person takes part in a call."""

    LISTEN = "listen"
    WHISPER = "whisper"  # to the clerk alone
    JOIN = "join"  # seen and heard by both, and recorded


class ThirdKind(StrEnum):
    """What somebody beside customer and clerk is there for."""

    SUPERVISOR = "supervisor"
    INTERPRETER = "interpreter"
    COLLEAGUE = "colleague"


class ThirdPerson(Message):
    """Who else is in the call, as far as policy tells this side."""

    name: str
    mode: SupervisionMode
    kind: ThirdKind = ThirdKind.SUPERVISOR


class RunningCall(Message):
    """A call that a supervisor may take part in; nothing personal."""

    visit_id: str
    ticket_number: str
    service_title: Text
    clerk_name: str
    mode: SupervisionMode | None = Field(default=None, description="how the one who looks takes part now")


class Colleague(Message):
    """Somebody at a console who is free to come into a call."""

    clerk_id: str
    name: str
    kind: ThirdKind


class InvitationView(Message):
    """A call this clerk was asked into, or takes part in by invitation; nothing personal."""

    visit_id: str
    ticket_number: str
    service_title: Text
    clerk_name: str
    language: Language
    joined: bool


class Supervise(Message):
    """POST /api/console/visits/{id}/supervision by a supervisor; null leaves. Journaled, told as policy decides."""

    mode: SupervisionMode | None


class Invite(Message):
    """POST /api/console/visits/{id}/invitation by the clerk who serves it; null takes it back. Journaled."""

    clerk_id: ShortText | None


class AnswerInvitation(Message):
    """POST /api/console/visits/{id}/invitation/answer; declining after having joined leaves. Journaled."""

    accept: bool
