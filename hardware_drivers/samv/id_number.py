"""Identity numbers on Chinese cards: GB 11643 and the two numbers of foreigners' permits.

The check digit finds one wrong digit and swapped neighbours; it is no secret, so a right one proves nothing.
"""

from dataclasses import dataclass
from datetime import date

from hardware_drivers.samv.national_codes import PERMIT_REGIONS, PROVINCES

NUMBER_CHARACTERS = 18  # GB 11643-1999 §4
FOREIGN_2017_CHARACTERS = 15
FOREIGNER_LEADS = "9"  # rules for the 2023 permit: citizens' numbers begin with 1 to 8
CHECK_CHARACTERS = "0123456789X"  # ISO 7064, MOD 11-2
MODULUS, RADIX = 11, 2


@dataclass(frozen=True, slots=True)
class IdNumber:
    """The parts of an 18-character number.

    Attributes:
        region: Six digits for a citizen or permit holder; `9`, two digits of the province and three of the nationality
            (ISO 3166-1) for a foreigner.
        region_name: The province or region, None when there is no such one.
        birth: None when the eight digits are no day of the calendar.
        is_male: Whether the sequence is odd.
        check_digit_fits: Whether the last character is the right one.
    """

    region: str
    region_name: str | None
    birth: date | None
    is_male: bool
    check_digit_fits: bool


def check_character(digits: str) -> str:
    """The ISO 7064 MOD 11-2 check character of any number of ASCII digits, `X` for ten."""
    remainder = 0
    for digit in digits:
        remainder = (remainder + int(digit)) * RADIX % MODULUS
    return CHECK_CHARACTERS[(1 - remainder) % MODULUS]


def parse_number(number: str) -> IdNumber | None:
    """The parts of an 18-character number, None when it is not 17 digits and a digit or `X`."""
    digits, told = number[:-1], number[-1:]
    if len(number) != NUMBER_CHARACTERS or not is_digits(digits) or told not in CHECK_CHARACTERS:
        return None
    region = digits[:6]
    province = region[1:3] if region.startswith(FOREIGNER_LEADS) else region[:2]
    return IdNumber(
        region=region,
        region_name=PERMIT_REGIONS.get(region) or PROVINCES.get(province),
        birth=parse_day(digits[6:14]),
        is_male=int(digits[16]) % 2 == 1,
        check_digit_fits=check_character(digits) == told,
    )


def parse_foreign_2017(number: str) -> tuple[str, str] | None:
    """Nationality and birth (`YYMMDD`) from a 2017 permit's number, None when it is not 3 letters and 12 digits.

    The digits are 4 of the place, 6 of the birth, one of sequence and one whose rule is not published.
    """
    letters, digits = number[:3], number[3:]
    if len(number) != FOREIGN_2017_CHARACTERS or not is_digits(digits) or not (letters.isascii() and letters.isupper()):
        return None
    return letters, digits[4:10]


def parse_day(digits: str) -> date | None:
    """`YYYYMMDD` as a day, None when it is none."""
    if len(digits) != 8 or not is_digits(digits):
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def is_digits(text: str) -> bool:
    """Whether there is something, and all of it is 0 to 9; full-width and other scripts' digits are none."""
    return len(text) > 0 and all("0" <= character <= "9" for character in text)
