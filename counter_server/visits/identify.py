"""From card and face to how much is proven. The kiosk gathers, this decides."""

import asyncio
import functools
import hmac
import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from biometrics.face.liveness.challenge import bind
from counter_server.errors import CounterError
from counter_server.identification.chip import ChipFinding, ChipQuestion, check_chip
from counter_server.identification.continuity_calls import Noticed
from counter_server.identification.face_process import FaceFinding, Guide
from counter_server.records.record import ObjectClass
from counter_server.visits import continuity, document_tries, fingers, phone_keys, store
from counter_server.visits.closing import refuse
from counter_server.visits.desk import FACE_REFERRED
from counter_server.visits.evidence import CHIP_PORTRAIT, LIVE_PICTURE, Evidence
from counter_server.visits.facts import Visit
from counter_server.visits.finger_checks import unknown_check
from counter_server.visits.machine import Event
from counter_server.visits.office import FaceChallenge, Office
from hardware_drivers.id_chip.reading import FINGERPRINTS
from webrtc.wire import (
    Assurance,
    Channel,
    CheckOutcome,
    CheckView,
    ChipEvidenceMessage,
    ErrorCode,
    FaceView,
    FingerTask,
    Guidance,
    GuidanceCode,
    HolderView,
    Movement,
    Reason,
    Route,
    ScreenColour,
    Verdict,
    VisitState,
)

log = logging.getLogger(__name__)

STARTS_PER_ATTEMPT = 5  # a page may lose its line and begin again, but not for ever
PICTURES_PER_S = 30.0  # every picture: each VP8 picture needs those before it; the face process looks at some


async def ask_chip(office: Office, visit_id: str) -> ChipQuestion:
    """What the chip of this visit must prove itself over; a new question makes the last one worthless."""
    visit = await office.db.run(store.load, visit_id)
    if visit.state is not VisitState.CARD:
        raise CounterError(ErrorCode.WRONG_STEP)
    office.chip_questions[visit_id] = question = ChipQuestion.draw()
    return question


async def take_chip_evidence(
    office: Office, visit_id: str, message: ChipEvidenceMessage, *, own_challenge: bytes | None = None
) -> None:
    """Check the chip's files; the visit goes on to the face, or is refused with the reason.

    Args:
        own_challenge: Where the counter itself drove the reading: what it asked the chip.
    """
    visit = await office.db.run(store.load, visit_id)
    if visit.state is not VisitState.CARD:
        raise CounterError(ErrorCode.WRONG_STEP)
    question = office.chip_questions.pop(visit_id, None) or ChipQuestion.draw()
    if own_challenge is not None:
        question = replace(question, challenge=own_challenge)
    judge = functools.partial(check_chip, own_terminal=own_challenge is not None)
    finding = await asyncio.to_thread(judge, message, office.trust, datetime.now(UTC), question)
    if visit.again and finding.refusal is None and not _same_document(visit.holder, finding.holder):
        finding = replace(finding, refusal=Reason.OTHER_CARD)
    details = {
        "access": message.access,
        "read_ms": str(message.read_ms),
        "reader": message.reader,
        "failed": ",".join(c.name for c in finding.checks if c.outcome is CheckOutcome.FAILED),
    }

    def seen(before: Visit) -> Visit:
        return before.model_copy(update={"checks": (*kept, *finding.checks), "holder": finding.holder})

    kept = tuple(check for check in visit.checks if check.name == continuity.CHECK)

    def still_asked(connection: Connection) -> None:
        if store.load(connection, visit_id).state is not VisitState.CARD:
            raise CounterError(ErrorCode.WRONG_STEP, "another card was quicker")

    if finding.refusal is not None:

        def refused(connection: Connection) -> None:
            still_asked(connection)
            store.note(connection, visit_id, store.COUNTER, "chip_refused", seen, details)
            _keep(office.evidence_of(visit_id), message, question, finding)

        await refuse(office, visit_id, finding.refusal, store.COUNTER, refused)
        return
    dg3 = message.data_groups.get(FINGERPRINTS)
    asked = await fingers.to_ask(office, visit, finding.holder, dg3, after_face=False)
    if asked is None:
        await office.db.run(store.move, visit_id, Event.CHIP_ACCEPTED, store.COUNTER, seen, details)
    else:
        wanted = asked.view

        def seen_and_asked(before: Visit) -> Visit:
            return seen(before).model_copy(update={"finger": wanted})

        await office.db.run(store.move, visit_id, Event.FINGER_ASKED, store.COUNTER, seen_and_asked, details)
    # Not before: of two cards read at once, the portrait kept must be that of the holder who was accepted.
    _keep(office.evidence_of(visit_id), message, question, finding)
    office.evidence_of(visit_id).finger = None if asked is None else asked.session
    office.changed(visit_id)


