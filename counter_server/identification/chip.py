"""The chip's files, checked again where the kiosk's word counts for nothing."""

import contextlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from counter_server.identification.portrait import display_jpeg
from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.checks import failed
from hardware_drivers.id_chip.chip_auth import CounterTerminal
from hardware_drivers.id_chip.evidence import ChipEvidence, with_proofs
from hardware_drivers.id_chip.portrait import Portrait
from hardware_drivers.id_chip.trust import TrustStore
from hardware_drivers.id_chip.verify import Check, CheckName, ChipReport, Code, verify_evidence
from webrtc.wire.card import ChipEvidenceMessage, ChipOffer, HolderView
from webrtc.wire.check import CheckOutcome, CheckView
from webrtc.wire.visit import Reason

REASONS = {
    (CheckName.DOCUMENT_NOT_EXPIRED, Code.EXPIRED): Reason.CARD_EXPIRED,
    (CheckName.SIGNER_CERTIFICATE_CHAIN, Code.UNKNOWN_ISSUER): Reason.CARD_UNKNOWN_ISSUER,
}


@dataclass(frozen=True, slots=True)
class ChipFinding:
    """What the chip proves. `refusal` is None when every check that must pass did.

    Attributes:
        portrait: As stored in DG2.
        portrait_jpeg: The same picture, to be shown and compared.
    """

    checks: tuple[CheckView, ...]
    holder: HolderView | None
    portrait: Portrait | None
    portrait_jpeg: bytes | None
    refusal: Reason | None


@dataclass(slots=True)
class ChipQuestion:
    """What a chip is asked to prove itself over in one reading; drawn here, used once.

    Attributes:
        challenge: For active authentication, and for a terminal's own run of chip authentication.
        terminal: For the counter's own run, whose private key stays here.
        offered_for: The DG14 it has answered; another one gets nothing, so that nobody can probe the private key.
    """

    challenge: bytes
    terminal: CounterTerminal
    offered_for: bytes = b""

    @classmethod
    def draw(cls) -> Self:
        """A fresh one."""
        return cls(secrets.token_bytes(8), CounterTerminal.create(secrets.token_bytes))


def offer_for(question: ChipQuestion | None, dg14: bytes) -> ChipOffer:
    """What a kiosk is to carry to a chip with this DG14; empty without a question, or for a chip without keys."""
    offer = None
    if question is not None and question.offered_for in (b"", dg14):
        question.offered_for = dg14
        with contextlib.suppress(MalformedFileError):
            offer = question.terminal.offer(dg14)
    if offer is None:
        return ChipOffer.model_construct(oid="", key_id=None, terminal_public=b"", command=b"")
    return ChipOffer.model_construct(
        oid=offer.oid, key_id=offer.key_id, terminal_public=offer.terminal_public, command=offer.command
    )


def evidence_in(message: ChipEvidenceMessage) -> ChipEvidence:
    """The message as evidence; proofs that cannot be read are none, which the checks will say."""
    evidence = ChipEvidence(
        access=message.access,
        atr=message.atr,
        ef_com=message.ef_com,
        ef_sod=message.ef_sod,
        data_groups=dict(message.data_groups),
        read_ms=message.read_ms,
    )
    try:
        return with_proofs(evidence, message.proofs) if message.proofs else evidence
    except MalformedFileError:
        return evidence


def check_chip(
    message: ChipEvidenceMessage,
    trust: TrustStore,
    at: datetime,
    question: ChipQuestion | None = None,
    *,
    own_terminal: bool = False,
) -> ChipFinding:
    """Every named check on the files, and the customer's reason when one that must pass did not.

    Args:
        question: What this reading was given. Without one a fresh one is drawn, which no proof fits: a terminal that
            does not ask for its challenge gains nothing by it.
        own_terminal: The counter itself drove the reading, over a phone.
    """
    question = question or ChipQuestion.draw()
    report = verify_evidence(
        evidence_in(message),
        trust,
        at,
        challenge=question.challenge,
        counter_secret=question.terminal.secret,
        own_terminal=own_terminal,
    )
    refusal = refusal_for(report.refusals())
    portrait_jpeg, checks = decode_portrait(report)
    if report.holder is None or portrait_jpeg is None:
        refusal = refusal or Reason.CARD_NOT_GENUINE
    holder = report.holder
    return ChipFinding(
        checks=tuple(
            CheckView(name=c.name.value, outcome=CheckOutcome(c.outcome.value), why=c.why, clause=c.clause)
            for c in checks
        ),
        holder=None
        if holder is None
        else HolderView(
            name=holder.name,
            document_number=holder.document_number,
            issuing_state=holder.issuing_state,
            nationality=holder.nationality,
            date_of_birth=holder.date_of_birth,
            date_of_expiry=holder.date_of_expiry,
            sex="X" if holder.sex == "<" else holder.sex,  # Doc 9303-5 writes "unspecified" as a filler
        ),
        portrait=report.portrait,
        portrait_jpeg=portrait_jpeg,
        refusal=refusal,
    )


def decode_portrait(report: ChipReport) -> tuple[bytes | None, tuple[Check, ...]]:
    """The picture to show, and the checks with that of the portrait failed when its bytes do not hold what they say."""
    if report.portrait is None:
        return None, report.checks
    try:
        return display_jpeg(report.portrait.image), report.checks
    except MalformedFileError as error:
        header = report.check(CheckName.PORTRAIT_DECODABLE)
        broken = failed(header.name, Code.MALFORMED, f"not readable: {error}", header.clause)
        return None, tuple(broken if check is header else check for check in report.checks)


def refusal_for(refusals: tuple[Check, ...]) -> Reason | None:
    """What the customer is told, from the checks that refuse; forged comes before foreign, foreign before expired."""
    reasons = {REASONS.get((check.name, check.code), Reason.CARD_NOT_GENUINE) for check in refusals}
    ranked = (Reason.CARD_NOT_GENUINE, Reason.CARD_UNKNOWN_ISSUER, Reason.CARD_EXPIRED)
    return next((reason for reason in ranked if reason in reasons), None)
