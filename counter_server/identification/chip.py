"""The chip's files, checked again where the kiosk's word counts for nothing."""

from dataclasses import dataclass
from datetime import datetime

from hardware_drivers.id_chip.evidence import ChipEvidence
from hardware_drivers.id_chip.trust import TrustStore
from hardware_drivers.id_chip.verify import Check, CheckName, Code, verify_evidence
from webrtc.wire import CheckOutcome, CheckView, ChipEvidenceMessage, HolderView, Reason

REASONS = {
    (CheckName.DOCUMENT_NOT_EXPIRED, Code.EXPIRED): Reason.CARD_EXPIRED,
    (CheckName.SIGNER_CERTIFICATE_CHAIN, Code.UNKNOWN_ISSUER): Reason.CARD_UNKNOWN_ISSUER,
}


@dataclass(frozen=True, slots=True)
class ChipFinding:
    """What the chip proves. `refusal` is None when every check that must pass did."""

    checks: tuple[CheckView, ...]
    holder: HolderView | None
    portrait: bytes | None  # as in DG2: JPEG or JPEG 2000
    refusal: Reason | None


def check_chip(message: ChipEvidenceMessage, trust: TrustStore, at: datetime) -> ChipFinding:
    """Every named check on the files, and the customer's reason when one that must pass did not."""
    evidence = ChipEvidence(
        access=message.access,
        atr=message.atr,
        ef_com=message.ef_com,
        ef_sod=message.ef_sod,
        data_groups=dict(message.data_groups),
        read_ms=message.read_ms,
    )
    report = verify_evidence(evidence, trust, at)
    refusal = refusal_for(report.refusals())
    if report.holder is None or report.portrait is None:
        refusal = refusal or Reason.CARD_NOT_GENUINE
    holder = report.holder
    return ChipFinding(
        checks=tuple(
            CheckView(name=c.name.value, outcome=CheckOutcome(c.outcome.value), why=c.why, clause=c.clause)
            for c in report.checks
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
            sex=holder.sex,
        ),
        portrait=None if report.portrait is None else report.portrait.image,
        refusal=refusal,
    )


def refusal_for(refusals: tuple[Check, ...]) -> Reason | None:
    """What the customer is told, from the checks that refuse; forged comes before foreign, foreign before expired."""
    reasons = {REASONS.get((check.name, check.code), Reason.CARD_NOT_GENUINE) for check in refusals}
    ranked = (Reason.CARD_NOT_GENUINE, Reason.CARD_UNKNOWN_ISSUER, Reason.CARD_EXPIRED)
    return next((reason for reason in ranked if reason in reasons), None)
