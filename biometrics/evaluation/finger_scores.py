"""Every impression of a set against every other one, with whose fingers they are."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from biometrics.errors import FingerImageError
from biometrics.evaluation.error_rates import Distances
from biometrics.evaluation.finger_sets import FingerSet
from biometrics.fingerprint.cylinders import Cylinders
from biometrics.fingerprint.engine import Extractor
from biometrics.fingerprint.match import compare
from biometrics.fingerprint.template_formats import TemplateFormat, read_minutiae

ENROLLED: Final = 3
"""Impressions enrolled in the figures of several; the rest of a finger's are probes."""

ENROLMENTS: Final = ((1, 2, 3), (4, 5, 6), (7, 8, 1))
"""Of 8 impressions, three are enrolled in turn: with one choice a set has too few strangers to count rates by."""

Key = tuple[int, int]
"""Finger, impression."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class PairScores:
    """Comparisons within one set, one per row."""

    name: str
    reference: NDArray[np.int64]
    """(n, 2) finger, impression."""
    probe: NDArray[np.int64]
    distance: Distances
    size: NDArray[np.int64]
    """(n,) certain minutiae of the smaller of both; 0 where another system counted."""

    @property
    def same(self) -> NDArray[np.bool_]:
        """Genuine: one finger."""
        return np.asarray(self.reference[:, 0] == self.probe[:, 0], np.bool_)

    @property
    def genuine(self) -> Distances:
        """Of one finger."""
        return self.distance[self.same]

    @property
    def impostor(self) -> Distances:
        """Of two fingers."""
        return self.distance[~self.same]

    def where(self, chosen: NDArray[np.bool_]) -> Self:
        """Only those comparisons."""
        return type(self)(
            self.name, self.reference[chosen], self.probe[chosen], self.distance[chosen], self.size[chosen]
        )

    @property
    def fvc_impostor(self) -> Distances:
        """Of two fingers' first impressions only: FVC's protocol."""
        firsts = (self.reference[:, 1] == 1) & (self.probe[:, 1] == 1)
        return np.asarray(self.distance[~self.same & firsts], np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class ExtractedSet:
    """What the extractor made of a set."""

    name: str
    own: Mapping[Key, Cylinders]
    foreign: Mapping[Key, Cylinders]
    """Of another vendor's templates, where they lie beside the pictures."""
    refused: int
    """Pictures that were no picture of a finger to the extractor."""
    too_little: int
    """Pictures without a single cylinder, the refused among them: nothing to compare."""


def extract_set(fingers: FingerSet, extractor: Extractor, done: Callable[[], None]) -> ExtractedSet:
    """Cylinders of every impression; nothing of the pictures is kept."""
    own: dict[Key, Cylinders] = {}
    foreign: dict[Key, Cylinders] = {}
    refused = 0
    for taken in fingers.taken:
        key = taken.finger, taken.impression
        try:
            own[key] = Cylinders.of(extractor.extract(taken.read(), dpi=fingers.dpi).minutiae)
        except FingerImageError:
            refused += 1
        template = taken.foreign_template
        if template is not None:
            foreign[key] = Cylinders.of(read_minutiae(template.read_bytes(), TemplateFormat.ISO_2005))
        done()
    too_little = refused + sum(not one.comparable for one in own.values())
    return ExtractedSet(fingers.name, own, foreign, refused, too_little)


def compare_all(
    name: str, references: Mapping[Key, Cylinders], probes: Mapping[Key, Cylinders], done: Callable[[], None]
) -> PairScores:
    """Each two different impressions once, as FVC does: the one of the lower key is the reference."""
    keys = sorted(references)
    rows = [(one, other) for index, one in enumerate(keys) for other in keys[index + 1 :] if other in probes]
    distances = []
    for one, other in rows:
        distances.append(compare(probes[other], references[one]).distance)
        done()
    return pair_scores(name, rows, distances, [smaller(probes[other], references[one]) for one, other in rows])


def smaller(one: Cylinders, other: Cylinders) -> int:
    """How much there is to compare: certain minutiae of the impression that shows fewer."""
    return min(one.certain, other.certain)


def pair_scores(
    name: str, rows: Sequence[tuple[Key, Key]], distances: Sequence[float], sizes: Sequence[int] | None = None
) -> PairScores:
    """Comparisons as columns."""
    columns = np.array([[*one, *other] for one, other in rows], np.int64).reshape(-1, 4)
    counted = np.zeros(len(rows), np.int64) if sizes is None else np.array(sizes, np.int64)
    return PairScores(name, columns[:, :2], columns[:, 2:], np.array(distances, np.float64), counted)


def several_enrolled(scores: PairScores, enrolled: Collection[int] = range(1, ENROLLED + 1)) -> PairScores:
    """The nearest of a finger's enrolled impressions to each other impression of the same and of every other finger."""
    columns = scores.reference, scores.probe, scores.distance, scores.size
    best: dict[tuple[int, Key], tuple[float, int]] = {}
    for (fa, ia), (fb, ib), distance, size in zip(*(column.tolist() for column in columns), strict=True):
        for finger, impression, probe in ((fa, ia, (fb, ib)), (fb, ib, (fa, ia))):
            if impression in enrolled and probe[1] not in enrolled:
                place = finger, probe
                best[place] = min((distance, size), best.get(place, (np.inf, 0)))
    distances, sizes = zip(*best.values(), strict=True) if best else ((), ())
    return pair_scores(scores.name, [((finger, 0), probe) for finger, probe in best], distances, sizes)


def together(scores: Sequence[PairScores], name: str = "") -> PairScores:
    """Comparisons of one set counted in several ways, as one."""
    return PairScores(
        name or scores[0].name,
        np.concatenate([one.reference for one in scores]),
        np.concatenate([one.probe for one in scores]),
        np.concatenate([one.distance for one in scores]),
        np.concatenate([one.size for one in scores]),
    )
