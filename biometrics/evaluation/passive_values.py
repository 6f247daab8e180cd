"""What a passive detector makes of people and of attacks: one value a presentation, as a check would have it.

A clip is looked at as it was recorded. A picture stands for a person or an attack before a webcam (`degradation`),
unless the operator says that their own camera took it. Drawn attacks are those of the attack kit that show paper or a
screen; in the others the network would see nothing but the person's own picture.
"""

import hashlib
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Final

import numpy as np

from biometrics.errors import EvaluationDataError
from biometrics.evaluation.attacks import SPECIES, Cast
from biometrics.evaluation.enrolment import read_picture
from biometrics.evaluation.liveness import cast_from
from biometrics.evaluation.presentations import (
    Presenter,
    attacks_in,
    clip_frames,
    imitated_frames,
    is_clip,
    presenters_in,
    recorded_picture,
)
from biometrics.face.engine import FaceEngine, Picture
from biometrics.face.guidance import Guidance, GuidanceCode
from biometrics.face.liveness.challenge import draw
from biometrics.face.liveness.motion import pose_of
from biometrics.face.quality import straightness
from biometrics.face.texture import LOOKS_MIN, PassiveDetector

DRAWN: Final = ("print_flat", "print_bent", "replay_in_phone_frame")

CLIP_LOOKS: Final = 15  # a check of eight seconds has as many
TRIES: Final = 3 * LOOKS_MIN  # frames made for the straight looks of one presentation
APART_S: Final = 0.1  # drawn frames; a film keeps still for about a second
MOST_CAST: Final = 60


@dataclass(frozen=True, slots=True)
class Shown:
    """One presentation of a person, or of an attack."""

    by: str
    """The person; for an attack its file, or whose picture it was drawn of."""
    group: str | None
    value: float | None
    """Median of the straight looks; None of too few, of which a check says that it was not possible."""
    imitated: bool
    """Whether frames were made of a picture."""


@dataclass(frozen=True, slots=True)
class Species:
    """Presentations of one kind of attack."""

    shown: tuple[Shown, ...]
    recorded: bool
    """By the operator; False: drawn."""

    @property
    def as_seen(self) -> bool:
        """Whether all was shown as the counter's camera saw it: neither drawn, nor pictures made to look like that."""
        return self.recorded and not any(one.imitated for one in self.shown)


@dataclass(frozen=True, slots=True)
class Values:
    """Everything that was shown."""

    people: tuple[Shown, ...]
    attacks: Mapping[str, Species]
    sha256: str
    """Over the hashes of all files that were looked at, in the order of their names."""

    @property
    def lowest(self) -> dict[str, float]:
        """Each person's lowest value."""
        lowest: dict[str, float] = {}
        for one in self.people:
            if one.value is not None:
                lowest[one.by] = min(one.value, lowest.get(one.by, 1.0))
        return lowest


@dataclass(frozen=True, slots=True)
class Studio:
    """What looks, and how pictures are shown to it."""

    engine: FaceEngine
    detector: PassiveDetector
    seed: int
    as_recorded: bool
    """Whether pictures come from the counter's own camera."""

    def show(self, path: Path, by: str, group: str | None = None) -> Shown:
        """One file as one presentation."""
        if is_clip(path):
            return Shown(by, group, self._value(clip_frames(path), most=CLIP_LOOKS), imitated=False)
        if self.as_recorded:
            return Shown(by, group, self._value(recorded_picture(path), least=1), imitated=False)
        frames = imitated_frames(path, self.engine, self.rng(f"{by}/{path.name}"))
        return Shown(by, group, self._value(islice(frames, TRIES)), imitated=True)

    def play(self, species: str, cast: Sequence[Cast], by: str, index: int) -> Shown:
        """One drawn attack with the first of the cast's face."""
        rng = self.rng(f"{species}/{by}/{index}")
        play = SPECIES[species](cast, draw(rng.bytes(32)), rng)
        said = Guidance(GuidanceCode.STARTING)
        frames: Iterator[Picture] = (play(step * APART_S, said) for step in count(1))
        return Shown(by, None, self._value(islice(frames, TRIES)), imitated=True)

    def rng(self, words: str) -> np.random.Generator:
        """Chance of its own for each presentation: one more or less changes no other."""
        return np.random.default_rng([self.seed, *hashlib.sha256(words.encode()).digest()])

    def _value(self, frames: Iterable[Picture], *, most: int = LOOKS_MIN, least: int = LOOKS_MIN) -> float | None:
        shares: list[float] = []
        for picture in frames:
            boxes = self.engine.detect(picture)
            points = self.engine.landmarks(picture, boxes[0]) if boxes else None
            if points is None or straightness(pose_of(points)) is not None:
                continue
            shares.append(self.detector.live_share(picture, points))
            if len(shares) == most:
                break
        return statistics.median(shares) if len(shares) >= least else None


