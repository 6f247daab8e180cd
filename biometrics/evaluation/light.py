"""The light that a screen throws on a face, in an evaluation: how much of it, how late, and what else changes a face.

Simulated as a factor on each channel over the face alone. How much of a real screen's light reaches a face in a lit
room, and what a real camera makes of it, is to be measured at the desk.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.evaluation.puppet import Posture
from biometrics.face.engine import Landmarks, Picture
from biometrics.face.liveness.colours import FADE_S, Colour, linear, luminance

GAMMA: Final = 1 / 2.2  # of a camera's picture, roughly


@dataclass(slots=True)
class Light:
    """Screen light on one face, drawn once per clip.

    Args:
        mask: (height, width) float32, 1 on the face.
        gain: Share of the face's light that comes from the screen.
        late_s: From the page's hearing of a colour to its being seen.
        wander: By how much the face's colour changes with the room, slowly, and with the turning of the head.
    """

    mask: NDArray[np.float32]
    gain: float
    late_s: float
    wander: float
    phase: float
    _heard: deque[tuple[float, Colour | None]] = field(default_factory=lambda: deque(maxlen=8), init=False)

    @classmethod
    def drawn(cls, mask: NDArray[np.float32], rng: np.random.Generator, gain: tuple[float, float]) -> "Light":
        """A room and a line at random."""
        return cls(mask, rng.uniform(*gain), rng.uniform(0.1, 0.4), rng.uniform(0.001, 0.006), rng.uniform(0, 30))

    def on(self, picture: Picture, posture: Posture, colour: Colour | None, at_s: float) -> Picture:
        """The picture with its face lit by what the page was told a moment ago."""
        if colour is not (self._heard[-1][1] if self._heard else None):
            self._heard.append((at_s, colour))
        face = self._factor(at_s - self.late_s) ** GAMMA * self._room(posture, at_s)
        move = np.array([[posture.zoom, 0, 0], [0, posture.zoom, 0]])
        height, width = self.mask.shape
        move[:, 2] = (1 - posture.zoom) * width / 2 + posture.dx, (1 - posture.zoom) * height * 0.52 + posture.dy
        mask = cv2.warpAffine(self.mask, move, (width, height))
        factors = cv2.merge([1 + mask * float(one - 1) for one in face])
        return np.asarray(cv2.multiply(picture, factors, dtype=cv2.CV_8U), np.uint8)

    def _factor(self, at_s: float) -> NDArray[np.float64]:
        """Blue, green and red light of the screen at that time; colours fade over."""
        before = lit = np.ones(3)
        since_s = FADE_S
        for told_s, colour in self._heard:
            if told_s > at_s:
                break
            before, lit, since_s = lit, self._relative(colour), at_s - told_s
        share = min(since_s / FADE_S, 1.0)
        return np.asarray(1 + self.gain * (before + share * (lit - before) - 1), np.float64)

    def _room(self, posture: Posture, at_s: float) -> NDArray[np.float64]:
        t = at_s + self.phase
        warm = 0.5 * np.sin(0.5 * t) + 0.4 * np.sin(1.7 * t + 2) + 2 * posture.yaw + 1.5 * posture.pitch
        return np.array([1 - self.wander * warm, 1.0, 1 + self.wander * warm])

    @staticmethod
    def _relative(colour: Colour | None) -> NDArray[np.float64]:
        if colour is None:
            return np.ones(3)
        red, green, blue = linear(colour)
        return np.array([blue, green, red]) / luminance(colour)


def face_mask(height: int, width: int, points: Landmarks) -> NDArray[np.float32]:
    """Where the face is whose landmarks these are, with a soft edge."""
    mask = np.zeros((height, width), np.float32)
    (x, y), (w, h) = points.mean(axis=0), np.ptp(points, axis=0)
    cv2.ellipse(mask, (round(x), round(y - 0.12 * h)), (round(0.6 * w), round(0.75 * h)), 0, 0, 360, 1.0, cv2.FILLED)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 6.0), np.float32)
