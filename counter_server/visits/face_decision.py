"""From what the face process says to how much is proven."""

import logging
from collections.abc import Callable

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from biometrics.face.outcome import FaceReason
from counter_server.errors import CounterError
from counter_server.identification.continuity_calls import Noticed
from counter_server.identification.face_process import FaceFinding, Guide
from counter_server.records.record import ObjectClass
from counter_server.visits import continuity, document_tries, fingers, phone_keys, store
from counter_server.visits.closing import refuse
from counter_server.visits.desk import FACE_REFERRED
from counter_server.visits.evidence import LIVE_PICTURE
from counter_server.visits.face_attempt import same_line
from counter_server.visits.facts import Visit
from counter_server.visits.finger_checks import unknown_check
from counter_server.visits.machine import Event
from counter_server.visits.office import Office
from webrtc.wire.catalogue import Assurance, Channel, Route
from webrtc.wire.check import CheckOutcome, CheckView, Verdict
from webrtc.wire.face import FaceView, Guidance, GuidanceCode, Movement, ScreenColour
from webrtc.wire.finger import FingerTask
from webrtc.wire.visit import Reason, VisitState

log = logging.getLogger(__name__)


async def follow_faces(office: Office) -> None:
    """Turn what the face process says into guidance and decisions, for as long as the office is open."""
    while True:
        event = await office.face_events.get()
        try:
            match event:
                case Guide():
                    if event.movement is not None and (asked := office.challenges.get(event.session_id)) is not None:
                        asked.shown = True
                    office.guidance[event.session_id] = Guidance(
                        code=GuidanceCode(event.code),
                        movement=None if event.movement is None else Movement(event.movement),
                        progress=event.progress,
                        colour=None if event.colour is None else ScreenColour(event.colour),
                    )
                    office.changed(event.session_id)
                case FaceFinding():
                    try:
                        await decide_face(office, event)
                    finally:
                        if (deciding := office.deciding.pop(event.session_id, None)) is not None:
                            deciding.set()
                case Noticed():
                    await continuity.notice(office, event)
                case str():  # the face process died under this session; the attempt does not count
                    office.challenges.pop(event, None)
                    await office.calls.unwatch(event)
                    office.guidance.pop(event, None)
                    office.changed(event)
        except CounterError as error:
            log.info("face event of a visit that has moved on: %s", error)
        except SQLAlchemyError as error:
            log.error("face event not written: %s", type(error).__name__)  # not counted; the page may begin again


