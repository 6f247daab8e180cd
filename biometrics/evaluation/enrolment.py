"""Every picture of everybody, embedded once in each of the forms that comparisons need."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from biometrics.errors import EvaluationDataError, PortraitError
from biometrics.evaluation.degradation import camera_frame, chip_portrait
from biometrics.evaluation.people import Person
from biometrics.face.compare import at_length_one, erase, fuse
from biometrics.face.engine import Embedding, FaceEngine, Picture
from biometrics.face.liveness.motion import pose_of
from biometrics.face.reference import load_reference

FRAMES: Final = (1, 3, 5, 8)
"""How many camera-like frames are fused to a probe; a session fuses at least five and at most eight."""

MOST_PICTURES: Final = 12
"""Of one person, evenly spread: a hundred pictures of one would outweigh fifty people with two."""

WORK_SIDE_PX: Final = 1000  # longer pictures only cost time: a probe is reduced to 75 px between the eyes


@dataclass(frozen=True, slots=True)
class Taken:
    """One picture, as the portrait it might be on a chip and as the live face it might show."""

    person: int
    portrait: Embedding
    chip: Embedding | None
    """As `portrait`, at 60 px between the eyes in 8 KB of JPEG 2000; None where no face was found in that."""
    fused: Mapping[int, Embedding]
    """Probes by the number of frames fused."""

    def forget(self) -> None:
        """Overwrite every embedding."""
        for embedding in (self.portrait, self.chip, *self.fused.values()):
            if embedding is not None:
                erase(embedding)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Everybody's pictures, and how many of them nothing could be made of."""

    people: tuple[Person, ...]
    taken: tuple[Taken, ...]
    pictures: int
    chips: int
    """Portraits for a chip that were made; those without a face in them are missing in `taken`."""

    @property
    def failures(self) -> int:
        """Pictures in which no face was found, or in none of whose frames."""
        return self.pictures - len(self.taken)


def enrol(
    people: Sequence[Person], engine: FaceEngine, progress: Callable[[int, int], None] = lambda done, of: None
) -> Enrolment:
    """Embeds each picture as it is, as a chip's portrait, and as up to eight frames of a camera: about 0.2 s each.

    Raises:
        EvaluationDataError: Fewer than two people have a face.
    """
    taken: list[Taken] = []
    pictures = chips = 0
    for index, person in enumerate(people):
        for path in spread(person.pictures):
            pictures += 1
            one = _take(engine, index, path, person.name)
            if one is not None:
                taken.append(one)
                chips += 1
        progress(index + 1, len(people))
    if len({one.person for one in taken}) < 2:
        raise EvaluationDataError(f"faces were found of {len({one.person for one in taken})} people, 2 are needed")
    return Enrolment(tuple(people), tuple(taken), pictures, chips)


def spread(pictures: Sequence[Path]) -> list[Path]:
    """At most `MOST_PICTURES` of them."""
    steps = np.linspace(0, len(pictures) - 1, min(len(pictures), MOST_PICTURES)).round().astype(int)
    return [pictures[step] for step in steps]


def _take(engine: FaceEngine, person: int, path: Path, name: str) -> Taken | None:
    picture = read_picture(path)
    boxes = () if picture is None else engine.detect(picture)
    if picture is None or not boxes:
        return None
    points = engine.landmarks(picture, boxes[0])
    if pose_of(points).inter_eye_px < 1:
        return None  # points on one another: no face
    rng = np.random.default_rng(zlib.crc32(f"{name}/{path.name}".encode()))  # the same frames in every run
    frames = [_embed(engine, camera_frame(picture, points, rng)) for _ in range(max(FRAMES))]
    found = [frame for frame in frames if frame is not None]
    if len(found) < max(FRAMES) / 2:
        return None
    try:
        chip = load_reference(chip_portrait(picture, points), engine).embedding
    except PortraitError:
        chip = None
    fused = {count: at_length_one(fuse(found[:count])) for count in FRAMES}
    portrait = at_length_one(engine.embed(engine.align(picture, boxes[0])))
    for frame in found:
        erase(frame)
    return Taken(person, portrait, chip, fused)


def read_picture(path: Path) -> Picture | None:
    """The picture, reduced to `WORK_SIDE_PX`; None where the file holds none."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        return None  # a broken file is a failure to acquire like any other, not the end of a long evaluation
    scale = WORK_SIDE_PX / max(picture.shape[:2])
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(picture, dtype=np.uint8)


def _embed(engine: FaceEngine, picture: Picture) -> Embedding | None:
    boxes = engine.detect(picture)
    return engine.embed(engine.align(picture, boxes[0])) if boxes else None
