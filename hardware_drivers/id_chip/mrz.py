"""The machine readable zone: Doc 9303-3 §4.9 (check digits), -4 §4.2 (TD3), -5 §4.2 (TD1), -6 §4.2 (TD2)."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from hardware_drivers.errors import MalformedFileError

WEIGHTS = (7, 3, 1)  # Doc 9303-3 §4.9
ALPHABET = re.compile(r"[0-9A-Z<]*")
NUMBER_LENGTH = 9
LATEST_EXPIRY_YY = 79  # documents run ten years; 80 to 99 are those of the last century that still turn up as specimens


class MrzFormat(StrEnum):
    """Document sizes by their MRZ."""

    TD1 = "TD1"  # card, three lines of 30
    TD2 = "TD2"  # larger card, two lines of 36
    TD3 = "TD3"  # passport, two lines of 44


LINE_LENGTHS = {MrzFormat.TD1: (30, 30, 30), MrzFormat.TD2: (36, 36), MrzFormat.TD3: (44, 44)}


@dataclass(frozen=True, slots=True)
class Mrz:
    """What the zone says, with fillers taken off.

    Attributes:
        date_of_birth: YYMMDD as printed; unknown parts are `<`.
        date_of_expiry: YYMMDD as printed.
        sex: M, F or `<`.
        wrong_check_digits: Names of the fields whose check digit does not fit, in the order of the zone.
    """

    format: MrzFormat
    document_code: str
    issuing_state: str
    document_number: str
    date_of_birth: str
    sex: str
    date_of_expiry: str
    nationality: str
    surname: str
    given_names: str
    optional_data: str
    wrong_check_digits: tuple[str, ...]

    @property
    def name(self) -> str:
        """Surname and given names in the zone's own order."""
        return f"{self.surname} {self.given_names}".strip()


@dataclass(frozen=True, slots=True)
class MrzKey:
    """What basic access derives its key from, as typed or read from the printed zone."""

    document_number: str
    date_of_birth: date
    date_of_expiry: date

    def mrz_information(self) -> bytes:
        """Number, birth and expiry, each with its check digit (Doc 9303-11 §4.3.2); long numbers go in whole."""
        number = self.document_number.upper().ljust(NUMBER_LENGTH, "<")
        if not ALPHABET.fullmatch(number):
            raise MalformedFileError("document_number", "holds a character the zone does not know")
        fields = (number, f"{self.date_of_birth:%y%m%d}", f"{self.date_of_expiry:%y%m%d}")
        return "".join(field + check_digit(field) for field in fields).encode("ascii")


def check_digit(field: str) -> str:
    """The digit over a field: 0-9 count themselves, A-Z 10 to 35, filler 0, weights 7 3 1, modulo 10."""
    total = 0
    for position, character in enumerate(field):
        value = 0 if character == "<" else int(character, 36)
        total += value * WEIGHTS[position % 3]
    return str(total % 10)


def parse_mrz(zone: str) -> Mrz:
    """The fields of a zone; line breaks are ignored.

    A wrong check digit does not stop the parsing, it is named in the value. `MalformedFileError` names the field when
    the zone has no known size or a field holds what it cannot.
    """
    text = re.sub(r"[\r\n]", "", zone)
    if not ALPHABET.fullmatch(text):
        raise MalformedFileError("mrz", "holds a character outside A-Z, 0-9 and <")
    for mrz_format, lengths in LINE_LENGTHS.items():
        if len(text) == sum(lengths):
            return _parse_td1(text) if mrz_format is MrzFormat.TD1 else _parse_td2_td3(text, mrz_format)
    raise MalformedFileError("mrz", f"{len(text)} characters are no TD1, TD2 or TD3")


def _parse_td1(text: str) -> Mrz:
    """Doc 9303-5 §4.2.2."""
    upper, middle, lower = text[:30], text[30:60], text[60:]
    number, digit, optional = upper[5:14], upper[14], upper[15:30]
    if digit == "<" and optional[0] != "<":
        # Note j: a number longer than nine goes on in the optional field, its check digit last before a filler.
        tail, _, rest = optional.partition("<")
        number, digit, optional = number + tail[:-1], tail[-1], rest
    composite = upper[5:30] + middle[:7] + middle[8:15] + middle[18:29]
    return _build(
        MrzFormat.TD1,
        document_code=upper[:2],
        issuing_state=upper[2:5],
        number=(number, digit),
        birth=(middle[:6], middle[6]),
        sex=middle[7],
        expiry=(middle[8:14], middle[14]),
        nationality=middle[15:18],
        names=lower,
        optional_data=" ".join(filter(None, (optional.strip("<"), middle[18:29].strip("<")))),
        composite=(composite, middle[29]),
    )


