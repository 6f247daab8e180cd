"""DG12, more about the document: Doc 9303-10 §4.7.12."""

from dataclasses import dataclass
from datetime import datetime

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.detail_fields import (
    PartialDate,
    PersonName,
    full_date,
    optional_text,
    parse_details,
    person_name,
    text,
)

AUTHORITY, DATE_OF_ISSUE, OTHER_PERSON, ENDORSEMENTS = 0x5F19, 0x5F26, 0x5F1A, 0x5F1B  # table 56
TAX_OR_EXIT, FRONT, REAR, PERSONALISED_AT, PERSONALISED_BY = 0x5F1C, 0x5F1D, 0x5F1E, 0x5F55, 0x5F56
KNOWN = frozenset({AUTHORITY, DATE_OF_ISSUE, ENDORSEMENTS, TAX_OR_EXIT, FRONT, REAR, PERSONALISED_AT, PERSONALISED_BY})
MOMENT_DIGITS = 14


@dataclass(frozen=True, slots=True)
class DocumentDetails:
    """What the state says about the document; None or empty where it says nothing.

    Attributes:
        front, rear: Pictures of the document, still encoded.
        personalised_at: Local time of the issuer, without zone, as the standard has none.
    """

    issuing_authority: str | None
    date_of_issue: PartialDate | None
    other_persons: tuple[PersonName, ...]
    endorsements: str | None
    tax_or_exit_requirements: str | None
    front: bytes | None
    rear: bytes | None
    personalised_at: datetime | None
    personalised_by: str | None


def parse_dg12(content: bytes) -> DocumentDetails:
    """The details in DG12."""
    objects = parse_details(content, 12, KNOWN, OTHER_PERSON)
    return DocumentDetails(
        issuing_authority=optional_text(objects, AUTHORITY, "issuing authority"),
        date_of_issue=full_date("date of issue", objects[DATE_OF_ISSUE][0]) if DATE_OF_ISSUE in objects else None,
        other_persons=tuple(person_name("other person", one) for one in objects.get(OTHER_PERSON, [])),
        endorsements=optional_text(objects, ENDORSEMENTS, "endorsements"),
        tax_or_exit_requirements=optional_text(objects, TAX_OR_EXIT, "tax or exit requirements"),
        front=objects[FRONT][0] if FRONT in objects else None,
        rear=objects[REAR][0] if REAR in objects else None,
        personalised_at=_moment(objects[PERSONALISED_AT][0]) if PERSONALISED_AT in objects else None,
        personalised_by=optional_text(objects, PERSONALISED_BY, "personalisation system"),
    )


def _moment(encoded: bytes) -> datetime:
    """CCYYMMDDhhmmss in fourteen characters, or in seven bytes as LDS 1.7 wrote it."""
    field = "personalisation time"
    digits = encoded.hex() if len(encoded) == MOMENT_DIGITS // 2 else text(field, encoded)
    if len(digits) != MOMENT_DIGITS or not (digits.isascii() and digits.isdigit()):
        raise MalformedFileError(field, f"{len(digits)} characters")
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S")
    except ValueError as error:
        raise MalformedFileError(field, "no moment of the calendar") from error
