"""What the finger step found, as a clerk reads it."""

from counter_server.identification.finger_messages import FingerFinding
from counter_server.visits.evidence import FingerSession
from webrtc.wire.check import CheckOutcome, CheckView, Verdict
from webrtc.wire.finger import FingerEvidenceMessage, PadVerdict, SensorPad

SIGNED_CLAUSE = "IEEE 3167; RFC 7515"


def unknown_check() -> CheckView:
    """No finger of the holder is known here, so none was asked for."""
    why = "no finger of the holder is registered here, and none could be read from the card"
    return CheckView(name="finger", outcome=CheckOutcome.NOT_POSSIBLE, why=why)


def finger_check(best: FingerFinding | None, verdict: Verdict) -> CheckView:
    """The comparison as a clerk reads it."""
    outcome = {
        Verdict.ACCEPT: CheckOutcome.PASSED,
        Verdict.REFER: CheckOutcome.NOT_POSSIBLE,
        Verdict.REJECT: CheckOutcome.FAILED,
    }[verdict]
    why = "no impression could be compared" if best is None else best.why
    return CheckView(name="finger", outcome=outcome, why=why, clause="ISO/IEC 19795-1")


def sensor_check(said: SensorPad, *, doubted: bool = False) -> CheckView:
    """What the sensor said about imitations, and whose word that is. Software says nothing here.

    No statement that a device signs today holds this verdict, so a desk could invent it: the words say so.
    """
    source = "".join(c for c in said.source if c.isprintable()) or "it gives no name"
    if doubted or said.verdict is PadVerdict.ATTACK:
        outcome, why = CheckOutcome.FAILED, f"the sensor took something for an imitation ({source}), by the desk's word"
    elif said.verdict is PadVerdict.LIVE:
        outcome, why = CheckOutcome.PASSED, f"the sensor says skin ({source}), by the desk's word"
    else:
        outcome, why = CheckOutcome.NOT_POSSIBLE, "this scanner does not look for imitations"
    return CheckView(name="finger_sensor", outcome=outcome, why=why, clause="ISO/IEC 30107-3")


def device_check(device: str) -> CheckView:
    """Whose picture it is: a scanner's that signed it, or one of which only the desk says where it is from."""
    if device:
        named = "".join(c for c in device if c.isprintable())
        why = f"signed for this capture by {named}"
        return CheckView(name="finger_device", outcome=CheckOutcome.PASSED, why=why, clause=SIGNED_CLAUSE)
    why = "no scanner here signs its pictures: the desk's own word"
    return CheckView(name="finger_device", outcome=CheckOutcome.NOT_POSSIBLE, why=why, clause=SIGNED_CLAUSE)


def unbelieved_check(why: str) -> CheckView:
    """A picture that did not come from a scanner that anybody vouches for; it was not looked at."""
    return CheckView(
        name="finger_device", outcome=CheckOutcome.FAILED, why=f"not believed: {why}", clause=SIGNED_CLAUSE
    )


def sensor_checks(message: FingerEvidenceMessage, session: FingerSession) -> tuple[CheckView, CheckView]:
    """Whose picture it was, and what that scanner said about imitations."""
    return sensor_check(message.sensor_pad, doubted=session.doubted), device_check(session.device)


def journal_details(finding: FingerFinding, message: FingerEvidenceMessage, session: FingerSession) -> dict[str, str]:
    """For the journal: what was looked at and by what, nothing of the finger itself."""
    return {
        "quality": str(finding.quality),
        "compared": str(finding.compared).lower(),
        "engine": finding.engine,
        "scanner": session.device or message.scanner,
        "signed": str(bool(session.device)).lower(),
        "sensor": message.sensor_pad.verdict.value,
        "sensor_source": message.sensor_pad.source,
    }