async def decide_face(office: Office, finding: FaceFinding) -> None:
    """Go on, to self-service or to a clerk's eyes; or count the attempt, and refuse after the last."""
    visit_id = finding.session_id
    await office.calls.unwatch(visit_id)
    office.guidance.pop(visit_id, None)
    visit = await office.db.run(store.load, visit_id)
    if visit.state is not VisitState.FACE:
        return
    bound = same_line(office, visit_id)
    office.challenges.pop(visit_id, None)  # this attempt counts; the next one gets movements of its own
    if finding.best_jpeg is not None:
        office.evidence_of(visit_id).add(LIVE_PICTURE, ObjectClass.PICTURE, "image/jpeg", finding.best_jpeg)
    attempts = visit.face_attempts + 1
    left = max(0, office.settings.patience.face_attempts - attempts)
    verdict = Verdict(finding.verdict)
    live = finding.live and bound
    if not bound:
        verdict = Verdict.REJECT
    passed = live and verdict is not Verdict.REJECT
    face = FaceView(
        verdict=verdict,
        live=live,
        compared=finding.compared,
        fmr_upper=finding.fmr_upper,
        comparisons=finding.comparisons,
        engine=finding.engine,
        reasons=finding.reasons,
        attempts_left=left,
    )
    checks = tuple(
        CheckView(name=c.name, outcome=CheckOutcome(c.outcome), why=c.why, clause="") for c in finding.checks
    )
    checks += (line_check(bound=bound), *camera_checks(visit.channel))
    details = {
        "verdict": verdict.value,
        "live": str(live).lower(),
        "compared": str(finding.compared).lower(),
        "attempt": str(attempts),
        "engine": finding.engine,
    }
    service = office.catalogue[visit.service_id]
    accepted = verdict is Verdict.ACCEPT and live and finding.compared
    assurance = Assurance.CHIP_AND_FACE if accepted else Assurance.LIVE_PERSON if passed else Assurance.NONE
    # A genuine chip whose portrait is close but not close enough goes to a clerk's eyes, never through alone.
    referred = passed and finding.compared and not accepted
    asked = None
    if passed:
        held = office.evidence_of(visit_id).chip_fingers
        asked = await fingers.to_ask(office, visit, visit.holder, held, after_face=True)
        if asked is None and not visit.again and fingers.asks_finger(office, visit):
            checks += (unknown_check(),)
    both = asked is not None and asked.view.task is FingerTask.COMPARE
    if visit.again and accepted and visit.finger is not None and visit.finger.verdict is Verdict.ACCEPT:
        assurance = Assurance.CHIP_FACE_AND_FINGER  # the finger was the holder's, and so is the face now
    reached = Assurance.CHIP_FACE_AND_FINGER if both and accepted else assurance  # what it comes to if the finger fits
    route = Route.CLERK if referred else service.route(reached)
    if route is Route.SELF_SERVICE and not service.engine_may_decide(finding.fmr_worst_group):
        route = Route.CLERK  # the engine assists: too few people were measured to promise what this service asks for
        checks += (assists_check(service.unattended_fmr),)
    if phone_keys.does_without_clerk(service, visit) and not referred:
        route = Route.SELF_SERVICE

    names = {check.name for check in checks} | {"face_error_rate"}

    def seen(before: Visit) -> Visit:
        kept = tuple(check for check in before.checks if check.name not in names)
        return before.model_copy(
            update={
                "face": face,
                "face_attempts": attempts,
                "checks": kept + checks,
                "assurance": assurance,
                "route": route if passed else before.route,
                "finger": before.finger if asked is None else asked.view,
            }
        )

    if passed and route is not Route.NOT_HERE:
        if visit.again:
            await _back_in_call(office, visit, seen, details, referred=referred)
        else:
            event = Event.FACE_PASSED if asked is None else Event.FINGER_ASKED
            await office.db.run(store.move, visit_id, event, store.COUNTER, seen, details)
            if asked is not None:
                office.evidence_of(visit_id).finger = asked.session
        office.changed(visit_id)
        return
    office.faces.end(visit_id)  # also where the line was another: nobody is remembered who was not accepted
    reasons = " ".join(finding.reasons)
    failed = " ".join(check.name for check in checks if check.outcome is CheckOutcome.FAILED)
    log.info("face not passed: %s; failed checks: %s", reasons or "no reason", failed or "none")

    def write(connection: Connection) -> None:
        store.note(connection, visit_id, store.COUNTER, "face_not_passed", seen, details | {"reasons": reasons})
        document_tries.count_failure(connection, office.master, visit, office.settings.patience)

    await office.db.run(write)
    office.changed(visit_id)
    if left == 0:
        # another face says more than a movement that was missed, in this try or in the one before it
        tries = (face,) if visit.face is None else (visit.face, face)
        different = any(one.live or FaceReason.FACE_DIFFERENT in one.reasons for one in tries)
        reason = Reason.FACE_DIFFERENT if different else Reason.NOT_LIVE
        await refuse(office, visit_id, reason, store.COUNTER)


async def _back_in_call(
    office: Office, visit: Visit, seen: Callable[[Visit], Visit], details: dict[str, str], *, referred: bool
) -> None:
    def known(before: Visit) -> Visit:
        return continuity.identified_again(seen(before), FACE_REFERRED, referred=referred)

    def write(connection: Connection) -> Visit:
        event = continuity.to_the_desk(connection, store.load(connection, visit.visit_id))
        return store.move(connection, visit.visit_id, event, store.COUNTER, known, details)

    back = await office.db.run(write)
    if back.state is VisitState.SERVING:
        await continuity.follow(office, back)


def assists_check(asked: float | None) -> CheckView:
    """Why a face that was accepted goes to a clerk all the same."""
    why = f"this service asks for an error rate of {asked or 0:g}, which the engine's calibration does not support"
    return CheckView(name="face_error_rate", outcome=CheckOutcome.NOT_POSSIBLE, why=why, clause="")


def line_check(*, bound: bool) -> CheckView:
    """Whether the movements were drawn for the very line that the pictures came by."""
    if bound:
        outcome, why = CheckOutcome.PASSED, "drawn for this visit and the certificate at the other end of its line"
    else:
        outcome, why = CheckOutcome.FAILED, "the pictures came by another line than the movements were drawn for"
    return CheckView(name="line", outcome=outcome, why=why, clause="")


def camera_checks(channel: Channel) -> tuple[CheckView, ...]:
    """What nobody vouches for; why a phone's visit cannot reach the assurance of a kiosk's (CEN/TS 18099)."""
    if channel is not Channel.PHONE:
        return ()
    why = "a phone's browser vouches for no camera: a picture made by software would look the same"
    return (CheckView(name="camera_vouched", outcome=CheckOutcome.NOT_POSSIBLE, why=why, clause="CEN/TS 18099"),)
