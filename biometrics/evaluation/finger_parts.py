"""Parts of prints: what a small sensor, or only the tip of a finger, would have shown of an impression.

A part is a window cut out of the picture, not minutiae left out of a template: the extractor sees its edges and
misses there what it would miss on a small sensor. Whoever lays down a part chooses which, so rates are told by size.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from biometrics.errors import FingerImageError
from biometrics.evaluation.finger_scores import (
    ENROLMENTS,
    ExtractedSet,
    Key,
    PairScores,
    Progress,
    pair_scores,
    smaller,
)
from biometrics.evaluation.finger_sets import FingerSet
from biometrics.fingerprint.cylinders import Cylinders
from biometrics.fingerprint.engine import Extractor
from biometrics.fingerprint.image import MIN_SIDE_PX, FingerImage, Window, working_image
from biometrics.fingerprint.match import compare
from biometrics.fingerprint.minutiae import WORKING_DPI
from biometrics.fingerprint.quality import MIN_SURE
from biometrics.fingerprint.ridges import CELL_PX, ridge_maps

PARTS: Final = 4
"""Windows of each impression."""

LEAST_MM2, MOST_MM2 = 35.0, 150.0  # of eight certain minutiae in the middle, and of nearly a whole print
LOG_ASPECT: Final = 0.5  # sides of a window are to each other as 1 to 1.65 at most, either way
LEAST_TOUCHED: Final = 0.7  # of the window by the finger: else it is an edge of a print and no part
DRAWS: Final = 15  # windows drawn for each that is kept; small prints have no place for large ones
_MM_PX: Final = WORKING_DPI / 25.4


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One window of an impression."""

    of: Key
    cylinders: Cylinders


def windows_in(touched: NDArray[np.bool_], size: tuple[int, int], rng: np.random.Generator) -> Iterator[Window]:
    """Up to `PARTS` windows anywhere on the finger, of areas drawn so that each doubling is as frequent as the next.

    Args:
        touched: Foreground by cells of `CELL_PX`.
        size: Width and height of the picture at 500 dpi.
        rng: Draws sizes and places.
    """
    rows, columns = np.nonzero(touched)
    found = 0
    for _ in range(PARTS * DRAWS if len(rows) else 0):
        area = np.exp(rng.uniform(np.log(LEAST_MM2), np.log(MOST_MM2))) * _MM_PX**2
        aspect = np.exp(rng.uniform(-LOG_ASPECT, LOG_ASPECT))
        width, height = (max(MIN_SIDE_PX, int(np.sqrt(area * by))) for by in (aspect, 1 / aspect))
        cell = rng.integers(len(rows))
        left = _inside(int(columns[cell] * CELL_PX + CELL_PX / 2 - width / 2), width, size[0])
        top = _inside(int(rows[cell] * CELL_PX + CELL_PX / 2 - height / 2), height, size[1])
        window = Window(left, top, min(width, size[0] - left), min(height, size[1] - top))
        cells = touched[
            top // CELL_PX : (top + window.height) // CELL_PX, left // CELL_PX : (left + window.width) // CELL_PX
        ]
        if cells.mean() >= LEAST_TOUCHED:
            yield window
            found += 1
            if found == PARTS:
                return


def _inside(start: int, length: int, of: int) -> int:
    """Pushed back where it would reach over an edge; at the first edge where it is longer than the picture."""
    return min(max(0, start), max(of - length, 0))


def cut_parts(picture: FingerImage, rng: np.random.Generator) -> Iterator[FingerImage]:
    """The windows of a picture at 500 dpi."""
    for window in windows_in(ridge_maps(picture).foreground, picture.shape[::-1], rng):
        yield np.ascontiguousarray(window.cut(picture))


def extract_parts(fingers: FingerSet, extractor: Extractor, done: Callable[[], None]) -> list[Part]:
    """Cylinders of parts of every impression; the same parts whenever asked."""
    parts = []
    for taken in fingers.taken:
        rng = np.random.default_rng([taken.finger, taken.impression, sum(fingers.name.encode())])
        try:
            picture = working_image(taken.read(), dpi=fingers.dpi)
            for part in cut_parts(picture, rng):
                minutiae = extractor.extract(part, dpi=WORKING_DPI).minutiae
                parts.append(Part((taken.finger, taken.impression), Cylinders.of(minutiae)))
        except FingerImageError:
            continue  # what is no picture of a finger has no parts; `extract_set` counts it
        finally:
            done()
    return parts


@dataclass(frozen=True, slots=True, eq=False)
class PartScores:
    """Parts against whole impressions, a set each."""

    single: tuple[PairScores, ...]
    nearest: tuple[PairScores, ...]
    """The nearest of three enrolled."""
    count: int
    """Parts compared."""

    @classmethod
    def of(
        cls,
        sets: Sequence[FingerSet],
        extracted: Sequence[ExtractedSet],
        extractor: Extractor,
        *,
        foreign: bool = False,
        progress: Progress = lambda done, of: None,
    ) -> Self:
        """Cut, extract and compare; against another vendor's templates where there are any when `foreign`."""
        wholes = [one.foreign if foreign else one.own for one in extracted]
        comparable = [(fingers, whole) for fingers, whole in zip(sets, wholes, strict=True) if whole]
        done, of = 0, sum(len(fingers.taken) for fingers, _ in comparable)

        def step() -> None:
            nonlocal done
            done += 1
            if done % 100 == 0 or done == of:
                progress(done, of)

        compared, count = [], 0
        for fingers, whole in comparable:
            parts = extract_parts(fingers, extractor, step)
            compared.append(compare_parts(fingers.name, whole, parts))
            count += len(parts)
        return cls(tuple(single for single, _ in compared), tuple(nearest for _, nearest in compared), count)


def decidable(scores: PairScores) -> PairScores:
    """Those of which a machine may decide; what shows less is a clerk's (`policy.decide_finger`)."""
    return scores.where(scores.size >= MIN_SURE)


def compare_parts(name: str, whole: Mapping[Key, Cylinders], parts: Sequence[Part]) -> tuple[PairScores, PairScores]:
    """Each part against three whole impressions of every finger: each by itself, and the nearest of the three.

    Which three are enrolled takes turns; of a part's own finger, the first three without its own impression.
    """
    name = f"{name}, parts"
    rows: list[tuple[Key, Key]] = []
    distances: list[float] = []
    sizes: list[int] = []
    nearest: list[tuple[Key, Key, float, int]] = []
    fingers = sorted({finger for finger, _ in whole})
    for number, part in enumerate(parts):
        for finger in fingers:
            triple = ENROLMENTS[(number + finger) % len(ENROLMENTS)]
            if finger == part.of[0]:
                triple = next(one for one in ENROLMENTS if part.of[1] not in one)
            references = [(key, whole[key]) for key in ((finger, impression) for impression in triple) if key in whole]
            counted = [(compare(part.cylinders, one).distance, smaller(part.cylinders, one)) for _, one in references]
            rows += [(key, part.of) for key, _ in references]
            distances += [distance for distance, _ in counted]
            sizes += [size for _, size in counted]
            if len(counted) == len(triple):
                nearest.append(((finger, 0), part.of, *min(counted)))
    best = pair_scores(
        name, [(a, b) for a, b, _, _ in nearest], [d for _, _, d, _ in nearest], [n for _, _, _, n in nearest]
    )
    return pair_scores(name, rows, distances, sizes), best
