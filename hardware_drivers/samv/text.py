"""The 256 bytes of text on a card: four layouts, UTF-16LE, fields padded with spaces.

At offset 248 stands the letter that tells the layouts apart; a citizen's card has a space there. Sources: research
id_card.md §7; 港澳台居民居住证机读信息规范(试行版); 外国人永久居留身份证机读信息规则, 2017 and 2023.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.samv.id_number import is_digits

TEXT_BYTES = 256
TYPE_OFFSET = 248
LONG_TERM = "长期"  # stands in place of the last day on cards that do not expire
PADDING = " \0"


class CardKind(StrEnum):
    """The letter at offset 248."""

    CITIZEN = " "
    HK_MACAU_TAIWAN = "J"
    FOREIGNER_2017 = "I"
    FOREIGNER_2023 = "Y"


class Part(StrEnum):
    """Every field of the four layouts; what nobody may rely on is `RESERVED`."""

    CHINESE_NAME = "chinese_name"
    ENGLISH_NAME = "english_name"
    ENGLISH_NAME_MORE = "english_name_more"
    SEX = "sex"
    ETHNIC_GROUP = "ethnic_group"
    BIRTH = "birth"
    ADDRESS = "address"
    NUMBER = "number"
    AUTHORITY = "authority"
    VALID_FROM = "valid_from"
    VALID_UNTIL = "valid_until"
    PASS_NUMBER = "pass_number"  # noqa: S105  # of the travel pass, not a password
    ISSUES = "issues"
    RENEWALS = "renewals"
    NATIONALITY = "nationality"
    VERSION = "version"
    AGENCY = "agency"
    ASSOCIATED = "associated"
    TYPE = "type"
    RESERVED = "reserved"


# Field and its size in bytes, in order.
LAYOUTS: Mapping[CardKind, tuple[tuple[Part, int], ...]] = {
    CardKind.CITIZEN: (
        (Part.CHINESE_NAME, 30),
        (Part.SEX, 2),
        (Part.ETHNIC_GROUP, 4),
        (Part.BIRTH, 16),
        (Part.ADDRESS, 70),
        (Part.NUMBER, 36),
        (Part.AUTHORITY, 30),
        (Part.VALID_FROM, 16),
        (Part.VALID_UNTIL, 16),
        (Part.RESERVED, 28),
        (Part.TYPE, 2),  # inside the 36 reserved bytes of this layout
        (Part.RESERVED, 6),
    ),
    CardKind.HK_MACAU_TAIWAN: (
        (Part.CHINESE_NAME, 30),
        (Part.SEX, 2),
        (Part.RESERVED, 4),
        (Part.BIRTH, 16),
        (Part.ADDRESS, 70),
        (Part.NUMBER, 36),
        (Part.AUTHORITY, 30),
        (Part.VALID_FROM, 16),
        (Part.VALID_UNTIL, 16),
        (Part.PASS_NUMBER, 18),
        (Part.ISSUES, 4),
        (Part.RESERVED, 6),
        (Part.TYPE, 2),
        (Part.RESERVED, 6),
    ),
    CardKind.FOREIGNER_2017: (
        (Part.ENGLISH_NAME, 120),
        (Part.SEX, 2),
        (Part.NUMBER, 30),
        (Part.NATIONALITY, 6),
        (Part.CHINESE_NAME, 30),
        (Part.VALID_FROM, 16),
        (Part.VALID_UNTIL, 16),
        (Part.BIRTH, 16),
        (Part.VERSION, 4),
        (Part.AGENCY, 8),
        (Part.TYPE, 2),
        (Part.RESERVED, 6),
    ),
    CardKind.FOREIGNER_2023: (
        (Part.CHINESE_NAME, 30),
        (Part.SEX, 2),
        (Part.RENEWALS, 4),
        (Part.BIRTH, 16),
        (Part.ENGLISH_NAME, 70),
        (Part.NUMBER, 36),
        (Part.RESERVED, 30),
        (Part.VALID_FROM, 16),
        (Part.VALID_UNTIL, 16),
        (Part.ENGLISH_NAME_MORE, 22),
        (Part.NATIONALITY, 6),
        (Part.TYPE, 2),
        (Part.ASSOCIATED, 6),
    ),
}

# What a card of that layout cannot be without.
NEEDED = {
    CardKind.CITIZEN: (Part.CHINESE_NAME, Part.ADDRESS, Part.AUTHORITY),
    CardKind.HK_MACAU_TAIWAN: (Part.CHINESE_NAME, Part.ADDRESS, Part.AUTHORITY),
    CardKind.FOREIGNER_2017: (Part.ENGLISH_NAME,),
    CardKind.FOREIGNER_2023: (Part.ENGLISH_NAME,),
}
NUMBER_CHARACTERS = {
    CardKind.CITIZEN: 18,
    CardKind.HK_MACAU_TAIWAN: 18,
    CardKind.FOREIGNER_2017: 15,
    CardKind.FOREIGNER_2023: 18,
}


@dataclass(frozen=True, slots=True)
class CardText:
    """A card's fields as they stand on it, padding removed; empty where the card leaves them empty.

    Attributes:
        fields: Every field its layout has, reserved ones and the type letter left out.
    """

    kind: CardKind
    fields: Mapping[Part, str]

    def __getitem__(self, part: Part) -> str:
        """That field, empty when this layout has none."""
        return self.fields.get(part, "")

    @property
    def english_name(self) -> str:
        """The name in Latin letters, both parts of the 2023 layout joined."""
        return self[Part.ENGLISH_NAME] + self[Part.ENGLISH_NAME_MORE]

    @property
    def is_long_term(self) -> bool:
        """Whether the card never expires."""
        return self[Part.VALID_UNTIL] == LONG_TERM


def parse_text(raw: bytes) -> CardText:
    """The fields of a card's text.

    Raises:
        MalformedFileError: It is not one of the four layouts; `field` says where.
    """
    if len(raw) != TEXT_BYTES:
        raise MalformedFileError("text", f"{len(raw)} bytes in place of {TEXT_BYTES}")
    letter = _decode(raw[TYPE_OFFSET : TYPE_OFFSET + 2], "type").strip(PADDING) or CardKind.CITIZEN.value
    if letter not in CardKind.__members__.values():
        raise MalformedFileError("type", "no layout has this letter")
    kind = CardKind(letter)
    fields: dict[Part, str] = {}
    at = 0
    for part, size in LAYOUTS[kind]:
        if part not in (Part.RESERVED, Part.TYPE):
            fields[part] = _decode(raw[at : at + size], part.value).rstrip(PADDING)
        at += size
    _check_shape(kind, fields)
    return CardText(kind, fields)


def decode_address(raw: bytes) -> str:
    """One added address of 70 bytes; `MalformedFileError` when it is no text."""
    return _decode(raw, "added_address").rstrip(PADDING)


def encode_text(text: CardText) -> bytes:
    """The 256 bytes of that text, for emulated cards; `ValueError` when a field does not fit."""
    encoded = b""
    for part, size in LAYOUTS[text.kind]:
        field = text.kind.value if part is Part.TYPE else text[part]
        if len(field.encode("utf-16-le")) > size:
            raise ValueError(f"{part.value} is longer than {size} bytes")
        padding = " " * ((size - len(field.encode("utf-16-le"))) // 2)
        encoded += (field + padding).encode("utf-16-le")
    return encoded


def _decode(raw: bytes, field: str) -> str:
    """UTF-16LE without control characters; characters of private use stay, old cards spell rare names with them."""
    try:
        text = raw.decode("utf-16-le")
    except UnicodeDecodeError as error:
        raise MalformedFileError(field, "not UTF-16LE") from error
    if any(character < " " or "\x7f" <= character <= "\x9f" for character in text.rstrip(PADDING)):
        raise MalformedFileError(field, "holds control characters")
    return text


def _check_shape(kind: CardKind, fields: Mapping[Part, str]) -> None:
    """What every card of this kind has: raise `MalformedFileError` for the first field that breaks it.

    Whether days exist, digits fit and codes are in their tables is judged in `verify`, one named check each.
    """
    for part in NEEDED[kind]:
        if not fields[part]:
            raise MalformedFileError(part.value, "empty")
    for part in (Part.BIRTH, Part.VALID_FROM):
        if len(fields[part]) != 8 or not is_digits(fields[part]):
            raise MalformedFileError(part.value, "not eight digits")
    until = fields[Part.VALID_UNTIL]
    if until != LONG_TERM and (len(until) != 8 or not is_digits(until)):
        raise MalformedFileError(Part.VALID_UNTIL.value, "neither eight digits nor 长期")
    if len(fields[Part.NUMBER]) != NUMBER_CHARACTERS[kind]:
        raise MalformedFileError(Part.NUMBER.value, f"not {NUMBER_CHARACTERS[kind]} characters")