def _same_document(first: HolderView | None, now: HolderView | None) -> bool:
    """Whether a card that was asked for again is the one of the beginning; it may have lain there in between."""
    if first is None or now is None:
        return first is now
    return (first.document_number, first.issuing_state) == (now.document_number, now.issuing_state)


def _keep(evidence: Evidence, message: ChipEvidenceMessage, question: ChipQuestion, finding: ChipFinding) -> None:
    asked = {"challenge": question.challenge.hex(), "counter_secret": question.terminal.secret.hex()}
    evidence.add("chip/question.json", ObjectClass.EVIDENCE, "application/json", json.dumps(asked).encode())
    if message.proofs:
        evidence.add("chip/proofs.json", ObjectClass.EVIDENCE, "application/json", message.proofs)
    for name, content in (("ef-com", message.ef_com), ("ef-sod", message.ef_sod)):
        evidence.add(f"chip/{name}.bin", ObjectClass.EVIDENCE, "application/octet-stream", content)
    evidence.chip_fingers = message.data_groups.get(FINGERPRINTS)
    for number, content in message.data_groups.items():
        if number == FINGERPRINTS:
            continue  # a picture of a finger: compared with, never kept; the signed list still names its hash
        evidence.add(f"chip/dg{number}.bin", ObjectClass.EVIDENCE, "application/octet-stream", content)
    if finding.portrait is not None:
        original = finding.portrait
        suffix = original.image_type.value.rpartition("/")[2]
        evidence.add(f"chip/portrait.{suffix}", ObjectClass.EVIDENCE, original.image_type.value, original.image)
    if finding.portrait_jpeg is not None:
        evidence.add(CHIP_PORTRAIT, ObjectClass.PORTRAIT, "image/jpeg", finding.portrait_jpeg)


async def start_face(office: Office, visit_id: str, *, colours: bool = False) -> None:
    """Draw what is asked for and watch the customer's line until the face process has decided.

    Args:
        colours: Whether the page may show the screen's colours; the policy may say no all the same.
    """
    if (deciding := office.deciding.get(visit_id)) is not None:
        await deciding.wait()  # "again" was pressed before the last attempt was counted
    visit = await office.db.run(store.load, visit_id)
    if visit.state is not VisitState.FACE:
        raise CounterError(ErrorCode.WRONG_STEP)
    if await office.db.run(document_tries.are_spent, office.master, visit, office.settings.patience):
        await _without_face_check(office, visit)
        return
    if office.faces.unfit is not None:
        raise CounterError(ErrorCode.FACE_UNAVAILABLE)
    evidence = office.evidence_of(visit_id)
    portrait = evidence.exhibits.get(CHIP_PORTRAIT)
    if await office.db.run(store.count_journal, visit_id, "face_started") >= (
        STARTS_PER_ATTEMPT * office.settings.patience.face_attempts
    ):
        await refuse(office, visit_id, Reason.NOT_LIVE, store.COUNTER)
        return
    office.faces.end(visit_id)
    before = office.challenges.pop(visit_id, None)
    if before is not None and before.shown and not await _count_abandoned(office, visit):
        return
    challenge = draw_challenge(office, visit_id)  # only now, when the line is up: no film can have been made for it
    lit = "" if colours else "this screen shows none, or was asked not to"
    if not office.settings.patience.face_colours:
        lit = "switched off at this counter"
    held = None if portrait is None else portrait.content
    office.faces.begin(visit_id, held, challenge.seed, without_colours_because=lit)
    try:
        await office.calls.watch(visit_id, PICTURES_PER_S)
    except CounterError:
        office.faces.end(visit_id)
        raise
    office.guidance[visit_id] = Guidance(code=GuidanceCode.STARTING)
    await office.db.run(
        store.note,
        visit_id,
        store.COUNTER,
        "face_started",
        details={
            "nonce": challenge.nonce.hex(),
            "attempt": str(visit.face_attempts + 1),
            "engine": office.faces.engine,
        },
    )
    office.changed(visit_id)


