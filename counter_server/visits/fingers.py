"""The finger step: what is asked for, what each impression comes to, and the way on for whoever cannot give one.

The desk only hands over pictures; minutiae, comparison and decision are the counter's (`identification/fingers.py`).
Pictures are never kept. Only a sensor says anything about imitations, and its word is recorded with its name.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from biometrics.fingerprint.policy import MAX_TRIES
from biometrics.fingerprint.quality import MIN_SURE
from counter_server.catalogue.catalogue import FingerUse
from counter_server.errors import CounterError
from counter_server.identification.card_finger import finger_in
from counter_server.identification.finger_messages import FingerFinding, Judge
from counter_server.identification.signed_finger import signed_finger
from counter_server.records.errors import RecordError
from counter_server.records.record import ObjectClass
from counter_server.visits import customer, enrolments, scanner_keys, store
from counter_server.visits.closing import end, refuse
from counter_server.visits.evidence import FingerSession
from counter_server.visits.facts import Visit
from counter_server.visits.finger_checks import finger_check, journal_details, sensor_checks, unbelieved_check
from counter_server.visits.machine import Event
from counter_server.visits.office import Office
from hardware_drivers.errors import ScannerUntrustedError
from webrtc.wire.card import HolderView
from webrtc.wire.catalogue import Assurance, Channel, Route
from webrtc.wire.check import CheckOutcome, CheckView, Verdict
from webrtc.wire.finger import (
    CannotGiveFinger,
    FingerAdvice,
    FingerEvidenceMessage,
    FingerTask,
    FingerView,
    PadVerdict,
    SensorPad,
)
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import Reason, SubmitForm, VisitState

RIGHT_INDEX = 2  # the finger people point with, and the first that DG3 and EES ask for
MOST_SEEN = 9  # pictures of nothing, three for each try: then a person helps
MOST_SEEN_ENROLLING = 15
ADVISED = 4  # so often an enrolment asks for a better impression; then a readable one is taken as it is
TEMPLATE_TYPE = "application/vnd.iso.19794-2"
PROBE = "finger/probe.fmr"


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """What the finger step begins with."""

    view: FingerView
    session: FingerSession


async def to_ask(
    office: Office, visit: Visit, holder: HolderView | None, dg3: bytes | None, *, after_face: bool
) -> Asked | None:
    """What this visit's service wants of a finger now; None where nothing, or where nothing is known to compare with.

    Args:
        dg3: The fingers in the chip, where this desk was let read them.
        after_face: Whether the face has passed; before it only a finger *instead* of the face is asked for.
    """
    use = office.catalogue[visit.service_id].finger
    if use is None or visit.channel is not Channel.KIOSK or holder is None:
        return None
    if visit.again:
        return None  # in mid-call the face decides; what the finger proved of the holder stands
    if after_face is (use is FingerUse.INSTEAD):
        return None
    office.spawn(office.fingers.warm(), "finger")
    if use is FingerUse.ENROL:
        view = FingerView(
            task=FingerTask.ENROL,
            position=RIGHT_INDEX,
            wanted=enrolments.IMPRESSIONS,
            attempts_left=MOST_SEEN_ENROLLING,
        )
        return _asked(office, view, FingerSession())
    on_card = None if dg3 is None else await asyncio.to_thread(finger_in, dg3)
    if on_card is not None:
        position, picture = on_card
        session = FingerSession(pictures=(picture,))
    else:
        enrolled = await office.db.run(enrolments.find, office.master, holder)
        if enrolled is None:
            return None
        try:
            templates = await asyncio.to_thread(enrolled.templates, office.safe)
        except RecordError:
            return None  # the safe's own checks name what is broken; this visit goes on to a clerk
        position, session = enrolled.position, FingerSession(enrolled=templates)
    return _asked(office, FingerView(task=FingerTask.COMPARE, position=position, attempts_left=MAX_TRIES), session)


def _asked(office: Office, view: FingerView, session: FingerSession) -> Asked:
    """With what a scanner has to sign, where this office knows who may vouch for scanners."""
    session.transaction = secrets.token_hex(16) if office.scanner_makers else ""
    return Asked(view.model_copy(update={"transaction": session.transaction}), session)


def asks_finger(office: Office, visit: Visit) -> bool:
    """Whether this visit's service wants a finger beside the face."""
    service = office.catalogue[visit.service_id]
    return service.finger is FingerUse.ALSO and visit.channel is Channel.KIOSK


