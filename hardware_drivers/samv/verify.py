"""Judging what a SAM_V reader gave, as a list of named checks of the same shape as in `id_chip.checks`.

What a Chinese ID card stores carries no signature that we could verify: reader and card prove themselves to each other
inside the reader's security module, and only the text, the photograph and the word of that module come out. So every
check below is about the text; whether the card is genuine is `authenticity`, which is never passed here.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.checks import Outcome
from hardware_drivers.samv.commands import FINGERPRINT_BYTES, PHOTO_BYTES, module_number
from hardware_drivers.samv.errors import PluginFault
from hardware_drivers.samv.evidence import SamvEvidence
from hardware_drivers.samv.id_number import FOREIGNER_LEADS, parse_day, parse_foreign_2017, parse_number
from hardware_drivers.samv.national_codes import ETHNIC_GROUPS, PERMIT_REGIONS, SEXES
from hardware_drivers.samv.plugin import Picture
from hardware_drivers.samv.text import CardKind, CardText, Part, decode_address, parse_text

AUTHENTICITY_WHY = (
    "rests on the reader's security module: it authenticated the card by keys that never leave it, and gives nothing "
    "that could be verified here or later"
)
NEEDS_LIBRARY_WHY = "needs the maker's library"
MALE, FEMALE = "1", "2"  # GB/T 2261.1


class CheckName(StrEnum):
    """Every check there is, in the order they are made."""

    TEXT_LAYOUT = "text_layout"
    CODES_KNOWN = "codes_known"
    NUMBER_CHECK_DIGIT = "number_check_digit"
    NUMBER_MATCHES_TEXT = "number_matches_text"
    DATES_CONSISTENT = "dates_consistent"
    DOCUMENT_NOT_EXPIRED = "document_not_expired"
    PHOTO_PRESENT = "photo_present"
    PORTRAIT_DECODABLE = "portrait_decodable"
    FINGERPRINTS_PRESENT = "fingerprints_present"
    READER_ENROLLED = "reader_enrolled"
    AUTHENTICITY = "authenticity"


class Code(StrEnum):
    """Why, for machines."""

    OK = "ok"
    MALFORMED = "malformed"
    UNKNOWN_CODE = "unknown_code"
    WRONG_CHECK_DIGIT = "wrong_check_digit"
    NO_PUBLISHED_RULE = "no_published_rule"
    DIFFERS = "differs"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    MISSING = "missing"
    NOT_ASKED = "not_asked"
    NOT_STORED = "not_stored"
    NEEDS_TEXT = "needs_text"
    NEEDS_MAKERS_LIBRARY = "needs_makers_library"
    LIBRARY_FAILED = "library_failed"
    NOT_ENROLLED = "not_enrolled"
    RESTS_ON_READER = "rests_on_reader"


# What may stay undecided without the card being refused. `AUTHENTICITY` is not among them: see `refusals`.
MAY_BE_UNDECIDED = frozenset(
    {
        CheckName.NUMBER_CHECK_DIGIT,  # the 2017 foreigners' number; an unreadable text is refused by its own check
        CheckName.PORTRAIT_DECODABLE,
        CheckName.FINGERPRINTS_PRESENT,
        CheckName.READER_ENROLLED,
    }
)


@dataclass(frozen=True, slots=True)
class Check:
    """One named check; attributes as `id_chip.checks.Check`."""

    name: CheckName
    outcome: Outcome
    why: str
    clause: str
    code: Code


@dataclass(frozen=True, slots=True)
class Holder:
    """Who the card says it belongs to. Worth as much as the checks beside it, and as the reader.

    Attributes:
        sex: The code of GB/T 2261.1: 1 male, 2 female.
        ethnic_group: The code of GB/T 3304, empty for everyone but citizens.
        nationality: Three letters for foreigners, empty otherwise.
        date_of_birth: None when the card holds no day of the calendar.
        valid_until: None with `long_term`, or when the card holds no day of the calendar.
        added_addresses: Where the holder moved since, in the card's order.
    """

    kind: CardKind
    chinese_name: str
    english_name: str
    sex: str
    ethnic_group: str
    nationality: str
    date_of_birth: date | None
    address: str
    added_addresses: tuple[str, ...]
    number: str
    authority: str
    pass_number: str
    valid_from: date | None
    valid_until: date | None
    long_term: bool


@dataclass(frozen=True, slots=True)
class SamvReport:
    """All checks, what the card says about its holder, and the portrait where a library gave one."""

    checks: tuple[Check, ...]
    holder: Holder | None
    portrait: Picture | None

    def check(self, name: CheckName) -> Check:
        """The check of that name; every one is always there."""
        return next(made for made in self.checks if made.name is name)

    def refusals(self, *, trust_reader: bool) -> tuple[Check, ...]:
        """Every check that forbids relying on this card, in order; empty when nothing does.

        Args:
            trust_reader: The operator's decision that this reader's word stands for the card's authenticity. Nothing
                read can make that decision.
        """
        allowed = MAY_BE_UNDECIDED | ({CheckName.AUTHENTICITY} if trust_reader else set())
        return tuple(
            made
            for made in self.checks
            if made.outcome is Outcome.FAILED or (made.outcome is Outcome.NOT_POSSIBLE and made.name not in allowed)
        )


def verify_evidence(
    evidence: SamvEvidence,
    at: datetime,
    *,
    portrait: Picture | PluginFault | None = None,
    enrolled_modules: frozenset[bytes] = frozenset(),
) -> SamvReport:
    """Every check of this card.

    Args:
        at: The moment to judge by; its day is the card's, so give it in China's time zone or the office's.
        portrait: What the maker's library made of the photograph, how it failed, or None where there is no library.
        enrolled_modules: Numbers of the security modules the operator knows, 16 bytes each; empty asks nothing.
    """
    text, holder, layout = _check_layout(evidence)
    checks = (
        layout,
        _check_codes(text),
        _check_digit(text),
        _check_number(text),
        _check_dates(text, at.date()),
        _check_expiry(text, at.date()),
        _check_photo(evidence),
        _check_portrait(portrait),
        _check_fingerprints(evidence),
        _check_reader(evidence, enrolled_modules),
        Check(
            CheckName.AUTHENTICITY,
            Outcome.NOT_POSSIBLE,
            AUTHENTICITY_WHY,
            "GA 467 security module; no signature on the card's text",
            Code.RESTS_ON_READER,
        ),
    )
    return SamvReport(checks, holder, portrait if isinstance(portrait, Picture) else None)


def _check_layout(evidence: SamvEvidence) -> tuple[CardText | None, Holder | None, Check]:
    """The text is one of the four layouts."""
    name, clause = CheckName.TEXT_LAYOUT, "GA 490; rules of the permits of 2017, 2018 and 2023"
    try:
        text = parse_text(evidence.text)
        added = tuple(decode_address(raw) for raw in evidence.added_addresses)
    except MalformedFileError as error:
        return None, None, Check(name, Outcome.FAILED, f"not readable: {error}", clause, Code.MALFORMED)
    holder = Holder(
        kind=text.kind,
        chinese_name=text[Part.CHINESE_NAME],
        english_name=text.english_name,
        sex=text[Part.SEX],
        ethnic_group=text[Part.ETHNIC_GROUP],
        nationality=text[Part.NATIONALITY],
        date_of_birth=parse_day(text[Part.BIRTH]),
        address=text[Part.ADDRESS],
        added_addresses=added,
        number=text[Part.NUMBER],
        authority=text[Part.AUTHORITY],
        pass_number=text[Part.PASS_NUMBER],
        valid_from=parse_day(text[Part.VALID_FROM]),
        valid_until=None if text.is_long_term else parse_day(text[Part.VALID_UNTIL]),
        long_term=text.is_long_term,
    )
    return text, holder, Check(name, Outcome.PASSED, f"layout {text.kind.name.lower()}", clause, Code.OK)


def _check_codes(text: CardText | None) -> Check:
    """Sex and ethnic group are in the national tables."""
    name, clause = CheckName.CODES_KNOWN, "GB/T 2261.1; GB/T 3304"
    if text is None:
        return _needs_text(name, clause)
    if text[Part.SEX] not in SEXES:
        return Check(name, Outcome.FAILED, "no such code of sex", clause, Code.UNKNOWN_CODE)
    if text.kind is CardKind.CITIZEN and text[Part.ETHNIC_GROUP] not in ETHNIC_GROUPS:
        return Check(name, Outcome.FAILED, "no such code of an ethnic group", clause, Code.UNKNOWN_CODE)
    return Check(name, Outcome.PASSED, "all codes are in their tables", clause, Code.OK)


def _check_digit(text: CardText | None) -> Check:
    """The number's last character follows from the others."""
    name, clause = CheckName.NUMBER_CHECK_DIGIT, "GB 11643-1999; ISO 7064 MOD 11-2"
    if text is None:
        return _needs_text(name, clause)
    if text.kind is CardKind.FOREIGNER_2017:
        why = "the 15-character number of 2017 has no published rule for its last digit"
        return Check(name, Outcome.NOT_POSSIBLE, why, clause, Code.NO_PUBLISHED_RULE)
    number = parse_number(text[Part.NUMBER])
    if number is None:
        return Check(name, Outcome.FAILED, "not 17 digits and a check character", clause, Code.MALFORMED)
    if not number.check_digit_fits:
        return Check(name, Outcome.FAILED, "wrong check digit", clause, Code.WRONG_CHECK_DIGIT)
    return Check(name, Outcome.PASSED, "the check digit fits", clause, Code.OK)


