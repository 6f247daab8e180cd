"""The face process: decodes sampled pictures and judges them, away from the server's loop and from the media worker.

Started by `faces.FaceDesk`; ends when its pipe closes, so it never outlives the counter.
"""

import signal
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection

import cv2

from biometrics.decision import CheckOutcome, Thresholds
from biometrics.errors import BiometricsError, PortraitFaceError, PortraitUnreadableError
from biometrics.face.calibration import load_calibration, load_thresholds
from biometrics.face.compare import erase
from biometrics.face.engine import FaceEngine
from biometrics.face.engines import open_engine
from biometrics.face.guidance import Guidance
from biometrics.face.liveness.challenge import draw
from biometrics.face.liveness.colours import Colour
from biometrics.face.liveness.flash import Flash
from biometrics.face.outcome import FaceDecision
from biometrics.face.reference import Reference, load_reference
from biometrics.face.session import TIMEOUT_S, FaceSession
from biometrics.face.texture import Passive, Texture, passive_from
from counter_server.identification.continuity_calls import Follow, FollowedPeople, Unfollow
from counter_server.identification.continuity_watch import thresholds_of_one
from webrtc.engine import EncodedPicture
from webrtc.snapshot import PictureDecoder

LOOKS_PER_S = 12.0  # eyes closed for a quarter of a second are three looks; as `counter evaluate liveness` looks
JPEG_QUALITY = 90
TOO_LATE_S = 1.0  # a picture that waited longer is decoded for the next one's sake and not judged
OVERDUE_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class Begin:
    """A new session: the chip's portrait if there is one, and the seed that everything asked for is drawn from."""

    session_id: str
    portrait: bytes | None
    seed: bytes
    without_colours_because: str = ""
    """Empty where the screen shows its colours."""
    attempt: int = 0
    """What is said of this session bears it: one that ended may still have a word on its way when the next begins."""


@dataclass(frozen=True, slots=True)
class Look:
    """One encoded picture of the session's leg."""

    session_id: str
    picture: EncodedPicture


@dataclass(frozen=True, slots=True)
class Wish:
    """The person cannot do this movement and asks for another."""

    session_id: str


@dataclass(frozen=True, slots=True)
class StopColours:
    """The person wants no changing colours."""

    session_id: str


@dataclass(frozen=True, slots=True)
class End:
    """Forget the session."""

    session_id: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The engine is loaded."""

    engine: str


@dataclass(frozen=True, slots=True)
class Unfit:
    """This machine lacks something; the message names it and the cure."""

    message: str


@dataclass(frozen=True, slots=True)
class Guide:
    """What the person should do now."""

    session_id: str
    code: str
    movement: str | None
    progress: float
    colour: str | None = None
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """One named check of face or liveness."""

    name: str
    outcome: str
    why: str


@dataclass(frozen=True, slots=True)
class FaceFinding:
    """The session's decision."""

    session_id: str
    verdict: str
    live: bool
    compared: bool
    fmr_upper: float | None
    comparisons: int | None
    engine: str
    checks: tuple[CheckFinding, ...]
    reasons: tuple[str, ...]
    best_jpeg: bytes | None
    fmr_worst_group: float | None = None
    """The false match rate that this comparison promises to every group; None promises nothing."""
    attempt: int = 0


@dataclass(slots=True)
class _Running:
    session: FaceSession
    reference: Reference | None
    attempt: int = 0
    decoder: PictureDecoder | None = None
    due_s: float = 0.0
    told: tuple[str, str | None, int, Colour | None] | None = None


