"""What face checks cost: a person who follows, over VP8, decoded and judged as the face process does it.

The film's clock is a count of its pictures, so a busy machine changes nothing. Rendering and encoding are not counted;
decoding, every look, liveness, embeddings and decision are, by this process's CPU time.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, TypeVar

import av
import cv2
import numpy as np

from biometrics.errors import EvaluationDataError
from biometrics.evaluation.actor import Actor, Temper
from biometrics.evaluation.people import Person, people_in
from biometrics.evaluation.puppet import Puppet
from biometrics.face.calibration import load_thresholds
from biometrics.face.engine import FaceEngine
from biometrics.face.engines import open_engine
from biometrics.face.liveness.challenge import draw
from biometrics.face.liveness.flash import Flash
from biometrics.face.outcome import FaceDecision
from biometrics.face.reference import load_reference
from biometrics.face.session import TIMEOUT_S, FaceSession
from counter_server.identification.face_process import LOOKS_PER_S, next_due_s
from webrtc.engine import EncodedPicture
from webrtc.snapshot import PictureDecoder

CAMERA: Final = (640, 480)  # what the pages ask for (webrtc/web/devices.ts)
PICTURES_PER_S: Final = 30
BITS_PER_S: Final = 1_000_000
FACE_PX: Final = 185  # dlib's box of somebody at arm's length
CHECKS: Final = 2
GRAIN: Final = 2.0  # grey levels of noise: a still picture would cost nothing to decode

Made = TypeVar("Made")


@dataclass(slots=True)
class _Meter:
    """Counts what is done through it and nothing else."""

    spent_s: float = field(default=0.0)

    def count(self, act: Callable[..., Made], *words: object) -> Made:
        """Do it, and count its CPU time."""
        began_s = time.process_time()
        made = act(*words)
        self.spent_s += time.process_time() - began_s
        return made


def measure_sessions(data_dir: Path) -> dict[str, Any]:
    """`session_cpu_per_s`: CPU seconds per second of film, whole checks from the portrait to the decision.

    Raises:
        EvaluationDataError: Nobody has two pictures with a face in each.
    """
    engine = open_engine()
    people = [person for person in people_in(data_dir) if len(person.pictures) > 1]
    if not people:
        raise EvaluationDataError(f"{data_dir} has nobody with two pictures")
    meter, film_s, live, reasons = _Meter(), 0.0, 0, []
    for number, person in enumerate(people[:CHECKS]):
        decision, lasted_s = _check(engine, person, number, meter)
        film_s += lasted_s
        live += decision.live
        reasons += [reason.value for reason in decision.reasons]
    return {
        "session_cpu_per_s": meter.spent_s / film_s,
        "session_film_s": film_s,
        "session_picture": f"{CAMERA[0]}x{CAMERA[1]}, {PICTURES_PER_S} a second, {LOOKS_PER_S:g} looks",
        "session_checks": min(CHECKS, len(people)),
        "session_checks_live": live,
        "session_reasons": reasons,
    }


def _check(engine: FaceEngine, person: Person, number: int, meter: _Meter) -> tuple[FaceDecision, float]:
    """One check of one person: the decision, and how long the film was."""
    puppet = _puppet(person.pictures[-1], engine)
    rng = np.random.default_rng(number)
    actor, encoder, decoder = Actor(Temper.drawn(rng)), _encoder(), PictureDecoder("VP8")
    grain = [rng.normal(0, GRAIN, (CAMERA[1], CAMERA[0], 3)).astype(np.int16) for _ in range(7)]
    reference = meter.count(load_reference, person.pictures[0].read_bytes(), engine)
    seed = number.to_bytes(32, "big")  # the same movements in every run
    challenge = draw(seed)
    flash = Flash(challenge.colours, seed)  # of which this film shows nothing: read all the same, and found unclear
    session = FaceSession(engine, reference, challenge, load_thresholds(engine, engine.calibration), 0.0, flash)
    due_s = 0.0
    for index in range(1, round(TIMEOUT_S * PICTURES_PER_S)):
        at_s = index / PICTURES_PER_S
        seen = cv2.add(puppet.show(actor.posture(at_s)), grain[index % len(grain)], dtype=cv2.CV_8U)
        frame = av.VideoFrame.from_ndarray(seen, format="bgr24")
        frame.pts = index
        for packet in encoder.encode(frame):
            meter.count(decoder.feed, EncodedPicture(bytes(packet), bool(packet.is_keyframe), "VP8", at_s, at_s))
        if at_s < due_s:
            continue
        due_s = next_due_s(due_s, at_s)
        pixels = meter.count(decoder.latest)
        if pixels is None:
            continue
        actor.hear(meter.count(session.observe, pixels, at_s), at_s)
        if session.finished:
            break
    return meter.count(session.decide, at_s), at_s


def _puppet(path: Path, engine: FaceEngine) -> Puppet:
    """Somebody at arm's length of a desk camera."""
    photograph = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if photograph is None:
        raise EvaluationDataError(f"{path.name} is not a picture")
    shrink = min(1.0, 640 / max(photograph.shape[:2]))
    boxes = engine.detect(np.asarray(cv2.resize(photograph, None, fx=shrink, fy=shrink), np.uint8))
    if not boxes:
        raise EvaluationDataError(f"no face was found in {path.name}")
    scale = FACE_PX / boxes[0].width * shrink
    x, y = (one / shrink * scale for one in boxes[0].centre)
    place = np.array([[scale, 0, CAMERA[0] / 2 - x], [0, scale, 0.48 * CAMERA[1] - y]])
    still = np.asarray(
        cv2.warpAffine(photograph, place, CAMERA, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
    return Puppet(still, engine.landmarks(still, engine.detect(still)[0]))


def _encoder() -> Any:
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height = CAMERA
    encoder.pix_fmt, encoder.bit_rate = "yuv420p", BITS_PER_S
    encoder.time_base = Fraction(1, PICTURES_PER_S)
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    return encoder