def _check_number(text: CardText | None) -> Check:
    """Region, birth and sex inside the number are those of the text."""
    name, clause = CheckName.NUMBER_MATCHES_TEXT, "GB 11643-1999; GB/T 2260; permit rules of 2017, 2018 and 2023"
    if text is None:
        return _needs_text(name, clause)
    differing = _differences(text)
    if differing is None:
        return Check(name, Outcome.FAILED, "the number has not the form of its layout", clause, Code.MALFORMED)
    if differing:
        why = f"the number does not fit the text: {', '.join(differing)}"
        return Check(name, Outcome.FAILED, why, clause, Code.DIFFERS)
    return Check(name, Outcome.PASSED, "the number fits the text", clause, Code.OK)


def _differences(text: CardText) -> list[str] | None:
    """Which parts of the number contradict the text; None when the number has no parts."""
    birth = text[Part.BIRTH]
    if text.kind is CardKind.FOREIGNER_2017:
        parts = parse_foreign_2017(text[Part.NUMBER])
        if parts is None:
            return None
        told = {"nationality": parts[0] == text[Part.NATIONALITY], "birth": parts[1] == birth[2:]}
        return [name for name, fits in told.items() if not fits]
    number = parse_number(text[Part.NUMBER])
    if number is None:
        return None
    match text.kind:
        case CardKind.CITIZEN:
            right_region = not number.region.startswith(FOREIGNER_LEADS) and number.region not in PERMIT_REGIONS
        case CardKind.HK_MACAU_TAIWAN:
            right_region = number.region in PERMIT_REGIONS
        case CardKind.FOREIGNER_2023:
            right_region = number.region.startswith(FOREIGNER_LEADS)
    sex_fits = text[Part.SEX] not in (MALE, FEMALE) or number.is_male == (text[Part.SEX] == MALE)
    told = {
        "region": right_region and number.region_name is not None,
        "birth": number.birth is not None and number.birth == parse_day(birth),
        "sex": sex_fits,
    }
    return [name for name, fits in told.items() if not fits]


