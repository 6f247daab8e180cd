"""What comparisons of fingers come to: accept, refer to a clerk, or reject; over impressions, tries and fingers.

Nobody is turned away by a sensor. A worn, cold or missing finger ends in `REFER`, where a clerk's eyes, a photograph
and a second person's approval decide; so does a print too poor to compare. Claims add up: whoever may try three times
against three impressions gets nine chances, and the false match rate told is nine times one comparison's at most.

ISO/IEC 24745 on what is stored: minutiae can be turned back into a finger's likeness, so templates are kept sealed
under the record's key and deleted with it; a distance, a verdict or a reason from here holds nothing of the template,
and `Cylinders` live only as long as the comparison.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib.resources import files
from typing import Final

from biometrics.decision import Calibration, Check, CheckOutcome, Score, Thresholds, Verdict
from biometrics.errors import CalibrationError
from biometrics.face.calibration import read_calibration
from biometrics.fingerprint.cylinders import Cylinders
from biometrics.fingerprint.match import MATCHER, Comparison, compare
from biometrics.fingerprint.minutiae import Minutiae
from biometrics.fingerprint.quality import MIN_SURE
from biometrics.fingerprint.template import FingerPosition

MAX_TRIES: Final = 3  # NIST SP 800-76-2 and EES practice; each one more multiplies a stranger's chance


class FingerReason(StrEnum):
    """Why a finger was not accepted. Several may hold."""

    TOO_LITTLE = "too_little"  # the print shows too few minutiae: please again, or another finger
    NO_REFERENCE = "no_reference"  # nothing enrolled, or nothing comparable in it
    FINGER_DIFFERENT = "finger_different"
    FINGER_UNCERTAIN = "finger_uncertain"
    TOO_MANY_TRIES = "too_many_tries"
    FINGER_MISSING = "finger_missing"  # the person cannot give the finger asked for


class FingerRule(StrEnum):
    """How several fingers count together."""

    ANY = "any"  # one accepted finger is enough: for convenience
    ALL = "all"  # every finger asked for must be accepted: for high risk


@dataclass(frozen=True, slots=True)
class FingerDecision:
    """The verdict on one finger and what it rests on."""

    verdict: Verdict
    compared: bool
    match: Score | None
    reasons: tuple[FingerReason, ...]
    checks: tuple[Check, ...]
    comparison: Comparison | None
    engine: str
    calibration: str
    enrolled: int
    """Impressions compared with."""
    tries: int


def engine_name(extractor: str, *, foreign: bool) -> str:
    """What a calibration belongs to: who found the minutiae on both sides, and who compared them."""
    return f"{extractor}+{MATCHER}" + (" with foreign templates" if foreign else "")


def load_finger_calibration(extractor: str, *, foreign: bool = False, text: str | None = None) -> Calibration:
    """The calibration of this extractor, or of other vendors' templates against it: never one for the other.

    Raises:
        CalibrationError: For another engine, or a field is missing or senseless.
    """
    if text is None:
        name = "thresholds_foreign.toml" if foreign else "thresholds.toml"
        text = files("biometrics.fingerprint").joinpath(name).read_text(encoding="utf-8")
    calibration = read_calibration(text)
    expected = engine_name(extractor, foreign=foreign)
    if calibration.engine != expected:
        raise CalibrationError(f"measured for {calibration.engine}, asked for was {expected}")
    return calibration


def decide_finger(
    probe: Minutiae, enrolled: Sequence[Minutiae], calibration: Calibration, *, tries: int = 1
) -> FingerDecision:
    """The verdict on one impression against all that are enrolled of the finger: the nearest counts.

    Args:
        probe: The best impression of this visit.
        enrolled: One or more impressions by one producer.
        calibration: Of exactly that pair of producers; see `load_finger_calibration`.
        tries: How many impressions the person has given so far, this one included.
    """
    ours = Cylinders.of(probe)
    references = [reference for reference in map(Cylinders.of, enrolled) if reference.comparable]
    thresholds = calibration.of(max(len(references), 1))
    if thresholds is None:
        raise CalibrationError("nothing was measured with one enrolled impression")
    if tries > MAX_TRIES:
        return _undecided(FingerReason.TOO_MANY_TRIES, thresholds, len(references), tries)
    if not references:
        return _undecided(FingerReason.NO_REFERENCE, thresholds, 0, tries)
    if not ours.comparable:
        return _undecided(FingerReason.TOO_LITTLE, thresholds, len(references), tries)
    compared = [(compare(ours, reference), reference) for reference in references]
    nearest, reference = min(compared, key=lambda one: one[0].distance)
    verdict, score = thresholds.judge(nearest.distance)
    few = min(ours.certain, reference.certain) < MIN_SURE
    if few and verdict is Verdict.ACCEPT:
        verdict = Verdict.REFER  # so little is a clerk's to see, though the rate holds there too: docs/fingerprints.md
    # measured with `frames_fused` impressions and one try; every further one is another chance for a stranger
    score = _with_chances(score, tries * -(-len(references) // thresholds.frames_fused))
    reasons = {
        Verdict.ACCEPT: (),
        Verdict.REFER: (FingerReason.FINGER_UNCERTAIN,),
        Verdict.REJECT: (FingerReason.FINGER_DIFFERENT,),
    }[verdict]
    outcome = {
        Verdict.ACCEPT: CheckOutcome.PASSED,
        Verdict.REFER: CheckOutcome.NOT_POSSIBLE,
        Verdict.REJECT: CheckOutcome.FAILED,
    }[verdict]
    words = f"{nearest.mates} minutiae lie on one another; strangers come as close in {score.fmr_upper:.1e} at most"
    if few:
        words = f"{nearest.mates} minutiae lie on one another, of too few for a machine to accept"
    return FingerDecision(
        verdict=verdict,
        compared=True,
        match=score,
        reasons=reasons,
        checks=(Check("finger", outcome, words, "ISO/IEC 19795-1"),),
        comparison=nearest,
        engine=thresholds.engine,
        calibration=thresholds.calibration,
        enrolled=len(references),
        tries=tries,
    )


def decide_fingers(decisions: Mapping[FingerPosition, FingerDecision | None], rule: FingerRule) -> Verdict:
    """The verdict over several fingers; None for one that the person cannot give, which a clerk has to see."""
    verdicts = [Verdict.REFER if decision is None else decision.verdict for decision in decisions.values()]
    if not verdicts:
        return Verdict.REFER
    ranked = (Verdict.REJECT, Verdict.REFER, Verdict.ACCEPT)
    pick = max if rule is FingerRule.ANY else min
    return pick(verdicts, key=ranked.index)


def claimed_fmr(decisions: Mapping[FingerPosition, FingerDecision | None], rule: FingerRule) -> float:
    """Upper bound of a stranger's chance under the rule; 1 where nothing was compared.

    Fingers of one hand are worn by one life, so nothing is multiplied: under `ALL` the best single finger's claim
    stands, under `ANY` the claims add up.
    """
    claims = [one.match.fmr_upper for one in decisions.values() if one is not None and one.match is not None]
    if not claims:
        return 1.0
    return min(claims) if rule is FingerRule.ALL else min(1.0, sum(claims))


def _undecided(reason: FingerReason, thresholds: Thresholds, enrolled: int, tries: int) -> FingerDecision:
    """Nothing was compared: a clerk decides."""
    return FingerDecision(
        verdict=Verdict.REFER,
        compared=False,
        match=None,
        reasons=(reason,),
        checks=(Check("finger", CheckOutcome.NOT_POSSIBLE, reason.value.replace("_", " ")),),
        comparison=None,
        engine=thresholds.engine,
        calibration=thresholds.calibration,
        enrolled=enrolled,
        tries=tries,
    )


def _with_chances(score: Score, chances: int) -> Score:
    """The union bound: so many chances, so many times the rate at most."""
    return replace(
        score,
        fmr_upper=min(1.0, score.fmr_upper * chances),
        fmr_upper_worst_group=min(1.0, score.fmr_upper_worst_group * chances),
        fmr_worst_group=min(1.0, score.fmr_worst_group * chances),
        likelihood_ratio=score.likelihood_ratio / chances,
    )