async def _without_face_check(office: Office, visit: Visit) -> None:
    """Too many failed with this document: a clerk's eyes decide, where they may, and nobody else's."""
    office.faces.end(visit.visit_id)
    office.challenges.pop(visit.visit_id, None)
    await office.calls.unwatch(visit.visit_id)
    office.guidance.pop(visit.visit_id, None)
    if not document_tries.may_go_to_clerk(office.catalogue[visit.service_id]):
        await refuse(office, visit.visit_id, Reason.DOCUMENT_TRIES, store.COUNTER)
        return
    event, change = Event.FACE_LEFT_TO_CLERK, document_tries.left_to_clerk
    await office.db.run(store.move, visit.visit_id, event, store.COUNTER, change)
    office.changed(visit.visit_id)


def draw_challenge(office: Office, visit_id: str) -> FaceChallenge:
    """What this attempt is drawn from; it holds for the line that is up now and for no other."""
    nonce = secrets.token_bytes(16)
    seed = bind(office.liveness_secret, visit_id, office.calls.fingerprint(visit_id), nonce)
    office.challenges[visit_id] = challenge = FaceChallenge(nonce, seed)
    return challenge


async def _count_abandoned(office: Office, visit: Visit) -> bool:
    """Beginning again after a movement was asked for costs a try: else one would begin until it suits one's film.

    False where it was the last one, and the visit is refused.
    """
    attempts = visit.face_attempts + 1

    def counted(before: Visit) -> Visit:
        return before.model_copy(update={"face_attempts": attempts})

    details = {"attempt": str(attempts)}

    def write(connection: Connection) -> None:
        store.note(connection, visit.visit_id, store.COUNTER, "face_abandoned", counted, details)
        document_tries.count_failure(connection, office.master, visit, office.settings.patience)

    await office.db.run(write)
    if attempts < office.settings.patience.face_attempts:
        return True
    await refuse(office, visit.visit_id, Reason.NOT_LIVE, store.COUNTER)
    return False


def same_line(office: Office, visit_id: str) -> bool:
    """Whether the pictures still come over the line that this attempt's movements were drawn for."""
    challenge = office.challenges.get(visit_id)
    if challenge is None:
        return False
    again = bind(office.liveness_secret, visit_id, office.calls.fingerprint(visit_id), challenge.nonce)
    return hmac.compare_digest(again, challenge.seed)


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

    def write(connection: Connection) -> None:
        store.note(connection, visit_id, store.COUNTER, "face_not_passed", seen, details)
        document_tries.count_failure(connection, office.master, visit, office.settings.patience)

    await office.db.run(write)
    office.changed(visit_id)
    if left == 0:
        before = visit.face  # of the try before this one: a living other face says more than a movement that was missed
        reason = Reason.FACE_DIFFERENT if live or (before is not None and before.live) else Reason.NOT_LIVE
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
