"""What is shown to a camera, one file each: people by folder, attacks by species; as frames that a check might see.

People: every folder below the ones named that holds pictures or clips is one person, and so is a named folder itself.
Attacks: `SPECIES/…`, every picture or clip in or below a species' folder is one attack.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from biometrics.errors import EvaluationDataError
from biometrics.evaluation.degradation import camera_frame
from biometrics.evaluation.enrolment import read_picture, spread
from biometrics.evaluation.people import PICTURES, people_in
from biometrics.face.engine import FaceEngine, Picture
from biometrics.face.liveness.motion import pose_of

CLIPS: Final = {".gif", ".mp4", ".webm", ".mkv", ".mov", ".avi"}
LOOK_EVERY_S: Final = 0.2  # of a clip: between one look of a check and the next
USUAL_FPS: Final = 25.0  # where a clip does not say how fast it is
LONGEST: Final = 3000  # frames read of one clip: two minutes, in which nobody looked straight
SPECIES_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Presenter:
    """One person's pictures and clips, in the order of their names."""

    name: str
    group: str | None
    files: tuple[Path, ...]


def presenters_in(folders: Sequence[Path]) -> tuple[Presenter, ...]:
    """Everybody in these folders; of many pictures an even selection.

    Raises:
        EvaluationDataError: A folder is absent, nobody is in any, or somebody would be counted as two people.
    """
    presenters: list[Presenter] = []
    known: set[Path] = set()
    for folder in folders:
        if not folder.is_dir():
            raise EvaluationDataError(f"no folder {folder}")
        groups = _groups(folder)
        for place in sorted([folder, *(path for path in folder.rglob("*") if path.is_dir())]):
            shown = sorted(path for path in place.iterdir() if path.suffix.lower() in PICTURES | CLIPS)
            if shown:
                name = str(Path(folder.name) / place.relative_to(folder))
                if place.resolve() in known or name in {one.name for one in presenters}:
                    raise EvaluationDataError(f"{name} is in two of the folders: one person would count as two")
                known.add(place.resolve())
                presenters.append(Presenter(name, groups.get(place), tuple(spread(shown))))
    if not presenters:
        raise EvaluationDataError(f"nobody has a picture or a clip in {', '.join(map(str, folders))}")
    return tuple(presenters)


def attacks_in(folder: Path) -> Mapping[str, tuple[Path, ...]]:
    """The operator's own recordings of attacks by species.

    Raises:
        EvaluationDataError: There are none, or a species' folder bears no name of small letters, digits, `.`, `_`, `-`.
    """
    species = {}
    for place in sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []:
        if not SPECIES_NAME.fullmatch(place.name):
            raise EvaluationDataError(f"{place.name!r} is no name of a species: small letters, digits, . _ -")
        files = tuple(sorted(path for path in place.rglob("*") if path.suffix.lower() in PICTURES | CLIPS))
        if files:
            species[place.name] = files
    if not species:
        raise EvaluationDataError(f"{folder} has no folder of a species with pictures or clips in it")
    return species


def is_clip(path: Path) -> bool:
    """Whether it moves."""
    return path.suffix.lower() in CLIPS


def clip_frames(path: Path) -> Iterator[Picture]:
    """One frame of the clip every `LOOK_EVERY_S`; none of a file that cannot be read."""
    clip = cv2.VideoCapture(str(path))
    try:
        fps = clip.get(cv2.CAP_PROP_FPS)
        step = max(1, round((fps if 1 <= fps <= 240 else USUAL_FPS) * LOOK_EVERY_S))
        for index in range(LONGEST):
            there, frame = clip.read()
            if not there:
                return
            if index % step == 0:
                yield np.asarray(frame, np.uint8)
    finally:
        clip.release()


def recorded_picture(path: Path) -> Iterator[Picture]:
    """The picture as it is, once; nothing of a file that holds none."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is not None:
        yield np.asarray(picture, np.uint8)


def imitated_frames(path: Path, engine: FaceEngine, rng: np.random.Generator) -> Iterator[Picture]:
    """The picture as a webcam might see it, again and again; nothing where no face is in it."""
    picture = read_picture(path)
    boxes = () if picture is None else engine.detect(picture)
    if picture is None or not boxes:
        return
    points = engine.landmarks(picture, boxes[0])
    if pose_of(points).inter_eye_px < 1:
        return  # points on one another: no face
    while True:
        yield camera_frame(picture, points, rng)


def _groups(folder: Path) -> dict[Path, str]:
    try:
        people: Iterable[tuple[Path, str | None]] = [(one.pictures[0].parent, one.group) for one in people_in(folder)]
    except EvaluationDataError:
        return {}  # fewer than two people with pictures: their groups would tell nothing
    return {place: group for place, group in people if group}
