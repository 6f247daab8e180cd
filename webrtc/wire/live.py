"""The live channel: one WebSocket per page, and what it may carry in each direction."""

from typing import Annotated, Literal

from pydantic import Field

from webrtc.wire.call import (
    Answer,
    Candidate,
    DeviceTrouble,
    JoinCall,
    LineCheck,
    OfferMessage,
    RejoinMessage,
    RestartLeg,
    ShowPicture,
)
from webrtc.wire.console import ConsoleView
from webrtc.wire.face import AskAnotherMovement, Guidance, StartFace, StopColours
from webrtc.wire.message import ErrorBody, Message, Token
from webrtc.wire.visit import VisitView


class Hello(Message):
    """First message of a customer's page on /api/visits/{id}/live; a console is known by its cookie and sends none."""

    type: Literal["hello"] = "hello"
    visit_token: Token


class Ping(Message):
    """Every 3 s; a page that is silent for 10 s counts as gone for now."""

    type: Literal["ping"] = "ping"


FromPage = Annotated[
    Hello
    | JoinCall
    | RestartLeg
    | Answer
    | Candidate
    | StartFace
    | AskAnotherMovement
    | StopColours
    | DeviceTrouble
    | LineCheck
    | ShowPicture
    | Ping,
    Field(discriminator="type"),
]


class ViewMessage(Message):
    """The visit changed."""

    type: Literal["view"] = "view"
    view: VisitView


class GuidanceMessage(Message):
    """What the camera wants now."""

    type: Literal["guidance"] = "guidance"
    guidance: Guidance


class ErrorMessage(Message):
    """A live message could not be done; the connection stays."""

    type: Literal["error"] = "error"
    error: ErrorBody


class ConsoleMessage(Message):
    """The console changed."""

    type: Literal["console"] = "console"
    console: ConsoleView


ToPage = Annotated[
    ViewMessage | ConsoleMessage | OfferMessage | RejoinMessage | GuidanceMessage | ErrorMessage,
    Field(discriminator="type"),
]