def _check_dates(text: CardText | None, today: date) -> Check:
    """All days exist and follow each other."""
    name, clause = CheckName.DATES_CONSISTENT, "GB/T 7408 days; birth, issue and expiry in this order"
    if text is None:
        return _needs_text(name, clause)
    birth, begins = parse_day(text[Part.BIRTH]), parse_day(text[Part.VALID_FROM])
    ends = date.max if text.is_long_term else parse_day(text[Part.VALID_UNTIL])
    if birth is None or begins is None or ends is None:
        return Check(name, Outcome.FAILED, "a day that is not in the calendar", clause, Code.MALFORMED)
    if not birth <= begins < ends or birth > today:
        return Check(name, Outcome.FAILED, "birth, issue and expiry contradict each other", clause, Code.DIFFERS)
    return Check(name, Outcome.PASSED, "birth, issue and expiry follow each other", clause, Code.OK)


def _check_expiry(text: CardText | None, today: date) -> Check:
    """The card is valid today."""
    name, clause = CheckName.DOCUMENT_NOT_EXPIRED, "period of validity on the card"
    if text is None:
        return _needs_text(name, clause)
    begins = parse_day(text[Part.VALID_FROM])
    ends = date.max if text.is_long_term else parse_day(text[Part.VALID_UNTIL])
    if begins is None or ends is None:
        return Check(name, Outcome.FAILED, "a day that is not in the calendar", clause, Code.MALFORMED)
    if today < begins:
        return Check(name, Outcome.FAILED, "not valid yet", clause, Code.NOT_YET_VALID)
    if today > ends:
        return Check(name, Outcome.FAILED, f"expired {(today - ends).days} days ago", clause, Code.EXPIRED)
    return Check(name, Outcome.PASSED, "valid without end" if text.is_long_term else "valid today", clause, Code.OK)


