"""What a scanner sees of a synthetic finger: laid down somewhere, turned, pressed, stretched, dry or wet, and noisy."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from hardware_drivers.fingerprint.synthetic_finger import DPI, HEIGHT_PX, WIDTH_PX, Plane, SyntheticFinger

MM: Final = DPI / 25.4  # pixels
PAPER: Final = 235.0  # grey of the empty glass
INK: Final = 40.0


@dataclass(frozen=True, slots=True)
class Touch:
    """How the finger met the glass."""

    right_mm: float = 0.0
    down_mm: float = 0.0
    turn_deg: float = 0.0
    """Counter-clockwise."""

    pressure: float = 0.5
    """0 barely touching to 1 squeezed: size of the contact and width of the ridges."""

    moisture: float = 0.5
    """0 chapped to 1 dripping: broken ridges, or valleys filled."""

    stretch_mm: float = 0.25
    """How far skin was dragged, at most, by the way it was put down."""

    coverage: float = 1.0
    """Part of the contact that was there when the picture was taken; little when lifted early."""

    slip_mm: float = 0.0
    """Movement while the picture was taken."""

    seed: int = 0
    """Of the noise."""

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Self:
        """As people do it who were told how."""
        return cls(
            right_mm=float(rng.normal(0, 1.0)),
            down_mm=float(rng.normal(0, 1.2)),
            turn_deg=float(np.clip(rng.normal(0, 8), -25, 25)),
            pressure=float(np.clip(rng.normal(0.5, 0.12), 0.2, 0.8)),
            moisture=float(np.clip(rng.normal(0.5, 0.1), 0.2, 0.8)),
            stretch_mm=float(rng.uniform(0.1, 0.5)),
            seed=int(rng.integers(2**32)),
        )


def impression(
    finger: SyntheticFinger, touch: Touch, *, width_px: int = 388, height_px: int = 374
) -> NDArray[np.uint8]:
    """The picture, (height, width) uint8 at 500 dpi, ridges dark; the same for the same arguments."""
    rng = np.random.default_rng((touch.seed, finger.seed))
    rows, columns = np.mgrid[0:height_px, 0:width_px].astype(np.float32)
    # from glass to skin: back by the shift, back by the turn, then by where the skin was dragged to
    x, y = columns - width_px / 2 - touch.right_mm * MM, rows - height_px / 2 - touch.down_mm * MM
    angle = np.deg2rad(touch.turn_deg)
    u = np.cos(angle) * x - np.sin(angle) * y
    v = np.sin(angle) * x + np.cos(angle) * y
    u += touch.stretch_mm * MM * _smooth((height_px, width_px), 90, rng)
    v += touch.stretch_mm * MM * _smooth((height_px, width_px), 90, rng)
    relief = _sampled(finger.relief, u + WIDTH_PX / 2, v + HEIGHT_PX * 0.45)
    touching = _contact(u, v, touch, rng)
    grey = _inked(relief, touching, touch, rng)
    if touch.slip_mm:
        grey = _smeared(grey, touch.slip_mm * MM)
    noisy = _box3(grey) + rng.normal(0, 3.0, grey.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def empty_glass(*, width_px: int = 388, height_px: int = 374, seed: int = 0) -> NDArray[np.uint8]:
    """The picture without a finger."""
    rng = np.random.default_rng(seed)
    grey = PAPER + 3 * _smooth((height_px, width_px), 120, rng) + rng.normal(0, 2.0, (height_px, width_px))
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)


def _contact(u: Plane, v: Plane, touch: Touch, rng: np.random.Generator) -> Plane:
    """0 beside the finger to 1 under it, the edge ragged; lifted early, only an end of it is left."""
    size = 0.8 + 0.3 * touch.pressure
    across, along = u / (150 * size), v / (190 * size)
    # fingertips are rounder above than below: a power between ellipse and rectangle
    reach = (np.abs(across) ** 2.4 + np.abs(along) ** 2.4) ** (1 / 2.4) + 0.025 * _smooth(u.shape, 25, rng)
    if touch.coverage < 1:
        lifted = v / (190 * size) + 0.15 * _smooth(u.shape, 60, rng)
        reach = np.maximum(reach, 1 + lifted + 1 - 2 * touch.coverage)
    return np.asarray(1 / (1 + np.exp(np.clip((reach - 1) * 22, -30, 30))), np.float32)


def _inked(relief: Plane, touching: Plane, touch: Touch, rng: np.random.Generator) -> Plane:
    """Grey levels: what is high enough touches the glass; pressure, moisture and the skin's own roughness decide."""
    bias = 1.1 * (touch.pressure - 0.5) + 1.6 * (touch.moisture - 0.5)
    patches = 0.28 * _smooth(relief.shape, 30, rng)
    dryness = max(0.0, 0.55 - touch.moisture)
    grain = (0.25 + 1.6 * dryness) * _smooth(relief.shape, 1.6, rng)
    wetness = max(0.0, touch.moisture - 0.75)
    flooded = 6.0 * wetness * np.maximum(_smooth(relief.shape, 22, rng) + 0.3, 0)
    height = relief + bias + patches + grain + flooded - 3.5 * (1 - touching)
    ink = 1 / (1 + np.exp(np.clip(-3.2 * height, -30, 30)))
    depth = (PAPER - INK) * (0.72 + 0.28 * min(1.0, touch.pressure + touch.moisture)) * (1 - 0.5 * dryness)
    glass = PAPER + 3 * _smooth(relief.shape, 120, rng)
    return np.asarray(glass - depth * ink * np.minimum(1, 1.6 * touching), np.float32)


def _smooth(shape: tuple[int, ...], scale_px: float, rng: np.random.Generator) -> Plane:
    """Gaussian noise of that correlation length, deviation 1."""
    fy, fx = np.fft.fftfreq(shape[0])[:, np.newaxis], np.fft.rfftfreq(shape[1])[np.newaxis, :]
    low = np.exp(-2 * (np.pi * scale_px) ** 2 * (fx * fx + fy * fy) / 2)
    low[0, 0] = 0  # no offset: a shift is the touch's business
    noise = np.fft.irfft2(np.fft.rfft2(rng.standard_normal(shape)) * low, shape)
    return np.asarray(noise / max(float(noise.std()), 1e-9), np.float32)


def _sampled(plane: Plane, x: Plane, y: Plane) -> Plane:
    """Bilinear; beyond the skin, its edge."""
    x, y = np.clip(x, 0, plane.shape[1] - 1.001), np.clip(y, 0, plane.shape[0] - 1.001)
    left, top = x.astype(np.intp), y.astype(np.intp)
    fx, fy = x - left, y - top
    upper = plane[top, left] * (1 - fx) + plane[top, left + 1] * fx
    lower = plane[top + 1, left] * (1 - fx) + plane[top + 1, left + 1] * fx
    return np.asarray(upper * (1 - fy) + lower * fy, np.float32)


def _smeared(grey: Plane, length_px: float) -> Plane:
    """The mean over a slide to the lower right."""
    steps = max(2, round(length_px))
    total = np.zeros_like(grey)
    for i in range(steps):
        total += np.roll(grey, (round(0.6 * i), round(0.8 * i)), axis=(0, 1))
    return np.asarray(total / steps, np.float32)


def _box3(grey: Plane) -> Plane:
    """The lens: a little blur."""
    padded = np.pad(grey, 1, mode="edge")
    rows = 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]
    return np.asarray(0.25 * rows[:, :-2] + 0.5 * rows[:, 1:-1] + 0.25 * rows[:, 2:], np.float32)
