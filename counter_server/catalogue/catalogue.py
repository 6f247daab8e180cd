"""What the counter offers. Data, not code: one TOML file per service in `services/`."""

import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from counter_server.errors import CounterError, StoppedError
from webrtc.wire.catalogue import Assurance, Channel, FieldKind, FormField, Risk, Route, ServiceOffer
from webrtc.wire.finger import FingerTask
from webrtc.wire.message import ErrorCode, Text

SERVICES = Path(__file__).parent / "services"
EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[a-z0-9.-]+\.[a-z0-9-]{2,63}", re.ASCII | re.IGNORECASE)  # as HTML's

STRENGTH = {
    Assurance.NONE: 0,
    Assurance.LIVE_PERSON: 1,
    Assurance.CHIP_AND_FACE: 2,
    Assurance.CHIP_AND_FINGER: 2,
    Assurance.CHIP_FACE_AND_FINGER: 3,
}

# What each door can prove today: a phone cannot read the chip until a companion relays it.
REACHED_BY = {Channel.KIOSK: Assurance.CHIP_AND_FACE, Channel.PHONE: Assurance.LIVE_PERSON}


class FingerUse(StrEnum):
    """What a service wants of a finger, where the door has a scanner."""

    ENROL = "enrol"  # the service is to register one, after chip and face
    ALSO = "also"  # compared after the face
    INSTEAD = "instead"  # compared instead of the face, where a finger of the holder is known; else the face


REACHED_WITH_FINGER = {
    FingerUse.ENROL: Assurance.CHIP_AND_FACE,
    FingerUse.ALSO: Assurance.CHIP_FACE_AND_FINGER,
    FingerUse.INSTEAD: Assurance.CHIP_AND_FINGER,
}


class ChecklistText(BaseModel):
    """One thing the clerk must look at, ask or say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    item_id: str
    text: Text


class Service(BaseModel):
    """One service: risk, form, checklist, document, approvals and what they rest on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service_id: str
    title: Text
    summary: Text
    risk: Risk
    minutes: int
    order: int
    self_service_from: Assurance | None = None  # absent: never without a clerk
    unattended_fmr: float | None = Field(default=None, gt=0, lt=1)
    """The false match rate an engine must keep in every group to accept somebody without a clerk."""
    passkey_self_service: bool = False
    """Whether a living face on a phone that showed its passkey of an earlier visit may do without a clerk."""
    clerk_from: Assurance
    finger: FingerUse | None = None
    needs_approval: bool
    document: str
    form: tuple[FormField, ...]
    checklist: tuple[ChecklistText, ...]

    def route(self, assurance: Assurance) -> Route:
        """How this service can be done with so much proven."""
        if self.self_service_from is not None and STRENGTH[assurance] >= STRENGTH[self.self_service_from]:
            return Route.SELF_SERVICE
        return Route.CLERK if STRENGTH[assurance] >= STRENGTH[self.clerk_from] else Route.NOT_HERE

    def finger_task(self, channel: Channel) -> FingerTask | None:
        """What this door's customers are asked to give a finger for."""
        if self.finger is None or channel is not Channel.KIOSK:
            return None
        return FingerTask.ENROL if self.finger is FingerUse.ENROL else FingerTask.COMPARE

    @model_validator(mode="after")
    def _says_how_sure_it_must_be(self) -> "Service":
        if (self.self_service_from is None) != (self.unattended_fmr is None):
            raise ValueError("self_service_from and unattended_fmr go together")
        if self.passkey_self_service and (self.risk is not Risk.LOW or self.self_service_from is None):
            raise ValueError("passkey_self_service is for low risk, and where there is a self-service at all")
        return self

    def engine_may_decide(self, fmr: float | None) -> bool:
        """Whether a face engine that promises this false match rate to every group may accept without a clerk."""
        return self.unattended_fmr is not None and fmr is not None and fmr <= self.unattended_fmr

    def offer(self, channel: Channel) -> ServiceOffer:
        """The service as this door's customers see it."""
        assurance = REACHED_BY[channel]
        if self.finger is not None and channel is Channel.KIOSK:
            assurance = REACHED_WITH_FINGER[self.finger]
        return ServiceOffer(
            service_id=self.service_id,
            title=self.title,
            summary=self.summary,
            risk=self.risk,
            route=self.route(assurance),
            assurance=assurance,
            minutes=self.minutes,
            form=self.form,
            needs_approval=self.needs_approval,
        )


Catalogue = Mapping[str, Service]


def load_catalogue(folder: Path = SERVICES) -> Catalogue:
    """Every service by id, in the order customers see them.

    Raises:
        StoppedError: a file is wrong; names file and key.
    """
    services = []
    for path in sorted(folder.glob("*.toml")):
        try:
            services.append(Service.model_validate({"service_id": path.stem, **tomllib.loads(path.read_text("utf-8"))}))
        except (UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
            raise StoppedError(f"{path}: {error}") from error
    return {service.service_id: service for service in sorted(services, key=lambda s: s.order)}


def check_form(form: tuple[FormField, ...], values: Mapping[str, str]) -> dict[str, str]:
    """The values, trimmed, in the form's order.

    Raises:
        CounterError: FORM_INVALID with the first field that is missing, unknown, too long or of the wrong kind.
    """
    known = {field.name for field in form}
    for name in values:
        if name not in known:
            raise CounterError(ErrorCode.BAD_REQUEST, "unknown form field", name)
    checked = {}
    for field in form:
        value = values.get(field.name, "").strip()
        if not _fits(field, value):
            raise CounterError(ErrorCode.FORM_INVALID, "missing or not of the asked kind", field.name)
        checked[field.name] = value
    return checked


def _fits(field: FormField, value: str) -> bool:
    if not value:
        return not field.required
    if len(value) > field.max_length or any(ord(character) < 32 for character in value):
        return False
    match field.kind:
        case FieldKind.TEXT:
            return True
        case FieldKind.TEL:
            return value.isascii() and value.lstrip("+").replace(" ", "").replace("-", "").isdigit()
        case FieldKind.EMAIL:
            return EMAIL.fullmatch(value) is not None
        case FieldKind.MONEY:
            if not (value.isascii() and value.isdigit()):
                return False
            amount = int(value)
            low = field.minimum is None or amount >= field.minimum
            return low and (field.maximum is None or amount <= field.maximum)
        case FieldKind.CHOICE:
            return any(choice.value == value for choice in field.choices)
