"""Films of real heads before the cues that need no instruction: whether they hold for more than drawn people.

Nobody in such a film was asked for anything, so movements and colours say nothing here. What can be told: whether the
pictures are taken for cut, frozen or looped, whether the face is taken for another one, whether the track breaks, and
whether a head that turns has depth.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from biometrics.errors import EvaluationDataError
from biometrics.evaluation.actor import INTER_EYE_PX, LOOKS_PER_S
from biometrics.evaluation.intervals import upper_bound
from biometrics.evaluation.presentations import CLIPS, is_clip
from biometrics.face import quality
from biometrics.face.compare import erase, fuse
from biometrics.face.engine import Embedding, FaceEngine, Landmarks, Picture
from biometrics.face.follow import Follower
from biometrics.face.liveness import motion
from biometrics.face.liveness.challenge import Movement
from biometrics.face.liveness.continuity import IdentityTrack, PictureTrack
from biometrics.face.liveness.decide import DEPTH_MIN
from biometrics.face.looks import Looks
from biometrics.face.outcome import FaceReason
from biometrics.face.session import NEUTRAL_APART_S, NEUTRAL_FRAMES

FASTEST_FPS: Final = 120.0  # what a file says of itself beyond it is wrong
HEAD_HEIGHTS: Final = (1.2, 1.6)  # of a face's box, kept above and below it


@dataclass(frozen=True, slots=True)
class ClipFinding:
    """What the cues made of one face of a film.

    Args:
        name: Of the file, and of the face's place in it from the left.
        looks: Pictures in which the face was looked at.
        reason: What would have refused it; None where nothing would.
        widest: Change of the face as a share of what is allowed.
        sharpest: Change of the pictures as a share of a cut's.
        depth: Least departure from a plane while turned; None where it did not turn.
    """

    name: str
    looks: int
    reason: FaceReason | None
    widest: float
    sharpest: float
    depth: float | None


def evaluate_clips(folder: Path, engine: FaceEngine) -> dict[str, Any]:
    """Counts and the values nearest to a refusal, ready for JSON; all names begin with `real_clips`.

    Raises:
        EvaluationDataError: No film with a face in the folder.
    """
    files = sorted(path for path in folder.rglob("*") if is_clip(path))
    findings = [finding for path in files for finding in look_at(path, engine)]
    if not findings:
        raise EvaluationDataError(f"no film with a face in {folder.name}; films end in {', '.join(sorted(CLIPS))}")
    refused = Counter(one.reason.value for one in findings if one.reason is not None)
    return {
        "real_clips": len(findings),
        "real_clips_refused": refused.total(),
        "real_clips_refused_upper": upper_bound(refused.total(), len(findings)),
        "real_clips_refused_by": dict(refused.most_common()),
        "real_clips_turned": sum(one.depth is not None for one in findings),
        "real_clips_least_depth": min((one.depth for one in findings if one.depth is not None), default=None),
        "real_clips_sharpest": max(one.sharpest for one in findings),
        "real_clips_widest": max(one.widest for one in findings),
    }


def look_at(path: Path, engine: FaceEngine) -> Iterator[ClipFinding]:
    """One finding for each face of the film; several people side by side are films of their own.

    Raises:
        EvaluationDataError: The file is no film.
    """
    pictures = list(pictures_of(path))
    for number, part in enumerate(_heads(pictures, engine)):
        top, bottom, left, right, scale = part
        head = (cv2.resize(one[top:bottom, left:right], None, fx=scale, fy=scale) for one in pictures)
        yield _judge(f"{path.name} {number + 1}", (np.asarray(one, np.uint8) for one in head), engine)


def pictures_of(path: Path) -> Iterator[Picture]:
    """The film's pictures, as often in a second as a check looks.

    Raises:
        EvaluationDataError: The file is no film.
    """
    film = cv2.VideoCapture(str(path))
    try:
        fps = float(film.get(cv2.CAP_PROP_FPS))
        if not film.isOpened() or not 1.0 <= fps <= FASTEST_FPS:
            raise EvaluationDataError(f"{path.name} is not a film")
        due_s, number = 0.0, 0
        while True:
            came, picture = film.read()
            if not came:
                return
            if number / fps >= due_s - 0.5 / fps:
                due_s += 1 / LOOKS_PER_S
                yield np.asarray(picture, np.uint8)
            number += 1
    finally:
        film.release()


def _heads(pictures: list[Picture], engine: FaceEngine) -> list[tuple[int, int, int, int, float]]:
    """Top, bottom, left and right of each person's part of the picture, and how much larger it must be.

    Taken from the first picture that shows the most faces; beside each other, people are parted half-way.
    """
    most: list[tuple[int, int, int, float]] = []
    for picture in pictures:
        boxes = sorted(engine.detect(picture), key=lambda box: box.left)
        if len(boxes) > len(most):
            most = []
            for box in boxes:
                eyes = motion.pose_of(engine.landmarks(picture, box)).inter_eye_px
                most.append((box.left, box.top, box.right, eyes))
    if not most:
        return []
    height, width = pictures[0].shape[:2]
    middles = [0, *((one[2] + other[0]) // 2 for one, other in pairwise(most)), width]
    parts = []
    for number, (left, top, right, eyes) in enumerate(most):
        tall = right - left
        above, below = round(top - HEAD_HEIGHTS[0] * tall), round(top + tall + HEAD_HEIGHTS[1] * tall)
        parts.append((max(0, above), min(height, below), middles[number], middles[number + 1], INTER_EYE_PX / eyes))
    return parts


def _judge(name: str, pictures: Iterator[Picture], engine: FaceEngine) -> ClipFinding:
    """All the cues over one film, as a session runs them; the straightest look serves as the person at rest."""
    track, follower = PictureTrack(), Follower(engine)
    looks: Looks | None = None
    reason: FaceReason | None = None
    seen: list[Landmarks] = []
    straight, first, first_at_s = False, list[Embedding](), float("-inf")
    for number, picture in enumerate(pictures):
        at_s = number / LOOKS_PER_S
        broken = track.see(picture, at_s)
        boxes = follower.find(picture, at_s, lost_s=0.0, search=looks is None or straight, straight=straight)
        if broken is None and seen and follower.broken(boxes, at_s):
            broken = FaceReason.TRACK_BROKEN
        reason = reason or broken
        if not boxes:
            continue
        follower.keep(boxes[0], at_s)
        points = engine.landmarks(picture, boxes[0])
        seen.append(points)
        straight = quality.straightness(motion.pose_of(points)) is None
        if looks is None:
            if straight and at_s - first_at_s >= NEUTRAL_APART_S:
                first_at_s = at_s
                first.append(engine.embed(engine.align(picture, boxes[0])))
            if len(first) == NEUTRAL_FRAMES:
                looks = Looks(IdentityTrack(fuse(first)))
        elif looks.again or looks.due(at_s):
            look = engine.embed(engine.align(picture, boxes[0]))
            if looks.somebody_else(look, at_s, turned=not straight):
                reason = reason or FaceReason.IDENTITY_CHANGED
    depth = _depth(seen)
    if depth is not None and depth < DEPTH_MIN:
        reason = reason or FaceReason.FLAT
    widest = 0.0 if looks is None else looks.track.widest
    if looks is not None:
        looks.track.forget()
    for one in first:
        erase(one)
    return ClipFinding(name, len(seen), reason, widest, track.sharpest, depth)


def _depth(seen: list[Landmarks]) -> float | None:
    """Least departure from a plane of the looks at which the head had turned as far as a check asks for."""
    if not seen:
        return None
    poses = [motion.pose_of(points) for points in seen]
    rest = min(range(len(seen)), key=lambda number: abs(poses[number].yaw))
    departures = []
    for side in (Movement.TURN_LEFT, Movement.TURN_RIGHT):
        effort, furthest = max((motion.efforts(poses[rest], pose)[side], number) for number, pose in enumerate(poses))
        if effort >= 1:
            departures.append(motion.departure_from_plane(seen[rest], seen[furthest]))
    return min(departures, default=None)
