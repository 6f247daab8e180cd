"""TypeScript for everything in `webrtc.wire`: `python -m webrtc.web.wire_types` prints the text of `wire.ts`.

Reads the pydantic models themselves instead of their JSON schema, because the schema forgets the order, the names of
unions and which enum a field has. A field with a default is optional only in what a page *sends*; what a page
receives was serialised whole, so there every field is present.
"""

import datetime
import enum
import inspect
import sys
import types
import typing

from pydantic import BaseModel

from webrtc import wire

# Request bodies and live messages that a page composes: fields with a default may be left out.
SENT_BY_PAGE: tuple[type[BaseModel], ...] = (
    wire.OpenVisit,
    wire.RedeemLink,
    wire.GiveConsent,
    wire.CardAccess,
    wire.AskFinger,
    wire.SubmitForm,
    wire.PageSeen,
    wire.Point,
    wire.SignDocument,
    wire.Hello,
    wire.JoinCall,
    wire.Answer,
    wire.Candidate,
    wire.StartFace,
    wire.DeviceTrouble,
    wire.Ping,
    wire.Login,
    wire.SetChecklistItem,
    wire.Countersign,
    wire.RefuseVisit,
    wire.Approve,
)
# Between kiosk agent and counter only; no page ever holds the chip's files or a finger.
NOT_FOR_PAGES: tuple[type[BaseModel], ...] = (
    wire.ChipEvidenceMessage,
    wire.ChipChallenge,
    wire.AskChipOffer,
    wire.ChipOffer,
    wire.FingerEvidenceMessage,
    wire.Message,
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
    if isinstance(annotation, str):  # a forward reference inside `tuple["IceServer", ...]`
        return typescript_type(getattr(wire, annotation))
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
    """The whole text of `wire.ts`, in the order of `wire.py`."""
    parts = ["// Written by `python build_web.py --wire` from webrtc/wire.py. Change that file, not this one.\n"]
    for member in vars(wire).values():
        if inspect.isclass(member) and member.__module__ == wire.__name__:
            if issubclass(member, enum.Enum):
                parts.append(enum_text(member))
            elif issubclass(member, BaseModel) and member not in NOT_FOR_PAGES:
                parts.append(model_text(member))
    for name in ("FromPage", "ToPage"):
        union = typescript_type(getattr(wire, name)).replace(" | ", "\n  | ")
        parts.append(f"export type {name} =\n  | {union};\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(wire_text())