def _check_photo(evidence: SamvEvidence) -> Check:
    """There is a photograph, whatever it shows."""
    name, clause = CheckName.PHOTO_PRESENT, f"WLT, {PHOTO_BYTES} bytes"
    if len(evidence.photo_wlt) != PHOTO_BYTES or len(set(evidence.photo_wlt)) == 1:
        return Check(name, Outcome.FAILED, "the card gave no photograph", clause, Code.MISSING)
    return Check(name, Outcome.PASSED, "a photograph is there", clause, Code.OK)


def _check_portrait(portrait: Picture | PluginFault | None) -> Check:
    """The maker's library made a picture of it."""
    name, clause = CheckName.PORTRAIT_DECODABLE, "WLT is its maker's format"
    match portrait:
        case None:
            return Check(name, Outcome.NOT_POSSIBLE, NEEDS_LIBRARY_WHY, clause, Code.NEEDS_MAKERS_LIBRARY)
        case PluginFault():
            why = f"the maker's library gave no picture: {portrait.value}"
            return Check(name, Outcome.NOT_POSSIBLE, why, clause, Code.LIBRARY_FAILED)
        case Picture():
            why = f"decoded by the maker's library, {portrait.width_px} x {portrait.height_px} pixels"
            return Check(name, Outcome.PASSED, why, clause, Code.OK)


def _check_fingerprints(evidence: SamvEvidence) -> Check:
    """Fingerprints are there; comparing them is the maker's library's."""
    name, clause = CheckName.FINGERPRINTS_PRESENT, "GA/T 1012, 512 bytes per finger"
    if not evidence.fingerprints_asked:
        return Check(name, Outcome.NOT_POSSIBLE, "not asked for", clause, Code.NOT_ASKED)
    if not evidence.fingerprints:
        return Check(name, Outcome.NOT_POSSIBLE, "none are stored in this card", clause, Code.NOT_STORED)
    if len(evidence.fingerprints) not in (FINGERPRINT_BYTES, 2 * FINGERPRINT_BYTES):
        return Check(name, Outcome.FAILED, "not one or two features", clause, Code.MALFORMED)
    count = len(evidence.fingerprints) // FINGERPRINT_BYTES
    return Check(name, Outcome.PASSED, f"{count} stored; comparing {NEEDS_LIBRARY_WHY}", clause, Code.OK)


def _check_reader(evidence: SamvEvidence, enrolled: frozenset[bytes]) -> Check:
    """The module states a number that the operator knows."""
    name, clause = CheckName.READER_ENROLLED, "SAM_V command 12 FF; a statement of the reader, not a proof"
    if not enrolled:
        return Check(name, Outcome.NOT_POSSIBLE, "no readers are enrolled", clause, Code.NOT_ENROLLED)
    if evidence.module_id not in enrolled:
        return Check(name, Outcome.FAILED, "this reader is not enrolled", clause, Code.NOT_ENROLLED)
    return Check(name, Outcome.PASSED, f"module {module_number(evidence.module_id)} is enrolled", clause, Code.OK)


def _needs_text(name: CheckName, clause: str) -> Check:
    """A check that an unreadable text leaves undecided."""
    return Check(name, Outcome.NOT_POSSIBLE, "there is no readable text", clause, Code.NEEDS_TEXT)
