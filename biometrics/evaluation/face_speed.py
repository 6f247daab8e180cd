"""What faces cost on this machine, as ratios to `face_recognition` with its defaults: same frames, same run, CPU time.

Ratios survive a slow or busy machine; milliseconds do not, and are told for what they are. Every figure is a median.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from biometrics.errors import BiometricsError, EvaluationDataError
from biometrics.evaluation.people import people_in
from biometrics.face.compare import distance
from biometrics.face.engine import FaceBox, FaceEngine, Picture
from biometrics.face.engines import EngineChoice, open_engine
from biometrics.face.engines.choice import COMPATIBLE

FRAME: Final = (1280, 720)
FACE_PX: Final = 259  # dlib's box of somebody at arm's length of a desk camera (research notes on faces, section 2)
FACE_AT: Final = (640, 350)
FRAMES: Final = 24  # of which face_recognition takes 0.4 s each
LEAST_FACES: Final = 100  # for the largest difference between the embeddings
TRACKED: Final = 40
STARTS: Final = 3


def measure_faces(data_dir: Path, *more: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """The figures, ready for JSON; None where one could not be had, with the reason under `notes`.

    Args:
        data_dir: People in folders (`biometrics.evaluation.people`). About 30 CPU seconds.
        more: Measurements of the caller's own, of what this package does not know: a line, a decoder.
    """
    cv2.setNumThreads(1)  # as in the product's face process; and CPU time is then the time of one core
    figures: dict[str, Any] = {"frame": f"{FRAME[0]}x{FRAME[1]}", "clock": "CPU"}
    notes: dict[str, str] = {}
    for measure in (_starts, _against_face_recognition, _tracking, *more):
        try:
            figures |= measure(data_dir)
        except BiometricsError as error:
            notes[measure.__name__.removeprefix("_")] = str(error)
    for name in (
        "embedding_ratio",
        "embedding_max_delta",
        "frame_ratio",
        "tracking_ms",
        "session_cpu_per_s",
        "start_s",
    ):
        figures.setdefault(name, None)
    return figures | ({"notes": notes} if notes else {})


# --- the frames -----------------------------------------------------------------------------------------------------


def frames_of(data_dir: Path, engine: FaceEngine, most: int) -> list[Picture]:
    """Pictures of different people, each placed in a large frame as a desk camera would have it.

    Raises:
        EvaluationDataError: There are no people, or a file is no picture.
    """
    paths = [path for person in people_in(data_dir) for path in person.pictures]
    frames = []
    for path in paths[:: max(1, len(paths) // most)]:
        frame = framed(_read(path), engine)
        if frame is not None:
            frames.append(frame)
    if not frames:
        raise EvaluationDataError(f"no face was found in {len(paths)} pictures")
    return frames[:most]


def framed(picture: Picture, engine: FaceEngine, *, dx: float = 0, dy: float = 0) -> Picture | None:
    """The picture in a frame, its face `FACE_PX` wide; None where it shows no face."""
    shrink = min(1.0, 640 / max(picture.shape[:2]))
    small = np.asarray(cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8)
    boxes = engine.detect(small)
    if not boxes:
        return None
    scale = FACE_PX / (boxes[0].width / shrink)
    x, y = (one / shrink * scale for one in boxes[0].centre)
    place = np.array([[scale, 0, FACE_AT[0] + dx - x], [0, scale, FACE_AT[1] + dy - y]])
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(picture, place, FRAME, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _read(path: Path) -> Picture:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise EvaluationDataError(f"{path.name} is not a picture")
    return np.asarray(picture, np.uint8)


# --- the figures ----------------------------------------------------------------------------------------------------


def _against_face_recognition(data_dir: Path) -> dict[str, Any]:
    """Embedding and whole frame, ours and theirs in turn, so that a busy moment hits both."""
    ours = open_engine()
    theirs = open_engine(EngineChoice(COMPATIBLE))
    encode: Callable[[Picture, FaceBox], Any] = theirs.encode  # type: ignore[attr-defined]
    frames = frames_of(data_dir, ours, LEAST_FACES)
    spent: dict[str, list[float]] = {"our_frame": [], "their_frame": [], "our_embedding": [], "their_embedding": []}
    differences = []
    unseen = 0
    for number, frame in enumerate(frames):
        boxes = ours.detect(frame)
        if not boxes:
            continue  # found in the picture, not in the frame made of it
        box = boxes[0]
        differences.append(distance(ours.embed(ours.align(frame, box)), encode(frame, box)))
        if number >= FRAMES:
            continue
        their_boxes = theirs.detect(frame)
        unseen += not their_boxes
        spent["our_embedding"].append(_spent(_embed, ours, frame, box))
        spent["their_embedding"].append(_spent(encode, frame, box))
        spent["our_frame"].append(_spent(_whole, ours, frame))
        spent["their_frame"].append(_spent(_whole, theirs, frame))
    if not spent["our_frame"]:
        raise EvaluationDataError(f"no face was found in {len(frames)} frames")
    median = {name: statistics.median(times) for name, times in spent.items()}
    return {
        "engine": f"{ours.id} ({ours.version})",
        "against": theirs.version,
        "embedding_ratio": median["their_embedding"] / median["our_embedding"],
        "embedding_ms": 1000 * median["our_embedding"],
        "their_embedding_ms": 1000 * median["their_embedding"],
        "embedding_max_delta": max(differences),
        "embedding_faces": len(differences),
        "frame_ratio": median["their_frame"] / median["our_frame"],
        "frame_ms": 1000 * median["our_frame"],
        "their_frame_ms": 1000 * median["their_frame"],
        "frames": len(spent["our_frame"]),
        "frames_without_face_theirs": unseen,
    }


def _embed(engine: FaceEngine, frame: Picture, box: FaceBox) -> None:
    engine.embed(engine.align(frame, box))


def _whole(engine: FaceEngine, frame: Picture) -> None:
    for box in engine.detect(frame):
        _embed(engine, frame, box)


def _tracking(data_dir: Path) -> dict[str, Any]:
    """A face that wanders, followed from frame to frame without a look at the rest of the picture."""
    engine = open_engine()
    person = _read(people_in(data_dir)[0].pictures[0])
    frames = []
    for step in range(TRACKED):
        angle = step / 6
        frame = framed(person, engine, dx=60 * np.cos(angle), dy=25 * np.sin(angle))
        if frame is not None:
            frames.append(frame)
    found = engine.detect(frames[0]) if frames else ()
    if not found:
        raise EvaluationDataError("the first person's first picture shows no face to follow")
    near = found[0]
    alone, with_points, lost = [], [], 0
    for frame in frames[1:]:
        began_s = time.process_time()
        box = engine.track(frame, near)
        alone.append(time.process_time() - began_s)
        if box is None:
            lost += 1
            near = next(iter(engine.detect(frame, near=near)), near)
            continue
        engine.landmarks(frame, box)
        with_points.append(time.process_time() - began_s)
        near = box
    return {
        "tracking_ms": 1000 * statistics.median(alone),
        "tracking_with_68_points_ms": 1000 * statistics.median(with_points) if with_points else None,
        "tracked_frames": len(alone),
        "tracks_lost": lost,
    }


def _starts(_: Path) -> dict[str, Any]:
    """From nothing to a ready engine in a new process: imports, hashes, weights; first with an empty cache."""
    with tempfile.TemporaryDirectory(prefix="face-cache-") as cache:
        environment = os.environ | {"XDG_CACHE_HOME": cache}
        first = _start(environment)
        later = [_start(environment) for _ in range(STARTS)]
    return {
        "start_s": statistics.median(cpu_s for cpu_s, _ in later),
        "start_wall_s": statistics.median(wall_s for _, wall_s in later),
        "start_first_s": first[0],
    }


def _start(environment: dict[str, str]) -> tuple[float, float]:
    """CPU and wall seconds of `python -m biometrics`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began_s = time.monotonic()
    words = [sys.executable, "-m", "biometrics"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    wall_s = time.monotonic() - began_s
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise EvaluationDataError(f"the engine does not start: {done.stderr.strip()[:300]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall_s


def _spent(act: Callable[..., object], *words: object) -> float:
    began_s = time.process_time()
    act(*words)
    return time.process_time() - began_s