def _parse_td2_td3(text: str, mrz_format: MrzFormat) -> Mrz:
    """Doc 9303-6 §4.2.2 and Doc 9303-4 §4.2.2: the same columns, up to where the optional data begins."""
    width = LINE_LENGTHS[mrz_format][0]
    upper, lower = text[:width], text[width:]
    number, digit, optional = lower[:9], lower[9], lower[28 : width - 1]
    optional_digit: str | None = None
    if mrz_format is MrzFormat.TD3:
        optional, optional_digit = optional[:14], optional[14]
    elif digit == "<" and optional[0] != "<":
        tail, _, rest = optional.partition("<")
        number, digit, optional = number + tail[:-1], tail[-1], rest
    return _build(
        mrz_format,
        document_code=upper[:2],
        issuing_state=upper[2:5],
        number=(number, digit),
        birth=(lower[13:19], lower[19]),
        sex=lower[20],
        expiry=(lower[21:27], lower[27]),
        nationality=lower[10:13],
        names=upper[5:],
        optional_data=optional.strip("<"),
        composite=(lower[:10] + lower[13:20] + lower[21 : width - 1], lower[width - 1]),
        extra=(("optional_data", optional, optional_digit),) if optional_digit is not None else (),
    )


def _build(
    mrz_format: MrzFormat,
    *,
    document_code: str,
    issuing_state: str,
    number: tuple[str, str],
    birth: tuple[str, str],
    sex: str,
    expiry: tuple[str, str],
    nationality: str,
    names: str,
    optional_data: str,
    composite: tuple[str, str],
    extra: tuple[tuple[str, str, str], ...] = (),
) -> Mrz:
    """Check digits and field contents, the same for every size."""
    checked = (
        ("document_number", *number),
        ("date_of_birth", *birth),
        ("date_of_expiry", *expiry),
        *extra,
        ("composite", *composite),
    )
    wrong = tuple(name for name, field, digit in checked if not _digit_fits(name, field, digit))
    _require("date_of_birth", birth[0], r"[0-9<]{6}")
    _require("date_of_expiry", expiry[0], r"[0-9]{6}")
    _require("sex", sex, r"[MFX<]")
    _require("issuing_state", issuing_state, r"[A-Z]{1,3}<*")
    _require("nationality", nationality, r"[A-Z]{1,3}<*")
    _require("document_number", number[0], r"[0-9A-Z<]*[0-9A-Z][0-9A-Z<]*")
    surname, _, given = names.partition("<<")
    return Mrz(
        format=mrz_format,
        document_code=document_code.strip("<"),
        issuing_state=issuing_state.strip("<"),
        document_number=number[0].rstrip("<"),
        date_of_birth=birth[0],
        sex=sex,
        date_of_expiry=expiry[0],
        nationality=nationality.strip("<"),
        surname=surname.replace("<", " ").strip(),
        given_names=given.replace("<", " ").strip(),
        optional_data=optional_data.replace("<", " "),
        wrong_check_digits=wrong,
    )


def _digit_fits(name: str, field: str, digit: str) -> bool:
    """True if the digit is right; an empty optional field may carry a filler instead (Doc 9303-4 §4.2.2.2)."""
    if name == "optional_data" and digit == "<" and not field.strip("<"):
        return True
    return digit == check_digit(field)


def _require(name: str, field: str, pattern: str) -> None:
    """Nothing, or `MalformedFileError` with the field's name and not its content."""
    if not re.fullmatch(pattern, field):
        raise MalformedFileError(name, f"{len(field)} characters that do not fit the field")


def expiry_date(printed: str) -> date:
    """The last day of validity from YYMMDD."""
    year = int(printed[:2])
    return _calendar_date("date_of_expiry", year + (2000 if year <= LATEST_EXPIRY_YY else 1900), printed)


def birth_date(printed: str, today: date) -> date | None:
    """The day of birth from YYMMDD, the latest one not after `today`; None where a part is unknown (`<`)."""
    if "<" in printed or printed[2:4] == "00" or printed[4:6] == "00":
        return None
    this_century = today.year // 100 * 100 + int(printed[:2])
    return next(
        born
        for year in (this_century, this_century - 100)
        if (born := _calendar_date("date_of_birth", year, printed)) <= today
    )


def _calendar_date(name: str, year: int, printed: str) -> date:
    """A real day, or `MalformedFileError`."""
    try:
        return date(year, int(printed[2:4]), int(printed[4:6]))
    except ValueError as error:
        raise MalformedFileError(name, "no day of the calendar") from error
