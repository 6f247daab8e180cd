"""Error rates of the face comparison, counted the way a session compares: one reference, several fused frames.

A still picture stands in for a live face: each probe is turned into camera-like frames (smaller, tilted, dimmed,
noisy, compressed). That leaves out ageing and real turning, so misses (FNMR) are optimistic. False matches are not.
Pairs of people are counted once per direction; they share people, so the intervals are narrower than the truth.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.decision import Thresholds
from biometrics.errors import EvaluationDataError
from biometrics.evaluation.intervals import upper_bound
from biometrics.evaluation.people import Person, people_in
from biometrics.face.calibration import load_thresholds
from biometrics.face.compare import distance, fuse
from biometrics.face.dlib_engine import DlibEngine
from biometrics.face.engine import Embedding, FaceEngine, Picture

FRAMES = 5
"""Frames fused per probe; a session fuses as many (`biometrics.face.session`)."""

LIVE_FACE_PX = 180
"""Width of the detector's box in a 640 x 480 frame of somebody at arm's length."""

MIN_GROUP = 5
"""People a group needs before its rate is worth naming."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What the engine made of one person."""

    person: Person
    reference: Embedding
    single: Embedding
    fused: Embedding


def evaluate_face(
    data_dir: Path,
    *,
    engine: FaceEngine | None = None,
    thresholds: Thresholds | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> dict[str, Any]:
    """Counts and rates on a folder of people (layout: `biometrics.evaluation.people`), ready for JSON.

    About 0.6 s per person. `…_upper` are one-sided 95 % bounds; a rate that cannot be counted is None.

    Raises:
        EvaluationDataError: Too few people, or too few with a face.
    """
    engine = engine or DlibEngine()
    thresholds = thresholds or load_thresholds(engine)
    people = people_in(data_dir)
    enrolled: list[Enrolled] = []
    for index, person in enumerate(people):
        one = _enrol(engine, person)
        if one:
            enrolled.append(one)
        progress(index + 1, len(people))
    if len(enrolled) < 2:
        raise EvaluationDataError(f"faces were found of {len(enrolled)} people, at least 2 are needed")

    genuine = [one for one in enrolled if len(one.person.pictures) > 1]
    strangers = [(a, b) for a in enrolled for b in enrolled if a is not b]
    genuine_single = _distances([(one.reference, one.single) for one in genuine])
    genuine_fused = _distances([(one.reference, one.fused) for one in genuine])
    impostor_single = _distances([(a.reference, b.single) for a, b in strangers])
    impostor_fused = _distances([(a.reference, b.fused) for a, b in strangers])
    worst, alike = _worst_group(strangers, impostor_fused)

    figures: dict[str, Any] = {
        "engine": engine.id,
        "calibration": thresholds.calibration,
        "people": len(people),
        "frames_fused": FRAMES,
        "genuine": len(genuine),
        "impostor": len(strangers),
        "failure_to_acquire": (len(people) - len(enrolled)) / len(people),
        "fnmr_at_fmr_1e3": _fnmr_at(genuine_single, impostor_single, 1e-3),
        "fnmr_at_fmr_1e3_fused": _fnmr_at(genuine_fused, impostor_fused, 1e-3),
        "genuine_mean": _mean(genuine_fused),
        "genuine_max": float(genuine_fused.max()) if len(genuine) else None,
        "impostor_mean": _mean(impostor_fused),
        "impostor_min": float(impostor_fused.min()),
        "worst_group": worst,
        "worst_group_fmr": float(np.mean(alike <= thresholds.accept.distance)) if len(alike) else None,
    }
    for name, threshold in (("accept", thresholds.accept), ("refer", thresholds.refer)):
        false = int(np.sum(impostor_fused <= threshold.distance))
        false_alike = int(np.sum(alike <= threshold.distance))
        missed = int(np.sum(genuine_fused > threshold.distance))
        figures[name] = {
            "distance": threshold.distance,
            "false_matches": false,
            "comparisons": len(strangers),
            "fmr": false / len(strangers),
            "fmr_upper": upper_bound(false, len(strangers)),
            "fnmr": missed / len(genuine) if genuine else None,
            "fnmr_upper": upper_bound(missed, len(genuine)),
            "worst_group_false_matches": false_alike,
            "worst_group_comparisons": len(alike),
            "worst_group_fmr_upper": upper_bound(false_alike, len(alike)),
        }
    return figures


def _enrol(engine: FaceEngine, person: Person) -> Enrolled | None:
    """Reference from the first picture, probe from the last; None where no face is found in one of them."""
    first = _read(person.pictures[0])
    last = _read(person.pictures[-1])
    rng = np.random.default_rng(zlib.crc32(person.name.encode()))  # the same frames in every run
    reference = _embed(engine, first)
    width = _face_width(engine, last)
    if reference is None or width is None:
        return None
    frames = [_embed(engine, _as_frame(last, LIVE_FACE_PX / width, rng)) for _ in range(FRAMES)]
    embeddings = [frame for frame in frames if frame is not None]
    if not embeddings:
        return None
    return Enrolled(person, reference, embeddings[0], fuse(embeddings))


def _read(path: Path) -> Picture:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise EvaluationDataError(f"{path.name} is not a picture")
    return np.asarray(picture, dtype=np.uint8)


def _face_width(engine: FaceEngine, picture: Picture) -> int | None:
    boxes = engine.detect(picture)
    return boxes[0].width if boxes else None


def _embed(engine: FaceEngine, picture: Picture) -> Embedding | None:
    boxes = engine.detect(picture)
    return engine.embed(engine.align(picture, boxes[0])) if boxes else None


def _as_frame(picture: Picture, scale: float, rng: np.random.Generator) -> Picture:
    """The picture as a webcam might have seen it: amounts are those of the live column in the research notes."""
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-6, 6), scale * rng.uniform(0.9, 1.1))
    turn[:, 2] += (scale - 1) * np.array([width, height]) / 2
    size = (round(width * scale), round(height * scale))
    seen = cv2.warpAffine(picture, turn, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    seen = cv2.GaussianBlur(seen, (0, 0), rng.uniform(0.4, 1.0)).astype(np.float64)
    side = np.linspace(rng.uniform(0.7, 1.0), rng.uniform(0.7, 1.0), size[0])[None, :, None]
    seen = seen * side + rng.normal(0, 3, seen.shape)
    squeezed = cv2.imencode(".jpg", np.clip(seen, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    return np.asarray(cv2.imdecode(squeezed, cv2.IMREAD_COLOR), dtype=np.uint8)


def _distances(pairs: Sequence[tuple[Embedding, Embedding]]) -> NDArray[np.float64]:
    return np.array([distance(one, other) for one, other in pairs], dtype=np.float64)


def _worst_group(
    strangers: Sequence[tuple[Enrolled, Enrolled]], distances: NDArray[np.float64]
) -> tuple[str | None, NDArray[np.float64]]:
    """The group whose members look most alike to the engine, with the distances inside it."""
    inside: dict[str, list[float]] = {}
    members: dict[str, set[str]] = {}
    for (a, b), apart in zip(strangers, distances, strict=True):
        if a.person.group and a.person.group == b.person.group:
            inside.setdefault(a.person.group, []).append(float(apart))
            members.setdefault(a.person.group, set()).add(a.person.name)
    known = {group: np.array(apart) for group, apart in inside.items() if len(members[group]) >= MIN_GROUP}
    if not known:
        return None, np.array([], dtype=np.float64)
    worst = min(known, key=lambda group: float(known[group].mean()))
    return worst, known[worst]


def _fnmr_at(genuine: NDArray[np.float64], impostor: NDArray[np.float64], fmr: float) -> float | None:
    """Share of genuine pairs missed at the loosest distance whose false match rate stays at or below `fmr`."""
    allowed = int(fmr * len(impostor))
    if not len(genuine) or allowed < 1:
        return None  # too few strangers to speak of such a rate
    limit = np.sort(impostor)[allowed]  # this one would be one too many
    return float(np.mean(genuine >= limit))


def _mean(values: NDArray[np.float64]) -> float | None:
    return float(values.mean()) if len(values) else None
