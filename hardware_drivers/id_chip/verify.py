"""Judging what a chip gave: passive authentication (Doc 9303-11 §5.1) and its text, as a list of named checks.

The same code runs wherever evidence is judged. It believes nothing but the trust store and the clock handed in, and it
answers every check: what cannot be judged is `not_possible`, never left out, never passed.
"""

from dataclasses import dataclass
from datetime import date, datetime

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.checks import (
    MAY_BE_UNDECIDED,
    Check,
    CheckName,
    Code,
    Outcome,
    failed,
    passed,
    undecided,
)
from hardware_drivers.id_chip.clone_checks import check_card_access, check_clone_protection
from hardware_drivers.id_chip.evidence import ChipEvidence
from hardware_drivers.id_chip.files import DATA_GROUP_TAGS
from hardware_drivers.id_chip.lds import parse_com, parse_dg1, parse_dg2
from hardware_drivers.id_chip.mrz import Mrz, MrzKey, birth_date, expiry_date
from hardware_drivers.id_chip.portrait import Portrait
from hardware_drivers.id_chip.signer_checks import chain_of, check_issuing_state, judge_signer
from hardware_drivers.id_chip.sod import SecurityObject
from hardware_drivers.id_chip.sod_report import check_hash, check_signature, check_sod
from hardware_drivers.id_chip.trust import TrustStore

__all__ = ["Check", "CheckName", "ChipReport", "Code", "Holder", "Outcome", "verify_evidence"]

NEEDED_GROUPS = (1, 2)  # who it is, and the face to compare with


@dataclass(frozen=True, slots=True)
class Holder:
    """Who the document says it belongs to, from DG1. Worth as much as the checks beside it.

    Attributes:
        date_of_birth: None where the document leaves a part of it unknown.
        sex: M, F, X or `<`.
    """

    name: str
    surname: str
    given_names: str
    document_number: str
    issuing_state: str
    nationality: str
    date_of_birth: date | None
    date_of_expiry: date
    sex: str


@dataclass(frozen=True, slots=True)
class ChipReport:
    """All checks, and what the chip says about its holder."""

    checks: tuple[Check, ...]
    holder: Holder | None
    portrait: Portrait | None

    def check(self, name: CheckName) -> Check:
        """The check of that name; `KeyError` when it was not made (hashes of groups nobody read)."""
        for made in self.checks:
            if made.name is name:
                return made
        raise KeyError(name)

    def refusals(self) -> tuple[Check, ...]:
        """Every check that forbids relying on this document, in order; empty when nothing does."""
        return tuple(
            made
            for made in self.checks
            if made.outcome is Outcome.FAILED
            or (made.outcome is Outcome.NOT_POSSIBLE and made.name not in MAY_BE_UNDECIDED)
        )


def verify_evidence(
    evidence: ChipEvidence,
    trust: TrustStore,
    at: datetime,
    *,
    access_key: MrzKey | None = None,
    challenge: bytes | None = None,
    counter_secret: bytes | None = None,
    own_terminal: bool = False,
) -> ChipReport:
    """Every check of this document, in the order of Doc 9303-11 §5.1, then those of its text and portrait.

    Args:
        at: The moment to judge by, with zone.
        access_key: What basic access was opened with, where it is known here.
        challenge: What the reading terminal was told to have the chip prove itself over; without one, no proof counts.
        counter_secret: Of the `CounterTerminal` that ran chip authentication from here, if one did.
        own_terminal: The machine that judges is the one that read, so that it can believe its own terminal.
    """
    checks: list[Check] = []

    # 1. Is there a document security object, and is it one?
    sod, made = check_sod(evidence.ef_sod)
    checks.append(made)

    # 2. Did the certificate inside it sign it?
    checks.append(check_signature(sod))

    # 3. Did a state we trust issue that certificate, and was it valid then?
    chain = chain_of(sod, trust)
    checks.extend(judge_signer(sod, chain, trust, at))

    # 4. Is every file the one whose hash was signed?
    groups = sorted({*NEEDED_GROUPS, *evidence.data_groups} & set(DATA_GROUP_TAGS))
    checks.extend(check_hash(sod, evidence.data_groups, number) for number in groups)

    # 5. Does the chip's own table of contents, which nobody signed, agree?
    checks.append(_check_com(sod, evidence))

    # 6. What does the text say, does it agree with itself, and is the document still valid?
    mrz, holder, made = _check_mrz(evidence.data_groups.get(1), at)
    checks.append(made)
    checks.append(_check_expiry(holder, at))
    checks.append(_check_access(mrz, access_key))
    checks.append(check_issuing_state(sod, chain, mrz))

    # 7. Is there a portrait to compare with?
    portrait, made = _check_portrait(evidence.data_groups.get(2))
    checks.append(made)

    # 8. Is it this chip, opened in the best way it has, or a copy of its files?
    if evidence.ef_card_access:
        checks.append(check_card_access(evidence, sod))
    checks.append(
        check_clone_protection(
            evidence, sod, trust, challenge=challenge, counter_secret=counter_secret, own_terminal=own_terminal
        )
    )
    return ChipReport(tuple(checks), holder, portrait)