async def take_impression(office: Office, visit_id: str, message: FingerEvidenceMessage) -> None:
    """Judge one picture from the desk's scanner.

    Raises:
        CounterError: WRONG_STEP; BAD_REQUEST for another finger than asked for; SCANNER_BUSY while one is judged;
            FINGER_POOR for what is no picture of a finger; TOO_MANY_TRIES after the last of an enrolment; NO_SCANNER
            for a picture without the signature that this office asks for.
    """
    visit = await office.db.run(store.load, visit_id)
    session = office.evidence_of(visit_id).finger
    if visit.state is not VisitState.FINGER or visit.finger is None or session is None:
        raise CounterError(ErrorCode.WRONG_STEP)
    enrolling = visit.finger.task is FingerTask.ENROL
    free = enrolling and not session.given
    if message.position != visit.finger.position and not (free and message.position > 0):
        raise CounterError(ErrorCode.BAD_REQUEST, "another finger is asked for", "position")
    if visit.finger.attempts_left == 0:
        raise CounterError(ErrorCode.TOO_MANY_TRIES)
    if session.busy:
        raise CounterError(ErrorCode.SCANNER_BUSY)
    session.busy = True
    try:
        await (_enrol if enrolling else _compare)(office, visit, visit.finger, session, message)
    except ScannerUntrustedError as error:
        checks = (unbelieved_check(str(error)),)
        await _note(office, visit_id, "finger_not_believed", visit.finger, checks, {"scanner": message.scanner})
        raise CounterError(ErrorCode.NO_SCANNER, "the scanner's signature does not hold") from error
    finally:
        session.busy = False


async def _enrol(
    office: Office, visit: Visit, given: FingerView, session: FingerSession, message: FingerEvidenceMessage
) -> None:
    session.seen += 1
    finding = await _judge(office, message, session.given, session, tries=1)
    advice = _advice_enrolling(session, finding, message.sensor_pad)
    if advice is None:
        session.given = (*session.given, finding.template)
    view = given.model_copy(
        update={
            "position": message.position,
            "taken": len(session.given),
            "advice": advice,
            "engine": finding.engine,
            "attempts_left": max(0, MOST_SEEN_ENROLLING - session.seen),
            "transaction": session.renewed(),
        }
    )
    details = {"taken": str(len(session.given)), **journal_details(finding, message, session)}
    if len(session.given) < enrolments.IMPRESSIONS:
        await _note(office, visit.visit_id, "finger_given", view, sensor_checks(message, session), details)
        return
    for number, template in enumerate(session.given, 1):
        name = f"finger/enrolled-{number}.fmr"
        office.evidence_of(visit.visit_id).add(name, ObjectClass.FINGER, TEMPLATE_TYPE, template)
    why = f"{len(session.given)} impressions of one finger, each compared with those before"
    checks = (
        CheckView(name="finger_enrolled", outcome=CheckOutcome.PASSED, why=why, clause="ISO/IEC 19794-2"),
        *sensor_checks(message, session),
    )
    await office.db.run(
        store.move, visit.visit_id, Event.FINGER_ENROLLED, store.COUNTER, _seen(view, checks, visit.route), details
    )
    if office.catalogue[visit.service_id].form:
        office.changed(visit.visit_id)
    else:
        await customer.submit_form(office, visit.visit_id, SubmitForm(values={}))


def _advice_enrolling(session: FingerSession, finding: FingerFinding, sensor: SensorPad) -> FingerAdvice | None:
    """What is wrong with an impression that is to be kept; None when nothing is."""
    if sensor.verdict is PadVerdict.ATTACK:
        return FingerAdvice.SENSOR_DOUBTS
    if finding.advice is not None and (session.seen <= ADVISED or finding.minutiae < MIN_SURE):
        return FingerAdvice(finding.advice)
    if session.given and Verdict(finding.verdict) is not Verdict.ACCEPT:
        return FingerAdvice.SAME_FINGER
    return None


