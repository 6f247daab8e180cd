"""The customer's handwriting: where the finger went and when."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot

import rfc8785

from counter_server.signing.errors import SignatureEmptyError
from webrtc.wire.visit import Point

FORMAT = "visual-counter-strokes/1"
GRID = 1_000_000  # coordinates are millionths of the pad, whole numbers: records hold no fractions
# A tap wobbles by 3 % of the pad and a slip of the hand gives one short line; the shortest real signatures (two
# letters, a cross) run longer than a third of the pad's width and take more than a few samples even at 60 Hz.
SHORTEST_PATH = 0.35
FEWEST_POINTS = 8
SHORTEST_MS = 120


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample: millionths of the pad's width and height, milliseconds, thousandths of full pressure."""

    x: int
    y: int
    t_ms: int
    pressure_milli: int | None


@dataclass(frozen=True, slots=True, repr=False)
class Strokes:
    """A signature as it was drawn. `pad_ratio_milli` is the pad's width / height in thousandths."""

    lines: tuple[tuple[Sample, ...], ...]
    pad_ratio_milli: int

    @classmethod
    def of(cls, strokes: Sequence[Sequence[Point]], pad_ratio: float) -> "Strokes":
        """From the wire; `SignatureEmptyError` when it is a dot, a tap or nothing."""
        lines = tuple(tuple(_sample(point) for point in line) for line in strokes if line)
        drawn = cls(lines, round(pad_ratio * 1000))
        samples = [sample for line in lines for sample in line]
        if len(samples) < FEWEST_POINTS:
            raise SignatureEmptyError("too few points")
        times = [sample.t_ms for sample in samples]
        if max(times) - min(times) < SHORTEST_MS:
            raise SignatureEmptyError("too quick to be drawn by hand")
        if drawn.path_length() < SHORTEST_PATH:
            raise SignatureEmptyError("too short a line")
        return drawn

    def path_length(self) -> float:
        """Length of everything drawn, in widths of the pad."""
        ratio = self.pad_ratio_milli / 1000
        return sum(
            hypot((b.x - a.x) / GRID, (b.y - a.y) / GRID / ratio) for line in self.lines for a, b in pairwise(line)
        )

    def to_bytes(self) -> bytes:
        """As an object of the record: canonical JSON, samples as [x, y, t_ms, pressure_milli]."""
        lines = [[[p.x, p.y, p.t_ms, p.pressure_milli] for p in line] for line in self.lines]
        return rfc8785.dumps({"format": FORMAT, "pad_ratio_milli": self.pad_ratio_milli, "lines": lines})

    def sha256(self) -> str:
        """Hash of `to_bytes`, which the statement signs."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def svg(self) -> str:
        """The handwriting as a drawing, 1000 units wide."""
        height = round(1000 * 1000 / self.pad_ratio_milli)
        drawn = " ".join(_path(line, height) for line in self.lines)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 {height}"><path d="{drawn}" fill="none" '
            'stroke="#123a8c" stroke-width="6" stroke-linecap="round" stroke-linejoin="round"/></svg>'
        )


def _sample(point: Point) -> Sample:
    pressure = None if point.pressure is None else round(point.pressure * 1000)
    return Sample(round(point.x * GRID), round(point.y * GRID), point.t_ms, pressure)


def _path(line: tuple[Sample, ...], height: int) -> str:
    spots = [f"{p.x / 1000:.1f} {p.y * height / GRID:.1f}" for p in line]
    # a lone sample is a dot on an i: a line of no length, which the round cap makes visible
    return "M" + " L".join(spots if len(spots) > 1 else spots * 2)