def _check_com(sod: SecurityObject | None, evidence: ChipEvidence) -> Check:
    """Step 5."""
    name, clause = CheckName.COM_MATCHES_SOD, "Doc 9303-10 §4.6.1; §4.6.2.3"
    if sod is None:
        return undecided(name, Code.NEEDS_SOD, "there is no readable security object", clause)
    try:
        listed = set(parse_com(evidence.ef_com).data_groups)
    except MalformedFileError as error:
        return failed(name, Code.MALFORMED, f"EF.COM is not readable: {error}", clause)
    if not set(evidence.data_groups) <= set(DATA_GROUP_TAGS):
        return failed(name, Code.GROUPS_DIFFER, "the evidence holds data groups that do not exist", clause)
    if listed != set(sod.hashes):
        why = f"EF.COM and the security object differ in {len(listed ^ set(sod.hashes))} data groups"
        return failed(name, Code.GROUPS_DIFFER, why, clause)
    return passed(name, "EF.COM lists the data groups that were signed", clause)


def _check_mrz(dg1: bytes | None, at: datetime) -> tuple[Mrz | None, Holder | None, Check]:
    """Step 6, the machine readable zone and its holder."""
    name, clause = CheckName.MRZ_CHECK_DIGITS, "Doc 9303-3 §4.9; Doc 9303-10 §4.7.1"
    if dg1 is None:
        return None, None, undecided(name, Code.NEEDS_DG1, "data group 1 was not read", clause)
    try:
        mrz = parse_dg1(dg1)
        holder = _holder(mrz, at)
    except MalformedFileError as error:
        return None, None, failed(name, Code.MALFORMED, f"not readable: {error}", clause)
    if mrz.wrong_check_digits:
        why = f"wrong check digit over {', '.join(mrz.wrong_check_digits)}"
        return mrz, holder, failed(name, Code.WRONG_CHECK_DIGIT, why, clause)
    return mrz, holder, passed(name, f"all check digits of the {mrz.format} zone fit", clause)


def _holder(mrz: Mrz, at: datetime) -> Holder:
    """The person in the zone."""
    return Holder(
        name=mrz.name,
        surname=mrz.surname,
        given_names=mrz.given_names,
        document_number=mrz.document_number,
        issuing_state=mrz.issuing_state,
        nationality=mrz.nationality,
        date_of_birth=birth_date(mrz.date_of_birth, at.date()),
        date_of_expiry=expiry_date(mrz.date_of_expiry),
        sex=mrz.sex,
    )


def _check_expiry(holder: Holder | None, at: datetime) -> Check:
    """Step 6, the document itself."""
    name, clause = CheckName.DOCUMENT_NOT_EXPIRED, "Doc 9303-3 §4.8; date of expiry in DG1"
    if holder is None:
        return undecided(name, Code.NEEDS_DG1, "there is no readable zone", clause)
    if at.date() > holder.date_of_expiry:
        return failed(name, Code.EXPIRED, f"expired {(at.date() - holder.date_of_expiry).days} days ago", clause)
    return passed(name, "valid today", clause)


def _check_access(mrz: Mrz | None, access_key: MrzKey | None) -> Check:
    """Step 6, the document opened is the document read."""
    name, clause = CheckName.DOCUMENT_NUMBER_MATCHES_ACCESS, "Doc 9303-11 §4.3.2"
    if access_key is None:
        return undecided(name, Code.NOT_GIVEN, "what the chip was opened with stayed at the desk", clause)
    if mrz is None:
        return undecided(name, Code.NEEDS_DG1, "there is no readable zone", clause)
    if mrz.document_number != access_key.document_number.upper().rstrip("<"):
        return failed(name, Code.OTHER_DOCUMENT, "opened with the number of another document", clause)
    return passed(name, "the number typed is the number in the chip", clause)


def _check_portrait(dg2: bytes | None) -> tuple[Portrait | None, Check]:
    """Step 7; the picture itself is decoded elsewhere."""
    name, clause = CheckName.PORTRAIT_DECODABLE, "Doc 9303-10 §4.7.2; ISO/IEC 19794-5:2005"
    if dg2 is None:
        return None, failed(name, Code.MISSING, "data group 2 was not read", clause)
    try:
        portrait = parse_dg2(dg2)[0]
    except MalformedFileError as error:
        return None, failed(name, Code.MALFORMED, f"not readable: {error}", clause)
    return portrait, passed(name, f"{portrait.image_type}, {portrait.width_px} x {portrait.height_px} pixels", clause)
