"""Fingers that belong to nobody: ridges along a flow around singular points, the same for a seed.

Sources: the flow is the zero-pole model (B. Sherlock, D. Monro, "A model for interpreting fingerprint topology", 1993);
growing ridges from noise with oriented filters is SFinGe's idea (R. Cappelli, D. Maio, D. Maltoni, 2002). NumPy alone:
the kiosk must not load an image library for it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

DPI: Final = 500
WIDTH_PX, HEIGHT_PX = 448, 576  # 22.8 x 29.3 mm: the pad of a large thumb
MIN_PERIOD_PX, MAX_PERIOD_PX = 8.2, 10.2  # between ridges: 0.42 to 0.52 mm, adults (Maltoni et al., Handbook, §3.1)

ORIENTATIONS: Final = 18  # filters of 10° each, mixed linearly between neighbours
COARSE_STEPS, FINE_STEPS = 14, 2  # at half and at full resolution; fewer leave ridges that end at every second turn
SHARPENING: Final = 2.5  # how hard each step drives towards ridge or valley

NARROWING: Final = 0.55
"""How parallel a loop's legs are: 0 is the plain model, whose loops open like parabolas, which people's do not."""

Plane = NDArray[np.float32]
Complexes = NDArray[np.complex128]


class Pattern(StrEnum):
    """Galton's and Henry's classes."""

    ARCH = "arch"
    TENTED_ARCH = "tented_arch"
    LEFT_LOOP = "left_loop"
    RIGHT_LOOP = "right_loop"
    WHORL = "whorl"


FREQUENCIES: Final = {
    # in people (C. Wilson, G. Candela, C. Watson, 1993)
    Pattern.ARCH: 0.037,
    Pattern.TENTED_ARCH: 0.029,
    Pattern.LEFT_LOOP: 0.338,
    Pattern.RIGHT_LOOP: 0.317,
    Pattern.WHORL: 0.279,
}


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticFinger:
    """The skin itself, before any glass: what all impressions of one finger have in common."""

    seed: int
    pattern: Pattern
    period_px: float
    relief: Plane
    """(HEIGHT_PX, WIDTH_PX), about -1 in valleys to 1 on ridges, 500 dpi, fingertip above."""

    @classmethod
    def grown(cls, seed: int, pattern: Pattern | None = None) -> Self:
        """The finger of that seed; its pattern drawn as often as people have it, unless told."""
        rng = np.random.default_rng(seed)
        chosen = pattern or pattern_of(seed)
        period = float(rng.uniform(MIN_PERIOD_PX, MAX_PERIOD_PX))
        flow = _flow(chosen, rng)
        return cls(seed, chosen, period, _ridges(flow, period, rng))


def pattern_of(seed: int) -> Pattern:
    """The pattern of that finger, as often as people have it."""
    shares = np.array(list(FREQUENCIES.values()))
    return tuple(FREQUENCIES)[int(np.random.default_rng((seed, 1)).choice(len(shares), p=shares / shares.sum()))]


def _flow(pattern: Pattern, rng: np.random.Generator) -> Complexes:
    """Direction of the ridges as exp(2iθ), θ counter-clockwise from the x axis: free of jumps where θ wraps."""
    rows, columns = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX]
    # millimetre-like units of the pad's half width; upwards is positive, the origin a little above the middle
    z = ((columns - WIDTH_PX / 2) + 1j * (0.45 * HEIGHT_PX - rows)) / (WIDTH_PX / 2)
    z = z + complex(*rng.normal(0, 0.04, 2))
    if pattern is Pattern.ARCH:
        return _arch(z, rng)
    cores, deltas = _singular_points(pattern, rng)
    doubled = np.ones_like(z)
    for core in cores:
        around = _unit(z - core)
        doubled *= around * np.exp(-1j * NARROWING * np.imag(around * np.conj(_opening(core, cores, deltas))))
    for delta in deltas:
        doubled *= np.conj(_unit(z - delta))
    return np.asarray(doubled * np.exp(2j * _tip(z)), np.complex128)


def _opening(core: complex, cores: list[complex], deltas: list[complex]) -> complex:
    """Direction from a core to where its loop opens: there the ridge runs straight away from it."""
    turned = complex(1)
    for other in cores:
        turned *= (core - other) / abs(core - other) if other != core else 1
    for delta in deltas:
        turned *= ((core - delta) / abs(core - delta)).conjugate()
    return turned


def _singular_points(pattern: Pattern, rng: np.random.Generator) -> tuple[list[complex], list[complex]]:
    """Cores and deltas, each a little elsewhere in every finger."""

    def near(x: float, y: float) -> complex:
        return complex(x, y) + complex(*rng.normal(0, 0.05, 2))

    match pattern:
        case Pattern.WHORL:
            gap = float(rng.uniform(0.08, 0.3))
            return [near(0.0, 0.15 + gap / 2), near(0.0, 0.15 - gap / 2)], [near(-0.72, -0.75), near(0.72, -0.75)]
        case Pattern.LEFT_LOOP:
            return [near(0.0, 0.12)], [near(0.62, -0.68)]
        case Pattern.RIGHT_LOOP:
            return [near(0.0, 0.12)], [near(-0.62, -0.68)]
        case Pattern.TENTED_ARCH | Pattern.ARCH:
            top = near(0.0, 0.05)
            return [top], [top - complex(rng.normal(0, 0.02), rng.uniform(0.35, 0.5))]


def _arch(z: Complexes, rng: np.random.Generator) -> Complexes:
    """A wave that rises in the middle, highest a little below it, and dies out towards the joint."""
    height = rng.uniform(0.9, 1.3) * np.exp(-(((z.imag + 0.15) / 0.75) ** 2)) + 0.25
    slope = -height * np.sin(np.pi * np.clip(z.real, -1, 1)) * (z.imag > -1.6)
    return np.asarray(np.exp(2j * (np.arctan(slope) + _tip(z))), np.complex128)


def _tip(z: Complexes) -> NDArray[np.float64]:
    """How far ridges bend down at the sides of the upper pad, along the outline of the fingertip."""
    return np.asarray(-0.35 * np.tanh(1.5 * z.real) / (1 + np.exp(-4 * (z.imag - 0.35))), np.float64)


def _unit(z: Complexes) -> Complexes:
    """Direction of a complex number; at a singular point itself, any."""
    return z / np.maximum(np.abs(z), 1e-9)


def _ridges(flow: Complexes, period_px: float, rng: np.random.Generator) -> Plane:
    """Noise, filtered along the flow until it is ridges: first on a quarter of the pixels, then on all."""
    grown = rng.standard_normal((HEIGHT_PX // 2, WIDTH_PX // 2)).astype(np.float32)
    grown = _grow(grown, flow[::2, ::2], period_px / 2, COARSE_STEPS)
    return _grow(np.kron(grown, np.ones((2, 2), np.float32)), flow, period_px, FINE_STEPS)


def _grow(relief: Plane, flow: Complexes, period_px: float, steps: int) -> Plane:
    """Each step: every pixel takes the answer of the filter that lies along its ridge, driven towards -1 or 1."""
    bank = _filters((relief.shape[0], relief.shape[1]), period_px)
    turn = np.mod(np.angle(flow) / 2, np.pi) / np.pi * ORIENTATIONS
    first = np.floor(turn).astype(np.intp) % ORIENTATIONS
    share = (turn - np.floor(turn)).astype(np.float32)
    weights = [
        np.where(first == k, 1 - share, 0) + np.where(first == (k - 1) % ORIENTATIONS, share, 0)
        for k in range(ORIENTATIONS)
    ]
    for _ in range(steps):
        spectrum = np.fft.rfft2(relief)
        answer = np.zeros(relief.shape, np.float32)
        for weight, kernel in zip(weights, bank, strict=True):
            answer += weight * np.fft.irfft2(spectrum * kernel, relief.shape)
        relief = np.tanh(SHARPENING * answer / (answer.std() + 1e-6)).astype(np.float32)
    return relief


def _filters(shape: tuple[int, int], period_px: float) -> list[NDArray[np.float32]]:
    """Transfer functions, one for each orientation: a band around the ridge frequency, across the ridge."""
    fy = -np.fft.fftfreq(shape[0])[:, np.newaxis]  # minus: rows grow downwards
    fx = np.fft.rfftfreq(shape[1])[np.newaxis, :]
    radius = np.hypot(fx, fy)
    # a fifth of the frequency and 11° wide: narrower and ridges never fork, wider and they break
    band = np.exp(-(((radius * period_px - 1) / 0.22) ** 2) / 2)
    across = np.arctan2(fy, fx)
    kernels = []
    for k in range(ORIENTATIONS):
        normal = np.pi * k / ORIENTATIONS + np.pi / 2
        off = np.mod(across - normal + np.pi / 2, np.pi) - np.pi / 2
        kernels.append((band * np.exp(-((off / 0.20) ** 2) / 2)).astype(np.float32))
    return kernels