async def _compare(
    office: Office, visit: Visit, given: FingerView, session: FingerSession, message: FingerEvidenceMessage
) -> None:
    session.seen += 1
    finding = await _judge(office, message, session.enrolled, session, tries=session.tries + 1)
    if message.sensor_pad.verdict is PadVerdict.ATTACK:
        session.doubted = True
        session.tries += 1
        advice: FingerAdvice | None = FingerAdvice.SENSOR_DOUBTS
    elif not finding.compared:  # gives a stranger no chance and costs no try
        advice = FingerAdvice(finding.advice) if finding.advice else FingerAdvice.USE_MORE_OF_PAD
    else:
        session.tries += 1
        if finding.minutiae < MIN_SURE and Verdict(finding.verdict) is Verdict.REJECT:
            finding = replace(finding, verdict=Verdict.REFER.value)  # too little of a finger to call it another's
        if session.best is None or finding.quality > session.best.quality or finding.verdict == Verdict.ACCEPT:
            session.best = finding
        advice = FingerAdvice(finding.advice) if finding.advice else FingerAdvice.NOT_ALIKE
        if Verdict(finding.verdict) is Verdict.ACCEPT:
            await _decided(office, visit, given, session, message)
            return
    left = max(0, MAX_TRIES - session.tries)
    if left == 0 or session.seen >= MOST_SEEN:
        await _decided(office, visit, given, session, message)
        return
    view = given.model_copy(
        update={
            "taken": session.tries,
            "advice": advice,
            "attempts_left": left,
            "transaction": session.renewed(),
        }
    )
    checks = sensor_checks(message, session)
    details = {"try": str(session.tries), **journal_details(finding, message, session)}
    await _note(office, visit.visit_id, "finger_not_passed", view, checks, details)


async def _decided(
    office: Office, visit: Visit, given: FingerView, session: FingerSession, message: FingerEvidenceMessage
) -> None:
    """On with it, to a clerk's eyes, or refused: by the impression of the best quality, after the last try."""
    service = office.catalogue[visit.service_id]
    best = session.best
    verdict = Verdict.REFER if best is None else Verdict(best.verdict)
    if session.doubted and verdict is Verdict.ACCEPT:
        verdict = Verdict.REFER  # whatever the ridges say: the sensor has seen something that was no skin
    view = given.model_copy(
        update={
            "taken": session.tries,
            "advice": None,
            "verdict": verdict,
            "compared": best is not None,
            "fmr_upper": None if best is None else best.fmr_upper,
            "comparisons": None if best is None else best.comparisons,
            "engine": "" if best is None else best.engine,
            "attempts_left": max(0, MAX_TRIES - session.tries),
        }
    )
    checks = (finger_check(best, verdict), *sensor_checks(message, session))
    details = {
        "verdict": verdict.value,
        "tries": str(session.tries),
        **journal_details(best or FingerFinding(True), message, session),
    }
    if best is not None and best.template:
        evidence = office.evidence_of(visit.visit_id)
        evidence.add(PROBE, ObjectClass.EVIDENCE, TEMPLATE_TYPE, best.template)
    if verdict is Verdict.REJECT:
        seen = _seen(view, checks, visit.route)
        await refuse(
            office,
            visit.visit_id,
            Reason.FINGER_DIFFERENT,
            store.COUNTER,
            lambda connection: store.note(
                connection, visit.visit_id, store.COUNTER, "finger_not_passed", seen, details
            ),
        )
        return
    assurance, route, event = visit.assurance, Route.CLERK, Event.FINGER_LEFT_TO_CLERK
    if verdict is Verdict.ACCEPT and best is not None:
        event = Event.FINGER_PASSED
        assurance = (
            Assurance.CHIP_FACE_AND_FINGER
            if assurance is Assurance.CHIP_AND_FACE
            else Assurance.CHIP_AND_FINGER
            if service.finger is FingerUse.INSTEAD
            else assurance
        )
        route = service.route(assurance) if visit.route is not Route.CLERK else Route.CLERK
        alone = service.finger is FingerUse.INSTEAD  # nothing else has promised the rate that this service asks for
        if route is Route.SELF_SERVICE and alone and not service.engine_may_decide(best.fmr_worst_group):
            route = Route.CLERK
    if service.finger is FingerUse.INSTEAD and route is Route.CLERK:
        event, route = Event.FACE_INSTEAD, visit.route  # a clerk needs a face that has passed, to watch in the call
        assurance = Assurance.NONE
    await office.db.run(
        store.move, visit.visit_id, event, store.COUNTER, _seen(view, checks, route, assurance), details
    )
    office.changed(visit.visit_id)