def show_all(
    studio: Studio,
    folders: Sequence[Path],
    *,
    recorded_attacks: Path | None,
    drawn_attacks: int,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Values:
    """Everybody in the folders, the operator's attacks, and so many drawn ones of each kind: 0.2 CPU s each.

    Raises:
        EvaluationDataError: Nobody is there, no attack where some should be, or one that would count as a person.
    """
    presenters = presenters_in(folders)
    own = {} if recorded_attacks is None else attacks_in(recorded_attacks)
    if both := set(own) & set(DRAWN):
        raise EvaluationDataError(f"{', '.join(sorted(both))}: a drawn attack bears this name, give yours another")
    files = [(one, path) for one in presenters for path in one.files]
    if {path.resolve() for _, path in files} & {path.resolve() for paths in own.values() for path in paths}:
        raise EvaluationDataError("the folder of attacks lies inside that of people: attacks would count as people")
    of = len(files) + sum(map(len, own.values())) + drawn_attacks * len(DRAWN)
    done = count(1)

    def counted(shown: Shown) -> Shown:
        progress(next(done), of)
        return shown

    people = tuple(counted(studio.show(path, one.name, one.group)) for one, path in files)
    attacks = {}
    for name, paths in own.items():
        attacks[name] = Species(tuple(counted(studio.show(path, path.name)) for path in paths), recorded=True)
    if drawn_attacks:
        cast = _cast(presenters, studio.engine)
        for name in DRAWN:
            rows = (_pair(cast, index) for index in range(drawn_attacks))
            played = tuple(counted(studio.play(name, pair, by, index)) for index, (by, pair) in enumerate(rows))
            attacks[name] = Species(played, recorded=False)
    return Values(
        people, attacks, _hash([path for _, path in files] + [path for paths in own.values() for path in paths])
    )


def _cast(presenters: Sequence[Presenter], engine: FaceEngine) -> list[tuple[str, Cast]]:
    """Whoever has a picture with a face in it, of the first that can be read."""
    cast: list[tuple[str, Cast]] = []
    for one in presenters:
        stills = (read_picture(path) for path in one.files if not is_clip(path))
        picture = next((still for still in stills if still is not None), None)
        if picture is None:
            continue
        try:
            cast.append((one.name, cast_from(picture, engine)))
        except EvaluationDataError:
            continue  # no face in it: nobody to play
        if len(cast) == MOST_CAST:
            break
    if not cast:
        raise EvaluationDataError("attacks are drawn of pictures, and nobody has one with a face in it")
    return cast


def _pair(cast: Sequence[tuple[str, Cast]], index: int) -> tuple[str, list[Cast]]:
    (name, one), (_, other) = cast[index % len(cast)], cast[(index + 1) % len(cast)]
    return name, [one, other]


def _hash(paths: Sequence[Path]) -> str:
    whole = hashlib.sha256()
    for path in sorted(paths):
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()
