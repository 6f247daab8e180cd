"""Cards of people who do not exist, for the emulator.

No living person can have one of these numbers: citizens' have a county code that GB/T 2260 gives to no county,
foreigners come from Utopia, and the holders of Hong Kong permits, who all share one region code, were born before 1900.
"""

import random
from dataclasses import dataclass
from datetime import date

from hardware_drivers.samv.commands import FINGERPRINT_BYTES, PHOTO_BYTES
from hardware_drivers.samv.id_number import check_character
from hardware_drivers.samv.text import LONG_TERM, CardKind, CardText, Part, encode_text

SURNAMES, GIVEN = "王李张刘陈杨黄赵", "明华静文安宁雨晨"
COUNTY_OF_NOBODY = "0199"
PERMIT_REGION = "810000"
UTOPIA, UTOPIA_NUMERIC = "UTO", "999"  # Doc 9303-3 §5: the state of specimens; 999 is no state in ISO 3166-1


@dataclass(frozen=True, slots=True)
class EmulatedCard:
    """What lies on an emulated reader: the bytes a real card would give to its module."""

    text: bytes
    photo_wlt: bytes
    fingerprints: bytes = b""
    added_addresses: tuple[bytes, ...] = ()
    find_answer: bytes = bytes(4)
    serial: bytes = bytes(8)


def generated_card(
    kind: CardKind, seed: int, *, fingers: int = 2, added_addresses: int = 0, long_term: bool = False
) -> EmulatedCard:
    """A card of someone who does not exist; the same for the same seed.

    Its photograph is 1024 random bytes: no codec of ours can make a WLT picture.

    Args:
        fingers: Fingerprints enrolled, 0 to 2.
        added_addresses: How many addresses were added later.
        long_term: Whether the card never expires.
    """
    rng = random.Random(seed)  # noqa: S311  # people to play with, not keys
    return EmulatedCard(
        text=encode_text(generated_text(kind, rng, long_term=long_term)),
        photo_wlt=rng.randbytes(PHOTO_BYTES),
        fingerprints=rng.randbytes(FINGERPRINT_BYTES * fingers),
        added_addresses=tuple(_padded(f"演示市新址路{number + 1}号", 70) for number in range(added_addresses)),
        serial=rng.randbytes(8),
    )


def generated_text(kind: CardKind, rng: random.Random, *, long_term: bool = False) -> CardText:
    """The text of someone who does not exist, of that layout."""
    years = (1890, 1899) if kind is CardKind.HK_MACAU_TAIWAN else (1950, 2005)
    birth = date(rng.randint(*years), rng.randint(1, 12), rng.randint(1, 28))
    issued = date(rng.randint(2021, 2025), rng.randint(1, 12), rng.randint(1, 28))
    is_male = rng.random() < 0.5
    chinese_name = rng.choice(SURNAMES) + rng.choice(GIVEN) + rng.choice(GIVEN)
    fields = {
        Part.CHINESE_NAME: chinese_name,
        Part.SEX: "1" if is_male else "2",
        Part.BIRTH: f"{birth:%Y%m%d}",
        Part.VALID_FROM: f"{issued:%Y%m%d}",
        Part.VALID_UNTIL: LONG_TERM if long_term else f"{issued.replace(year=issued.year + 10):%Y%m%d}",
        Part.NUMBER: _number(kind, birth, rng, is_male=is_male),
    }
    match kind:
        case CardKind.CITIZEN:
            fields |= {Part.ETHNIC_GROUP: f"{rng.randint(1, 56):02d}", Part.ADDRESS: "演示市样本路1号"}
            fields |= {Part.AUTHORITY: "演示市公安局"}
        case CardKind.HK_MACAU_TAIWAN:
            fields |= {Part.ADDRESS: "演示市样本路2号", Part.AUTHORITY: "演示市公安局"}
            fields |= {Part.PASS_NUMBER: f"H{rng.randrange(10**8):08d}", Part.ISSUES: "01"}
        case CardKind.FOREIGNER_2017:
            fields |= {Part.ENGLISH_NAME: "SPECIMEN, ALEX", Part.NATIONALITY: UTOPIA}
            fields |= {Part.VERSION: "01", Part.AGENCY: "1500"}
        case CardKind.FOREIGNER_2023:
            fields |= {Part.ENGLISH_NAME: "SPECIMEN, ALEX", Part.NATIONALITY: UTOPIA, Part.RENEWALS: "01"}
    return CardText(kind, fields)


def _number(kind: CardKind, birth: date, rng: random.Random, *, is_male: bool) -> str:
    """A number of nobody that fits the text."""
    sequence = f"{rng.randrange(100):02d}{rng.choice('13579' if is_male else '02468')}"
    match kind:
        case CardKind.FOREIGNER_2017:
            return f"{UTOPIA}{COUNTY_OF_NOBODY}{birth:%y%m%d}{rng.randrange(100):02d}"
        case CardKind.FOREIGNER_2023:
            region = f"911{UTOPIA_NUMERIC}"
        case CardKind.HK_MACAU_TAIWAN:
            region = PERMIT_REGION
        case CardKind.CITIZEN:
            region = f"11{COUNTY_OF_NOBODY}"
    digits = f"{region}{birth:%Y%m%d}{sequence}"
    return digits + check_character(digits)


def _padded(text: str, size: int) -> bytes:
    """UTF-16LE, filled with spaces."""
    return text.encode("utf-16-le") + " ".encode("utf-16-le") * ((size - len(text.encode("utf-16-le"))) // 2)