async def cannot_give(office: Office, visit_id: str, request: CannotGiveFinger) -> None:
    """A missing, worn or bandaged finger, or no scanner: the face instead, or a clerk and a second person."""
    visit = await office.db.run(store.load, visit_id)
    if visit.state is not VisitState.FINGER or visit.finger is None:
        raise CounterError(ErrorCode.WRONG_STEP)
    details: dict[str, str] = {"why": request.why}
    match office.catalogue[visit.service_id].finger:
        case FingerUse.ENROL:
            await end(office, visit_id, Event.CANCELLED, Reason.CUSTOMER_CANCELLED, store.CUSTOMER)
            return
        case FingerUse.INSTEAD:

            def by_face(before: Visit) -> Visit:
                return before.model_copy(update={"finger": None})

            await office.db.run(store.move, visit_id, Event.FACE_INSTEAD, store.CUSTOMER, by_face, details)
        case _:
            view = visit.finger.model_copy(update={"cannot": True, "advice": None})
            silent = request.why == "no_scanner"
            why = "the scanner of this desk does not answer" if silent else "no finger could be given"
            if visit.finger.taken:  # whoever tried somebody else's first must not hide it by stopping in time
                why += f", after {visit.finger.taken} that did not fit"
            check = CheckView(name="finger", outcome=CheckOutcome.NOT_POSSIBLE, why=why)
            seen = _seen(view, (check,), Route.CLERK)
            await office.db.run(store.move, visit_id, Event.FINGER_LEFT_TO_CLERK, store.CUSTOMER, seen, details)
    office.changed(visit_id)


async def _judge(
    office: Office, message: FingerEvidenceMessage, templates: tuple[bytes, ...], session: FingerSession, *, tries: int
) -> FingerFinding:
    signed = None
    if office.scanner_makers:
        told = message.device_statement, session.transaction, message.position
        believed = await asyncio.to_thread(signed_finger, *told, office.scanner_makers, datetime.now(UTC))
        if not await office.db.run(scanner_keys.belong_together, believed):
            raise ScannerUntrustedError("signed with the key of another device")
        signed, session.device = believed.picture, believed.device
    asked = Judge(
        png=message.image_png,
        dpi=float(message.dpi),
        position=message.position,
        enrolled=templates,
        pictures=session.pictures,
        tries=tries,
        signed=signed,
    )
    finding = await office.fingers.judge(asked)
    if not finding.readable:
        raise CounterError(ErrorCode.FINGER_POOR, "no picture of a finger")
    return finding


async def _note(
    office: Office, visit_id: str, event: str, view: FingerView, checks: tuple[CheckView, ...], details: dict[str, str]
) -> None:
    def seen(before: Visit) -> Visit:
        return _seen(view, checks, before.route)(before)

    await office.db.run(store.note, visit_id, store.COUNTER, event, seen, details)
    office.changed(visit_id)


def _seen(
    view: FingerView, checks: tuple[CheckView, ...], route: Route, assurance: Assurance | None = None
) -> Callable[[Visit], Visit]:
    """The change that a finding makes to a visit; a check of the same name is replaced."""
    names = {check.name for check in checks}

    def change(before: Visit) -> Visit:
        kept = tuple(check for check in before.checks if check.name not in names)
        return before.model_copy(
            update={
                "finger": view,
                "checks": kept + checks,
                "route": route,
                "assurance": before.assurance if assurance is None else assurance,
            }
        )

    return change
