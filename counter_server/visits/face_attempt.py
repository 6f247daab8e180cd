"""One attempt at the face check: what is asked for, over which line, and how often it may begin."""

import hmac
import secrets

from sqlalchemy import Connection

from biometrics.face.liveness.challenge import bind
from counter_server.errors import CounterError
from counter_server.visits import document_tries, store
from counter_server.visits.closing import refuse
from counter_server.visits.evidence import CHIP_PORTRAIT
from counter_server.visits.facts import Visit
from counter_server.visits.machine import Event
from counter_server.visits.office import FaceChallenge, Office
from webrtc.wire.face import Guidance, GuidanceCode
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import Reason, VisitState

STARTS_PER_ATTEMPT = 5  # a page may lose its line and begin again, but not for ever
PICTURES_PER_S = 30.0  # every picture: each VP8 picture needs those before it; the face process looks at some


async def start_face(office: Office, visit_id: str, *, colours: bool = False) -> None:
    """Draw what is asked for and watch the customer's line until the face process has decided.

    Args:
        colours: Whether the page may show the screen's colours; the policy may say no all the same.
    """
    visit, spent, begun = await office.db.run(_read, office, visit_id)
    while (deciding := office.deciding.get(visit_id)) is not None:  # the last attempt is seen and not yet counted
        await deciding.wait()
        visit, spent, begun = await office.db.run(_read, office, visit_id)
    if spent:
        await _without_face_check(office, visit)
        return
    if office.faces.unfit is not None:
        raise CounterError(ErrorCode.FACE_UNAVAILABLE)
    portrait = office.evidence_of(visit_id).exhibits.get(CHIP_PORTRAIT)
    if begun >= STARTS_PER_ATTEMPT * office.settings.patience.face_attempts:
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


def _read(connection: Connection, office: Office, visit_id: str) -> tuple[Visit, bool, int]:
    """The visit, whether its document's tries are spent, and how often a check was begun in it."""
    visit = store.load(connection, visit_id)
    if visit.state is not VisitState.FACE:
        raise CounterError(ErrorCode.WRONG_STEP)
    spent = document_tries.are_spent(connection, office.master, visit, office.settings.patience)
    return visit, spent, store.count_journal(connection, visit_id, "face_started")


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
