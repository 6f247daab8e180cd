"""TypeScript for everything in `webrtc.wire`: `python -m webrtc.web.wire_types` prints the text of `wire.ts`.

Reads the pydantic models themselves instead of their JSON schema, because the schema forgets the order, the names of
unions and which enum a field has. A field with a default is optional only in what a page *sends*; what a page
receives was serialised whole, so there every field is present.
"""

import datetime
import enum
import importlib
import inspect
import pkgutil
import sys
import types
import typing

from pydantic import BaseModel

from webrtc import wire
from webrtc.wire.call import Answer, Candidate, DeviceTrouble, JoinCall
from webrtc.wire.card import AskChipOffer, CardAccess, ChipChallenge, ChipEvidenceMessage, ChipOffer
from webrtc.wire.console import Approve, Countersign, Login, RefuseVisit, SetChecklistItem
from webrtc.wire.face import StartFace
from webrtc.wire.finger import AskFinger, FingerEvidenceMessage
from webrtc.wire.live import FromPage, Hello, Ping, ToPage
from webrtc.wire.message import Message
from webrtc.wire.visit import GiveConsent, OpenVisit, PageSeen, Point, RedeemLink, SignDocument, SubmitForm

# Request bodies and live messages that a page composes: fields with a default may be left out.
SENT_BY_PAGE: tuple[type[BaseModel], ...] = (
    OpenVisit,
    RedeemLink,
    GiveConsent,
    CardAccess,
    AskFinger,
    SubmitForm,
    PageSeen,
    Point,
    SignDocument,
    Hello,
    JoinCall,
    Answer,
    Candidate,
    StartFace,
    DeviceTrouble,
    Ping,
    Login,
    SetChecklistItem,
    Countersign,
    RefuseVisit,
    Approve,
)
# Between kiosk agent and counter only; no page ever holds the chip's files or a finger.
NOT_FOR_PAGES: tuple[type[BaseModel], ...] = (
    ChipEvidenceMessage,
    ChipChallenge,
    AskChipOffer,
    ChipOffer,
    FingerEvidenceMessage,
    Message,
)

PRIMITIVES: dict[object, str] = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    type(None): "null",
    datetime.date: "string",
    datetime.datetime: "string",
}


def typescript_type(annotation: object) -> str:
    """The TypeScript type of one annotation of a wire model.

    Raises:
        TypeError: for an annotation this generator has no rule for, so that nothing becomes `any` in silence.
    """
    if annotation in PRIMITIVES:
        return PRIMITIVES[annotation]
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum | BaseModel):
        return annotation.__name__
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return typescript_type(arguments[0])
    if origin is typing.Literal:
        return " | ".join("true" if value is True else f'"{value}"' for value in arguments)
    if origin in (typing.Union, types.UnionType):
        return " | ".join(typescript_type(argument) for argument in arguments)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        inner = typescript_type(arguments[0])
        return f"readonly ({inner})[]" if " " in inner else f"readonly {inner}[]"
    if origin is dict:
        return f"Readonly<Record<{typescript_type(arguments[0])}, {typescript_type(arguments[1])}>>"
    raise TypeError(f"no TypeScript rule for {annotation!r}")


def comment(text: str | None, indent: str = "") -> str:
    """A one-line doc comment, or nothing."""
    first = " ".join((text or "").split())
    return f"{indent}/** {first} */\n" if first else ""


def enum_text(member: type[enum.Enum]) -> str:
    """A constant array of the enum's values and the union type made from it."""
    constant = "".join(f"_{letter}" if letter.isupper() else letter for letter in member.__name__).lstrip("_").upper()
    values = "".join(f'  "{value.value}",\n' for value in member)
    return (
        f"{comment(member.__doc__)}export const {constant}S = [\n{values}] as const;\n"
        f"export type {member.__name__} = (typeof {constant}S)[number];\n"
    )


def model_text(model: type[BaseModel]) -> str:
    """An interface with every field of the model."""
    lines = [f"{comment(model.__doc__)}export interface {model.__name__} {{\n"]
    for name, field in model.model_fields.items():
        optional = model in SENT_BY_PAGE and not field.is_required() and name != "type"
        lines.append(comment(field.description, "  "))
        lines.append(f"  readonly {name}{'?' if optional else ''}: {typescript_type(field.annotation)};\n")
    return "".join([*lines, "}\n"])


def wire_text() -> str:
    """The whole text of `wire.ts`, module by module."""
    parts = ["// Written by `python build_web.py --wire` from webrtc/wire. Change those models, not this file.\n"]
    for found in pkgutil.iter_modules(wire.__path__, f"{wire.__name__}."):
        for member in vars(importlib.import_module(found.name)).values():
            if inspect.isclass(member) and member.__module__ == found.name:
                if issubclass(member, enum.Enum):
                    parts.append(enum_text(member))
                elif issubclass(member, BaseModel) and member not in NOT_FOR_PAGES:
                    parts.append(model_text(member))
    for name, messages in (("FromPage", FromPage), ("ToPage", ToPage)):
        union = typescript_type(messages).replace(" | ", "\n  | ")
        parts.append(f"export type {name} =\n  | {union};\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(wire_text())