def main(pipe: Connection) -> None:
    """Serve sessions until the pipe closes."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the counter ends us
    cv2.setNumThreads(1)  # the second core belongs to the media worker
    try:
        engine = open_engine()
        thresholds = load_thresholds(engine, engine.calibration)
        passive = passive_from()
        people = FollowedPeople(engine, thresholds_of_one(load_calibration(engine, engine.calibration)))
    except BiometricsError as error:
        pipe.send(Unfit(str(error)))  # whoever started us says it, once; a traceback would help nobody
        return
    pipe.send(Ready(engine.id))
    running: dict[str, _Running] = {}
    try:
        while True:
            if pipe.poll(OVERDUE_EVERY_S):
                match pipe.recv():
                    case Begin() as begin:
                        people.forget(begin.session_id)
                        _begin(pipe, running, engine, thresholds, passive, begin)
                    case Look() as look:
                        _look(pipe, running, people, look)
                    case Wish() as wish:
                        _wish(pipe, running, wish)
                    case StopColours() as stop:
                        _stop_colours(pipe, running, stop)
                    case End() as end:
                        if (ended := running.pop(end.session_id, None)) is not None:
                            _decide(ended)
                        people.forget(end.session_id)
                    case Follow() as follow:
                        people.follow(follow)
                    case Unfollow() as unfollow:
                        people.unfollow(unfollow.session_id)
                    case None:
                        return
                    case unknown:
                        raise TypeError(f"no message of ours: {type(unknown).__name__}")
            _end_overdue(pipe, running)
            for noticed in people.news():
                pipe.send(noticed)
    except (EOFError, OSError):
        return  # the counter is gone
    finally:
        people.forget_all()


def _begin(
    pipe: Connection,
    running: dict[str, _Running],
    engine: FaceEngine,
    thresholds: Thresholds,
    passive: Passive | None,
    begin: Begin,
) -> None:
    try:
        reference = None if begin.portrait is None else load_reference(begin.portrait, engine)
    except (PortraitFaceError, PortraitUnreadableError) as error:
        # A portrait nobody can compare with proves nothing, however genuine its signature is.
        check = CheckFinding("portrait_usable", CheckOutcome.FAILED.value, str(error))
        pipe.send(
            FaceFinding(
                session_id=begin.session_id,
                verdict="reject",
                live=False,
                compared=False,
                fmr_upper=None,
                comparisons=None,
                engine=engine.id,
                checks=(check,),
                reasons=("portrait_unusable",),
                best_jpeg=None,
                attempt=begin.attempt,
            )
        )
        return
    challenge = draw(begin.seed)
    flash = Flash(() if begin.without_colours_because else challenge.colours, begin.seed, begin.without_colours_because)
    texture = None if passive is None else Texture(passive)
    session = FaceSession(engine, reference, challenge, thresholds, time.monotonic(), flash, texture)
    running[begin.session_id] = _Running(session, reference, begin.attempt)


def _stop_colours(pipe: Connection, running: dict[str, _Running], stop: StopColours) -> None:
    now = running.get(stop.session_id)
    if now is not None and now.session.flash is not None:
        now.session.flash.stop()
        _guide(pipe, stop.session_id, now, now.session.guidance)


def _wish(pipe: Connection, running: dict[str, _Running], wish: Wish) -> None:
    now = running.get(wish.session_id)
    if now is not None and now.session.ask_another(time.monotonic()):
        _guide(pipe, wish.session_id, now, now.session.guidance)


def _look(pipe: Connection, running: dict[str, _Running], people: FollowedPeople, look: Look) -> None:
    picture = look.picture
    if (watch := people.calls.get(look.session_id)) is not None:
        watch.take(picture, late=time.monotonic() - picture.at_s > TOO_LATE_S)
        return
    now = running.get(look.session_id)
    if now is None:
        return
    if now.decoder is None or now.decoder.codec != picture.codec:
        now.decoder = PictureDecoder(picture.codec)
    now.decoder.feed(picture)
    late = time.monotonic() - picture.at_s > TOO_LATE_S
    if late or picture.at_s < now.due_s:
        return
    pixels = now.decoder.latest()
    if pixels is None:
        return
    now.due_s = next_due_s(now.due_s, picture.at_s)
    _guide(pipe, look.session_id, now, now.session.observe(pixels, picture.at_s, picture.camera_s))
    now.session.told(time.monotonic())
    if now.session.finished:
        del running[look.session_id]
        finding = _finding(look.session_id, _decide(now), now.attempt)
        people.remember(look.session_id, now.session.take_person())
        pipe.send(finding)


def next_due_s(due_s: float, at_s: float) -> float:
    """When the next picture is worth a look.

    Half a picture early, or a camera whose pace is ours would lose every second picture to a millisecond's jitter.
    """
    period_s = 1 / LOOKS_PER_S
    return max(due_s + period_s, at_s + period_s / 2)


def _guide(pipe: Connection, session_id: str, now: _Running, guidance: Guidance) -> None:
    """Tell what changed for the person, in steps that an eye can see."""
    flash = now.session.flash
    colour = None if flash is None or now.session.finished else flash.colour(time.monotonic())
    told = (
        guidance.code.value,
        None if guidance.movement is None else guidance.movement.value,
        round(guidance.progress * 20),
        colour,
    )
    if told != now.told:
        now.told = told
        lit = None if colour is None else colour.value
        pipe.send(Guide(session_id, told[0], told[1], guidance.progress, lit, now.attempt))


def _decide(now: _Running) -> FaceDecision:
    """The session's decision; afterwards no embedding of it is left in memory."""
    decision = now.session.decide(time.monotonic())
    if now.reference is not None:
        erase(now.reference.embedding)
    return decision


def _end_overdue(pipe: Connection, running: dict[str, _Running]) -> None:
    """A camera that sends nothing would otherwise keep its session for ever."""
    now_s = time.monotonic()
    for session_id in [s for s, r in running.items() if now_s - r.session.started_at_s > TIMEOUT_S + 1]:
        now = running.pop(session_id)
        pipe.send(_finding(session_id, _decide(now), now.attempt))


def _finding(session_id: str, decision: FaceDecision, attempt: int = 0) -> FaceFinding:
    jpeg: bytes | None = None
    if decision.best_picture_bgr is not None:
        encoded, buffer = cv2.imencode(".jpg", decision.best_picture_bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        jpeg = buffer.tobytes() if encoded else None
    match_ = decision.match
    return FaceFinding(
        session_id=session_id,
        verdict=decision.verdict.value,
        live=decision.live,
        compared=decision.compared,
        fmr_upper=None if match_ is None else match_.fmr_upper_worst_group,
        comparisons=None if match_ is None else match_.worst_group_comparisons,
        engine=f"{decision.engine} {decision.engine_version}, {decision.calibration}",
        checks=tuple(CheckFinding(c.name, c.outcome.value, c.why) for c in decision.checks),
        reasons=tuple(reason.value for reason in decision.reasons),
        best_jpeg=jpeg,
        fmr_worst_group=None if match_ is None else match_.fmr_worst_group,
        attempt=attempt,
    )
