"""What DG11 and DG12 have in common: a list of tags, text in UTF-8, dates in two encodings, lists of names."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.files import DATA_GROUP_TAGS

TAG_LIST, COUNTED, COUNT = 0x5C, 0xA0, 0x02  # Doc 9303-10 §4.7.11, table 55
NAMES_MAX = 9  # the count is one digit
DATE_DIGITS = 8
FILLER = "<"


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A day of which a part may be unknown (Doc 9303-3 §4.8)."""

    year: int | None
    month: int | None
    day: int | None


@dataclass(frozen=True, slots=True)
class PersonName:
    """A name as the document writes it, not folded into A to Z."""

    surname: str
    given_names: str


def parse_details(content: bytes, number: int, known: Collection[int], names_tag: int) -> dict[int, list[bytes]]:
    """The objects of a details group by tag; those of the counted list under `names_tag`.

    `MalformedFileError` for an object nobody knows, one that comes twice, or a count that is wrong.
    """
    name = f"DG{number}"
    found: dict[int, list[bytes]] = {}
    objects = tlv.parse_all(tlv.only(content, DATA_GROUP_TAGS[number]))
    if not objects or objects[0].tag != TAG_LIST:
        raise MalformedFileError(name, "does not begin with its tag list")
    for one in objects[1:]:
        if one.tag in found or one.tag not in (*known, COUNTED):
            raise MalformedFileError(name, f"object {one.tag:X} is unknown or comes twice")
        if one.tag == COUNTED:
            found[names_tag] = _counted(name, one.value, names_tag)
        else:
            found[one.tag] = [one.value]
    return found


def _counted(name: str, content: bytes, tag: int) -> list[bytes]:
    """The content-specific list: how many, then that many."""
    objects = tlv.parse_all(content)
    count = tlv.pick(objects, COUNT)
    values = [one.value for one in objects if one.tag == tag]
    if len(count) != 1 or count[0] != len(values) or len(values) > NAMES_MAX or len(objects) != len(values) + 1:
        raise MalformedFileError(name, f"{len(values)} entries do not fit their count")
    return values


def text(field: str, encoded: bytes) -> str:
    """Text in UTF-8 (Doc 9303-10 §4.7.11), without control characters."""
    try:
        decoded = encoded.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedFileError(field, "is no UTF-8") from error
    if any(character < " " or character == "\x7f" for character in decoded):
        raise MalformedFileError(field, "holds control characters")
    return decoded


def optional_text(objects: Mapping[int, list[bytes]], tag: int, field: str) -> str | None:
    """The text of that object, fillers between its parts as they stand; None where it is absent."""
    return text(field, objects[tag][0]) if tag in objects else None


def optional_lines(objects: Mapping[int, list[bytes]], tag: int, field: str) -> tuple[str, ...]:
    """The parts of a text that fillers separate, such as an address."""
    whole = optional_text(objects, tag, field) or ""
    return tuple(part for part in whole.split(FILLER) if part)


def person_name(field: str, encoded: bytes) -> PersonName:
    """Surname and given names, `<<` between them, `<` for a space."""
    surname, _, given = text(field, encoded).partition(FILLER * 2)
    return PersonName(surname.replace(FILLER, " ").strip(), given.replace(FILLER, " ").strip())


def full_date(field: str, encoded: bytes) -> PartialDate:
    """CCYYMMDD in eight characters, or in four bytes of two digits each as LDS 1.7 wrote it."""
    digits = encoded.hex() if len(encoded) == DATE_DIGITS // 2 else text(field, encoded)
    if len(digits) != DATE_DIGITS:
        raise MalformedFileError(field, f"{len(digits)} digits")
    year, month, day = (_part(field, part) for part in (digits[:4], digits[4:6], digits[6:]))
    if not (month is None or month <= 12) or not (day is None or day <= 31):
        raise MalformedFileError(field, "no day of the calendar")
    return PartialDate(year, month, day)


def _part(field: str, digits: str) -> int | None:
    """A number, or None where it is zeros or fillers."""
    if not digits.strip("0") or not digits.strip(FILLER):
        return None
    if not (digits.isascii() and digits.isdigit()):
        raise MalformedFileError(field, "holds something other than digits")
    return int(digits)
