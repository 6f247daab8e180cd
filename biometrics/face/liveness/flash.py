"""Whether a face is lit by the colours of the screen before it, in the order that was shown.

Read is the colour of cheeks and nose against that of the surroundings: what tints the whole picture, such as a
camera's white balance or a tint laid over a film, is in both and falls out. What a turning head changes by itself is
taken away by its pose. What is left is held against the order shown and against 999 others that were not: by chance
the right one fits best once in a thousand times, whatever noise the camera has.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.engine import Landmarks, Picture
from biometrics.face.liveness.colours import FADE_S, SYMBOL_S, Colour, linear
from biometrics.face.liveness.motion import Pose, pose_of

OTHERS: Final = 999
LEAST_S: Final = 3.5  # seven colours are 2 916 orders; of fewer, some of the 999 others would be the order shown
LEAST_LOOKS: Final = 5.0  # in a second; below, a colour is seen twice or less
LAGS_S: Final = np.arange(0.0, 1.0, 0.05)
"""From a colour's leaving the counter to its being seen here: the line, the page's fade, the camera, the line again."""
BEAT_MIN, ORDER_MIN = 3.0, 0.6
"""How much calmer a face's colour is between the screen's changes than across them, and how much of all that changes
some order of these four colours explains: another order's light passes both, 5.7 and 0.76 at least in 50 clips before
plain walls. In drowned light nothing has a beat (2.2 at most in 35 clips) but some order may explain much (0.6 in 9 of
100); a codec makes a beat (7 once in 16 clips) of colours that are no order's (0.56 at most in 64)."""
SHARE_MIN, OTHERS_SHARE_MOST = 0.75, 0.45
"""Of what that order explains; the one that was shown explains 0.9 of it and more, another one 0.4 at most, but for one
clip in 54 that was so short that most of it happened to agree."""
DARK: Final = 8.0  # grey levels; darker, a channel is noise
SETTLED_S: Final = 5.0  # ten colours; of fewer, another order's light may agree with most of the order shown by chance
HINT_BEAT, HINT_ORDER = 2.0, 0.35
"""From here on there may be a screen's light on the face, and a few more looks may tell whose."""
ASKED_EVERY_S: Final = 0.5
NEARER_MOST: Final = 0.25
"""Logarithm of a face's area beside the middle look's: 13 % nearer or farther. Whoever comes closer hides other parts
of the surroundings and is lit otherwise; these looks are left out."""

Floats = NDArray[np.float64]


class Reading(Enum):
    """What the colours say."""

    RIGHT = "right"
    WRONG = "wrong"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Lit:
    """What was read, with the values that say so."""

    reading: Reading
    why: str
    unsettled: bool = False
    """More looks may well say something else."""


@dataclass(slots=True, repr=False)
class Flash:
    """The colours of one attempt, and what came back of them.

    Args:
        colours: In their order (`Challenge.colours`); none, and the screen stays as it is.
        seed: Of the challenge; the other orders are drawn from it.
        off_because: Why no colours are shown, in words for a clerk.
    """

    colours: tuple[Colour, ...]
    seed: bytes
    off_because: str = "no colours were shown"
    _began_s: float | None = field(default=None, init=False)
    _stopped: bool = field(default=False, init=False)
    _at_s: list[float] = field(default_factory=list, init=False)
    _chroma: list[tuple[float, float]] = field(default_factory=list, init=False)
    _poses: list[Pose] = field(default_factory=list, init=False)
    _asked_at_s: float = field(default=float("-inf"), init=False)
    _unsettled: bool = field(default=False, init=False)

    def colour(self, at_s: float) -> Colour | None:
        """What the screen shows now; nothing before the first look, nor after `stop`."""
        if self._began_s is None or self._stopped or not self.colours:
            return None
        shown = int(max(at_s - self._began_s, 0.0) / SYMBOL_S)
        return self.colours[min(shown, len(self.colours) - 1)]

    def stop(self) -> None:
        """The person wants no colours: none are shown any more, and nothing is held against them."""
        self._stopped = True
        self.off_because = "the person asked for none"

    def see(self, picture: Picture, points: Landmarks, at_s: float) -> None:
        """One look at the face; the first one begins the colours."""
        if not self.colours or self._stopped:
            return
        if self._began_s is None:
            self._began_s = at_s
        chroma = skin_chroma(picture, points)
        if chroma is not None:
            self._at_s.append(at_s)
            self._chroma.append(chroma)
            self._poses.append(pose_of(points))

    def unsettled(self, at_s: float) -> bool:
        """Whether a few more looks may tell what those so far leave open; judged twice a second, 13 ms each."""
        if at_s - self._asked_at_s >= ASKED_EVERY_S:
            self._asked_at_s, self._unsettled = at_s, self.judge().unsettled
        return self._unsettled

    def judge(self) -> Lit:
        """What the looks came to."""
        if not self.colours or self._stopped or self._began_s is None:
            return Lit(Reading.UNCLEAR, self.off_because)
        at_s = np.array(self._at_s) - self._began_s
        lasted_s = float(at_s[-1]) if len(at_s) else 0.0
        if lasted_s < LEAST_S or len(at_s) < LEAST_LOOKS * lasted_s:
            return Lit(Reading.UNCLEAR, "too few looks to tell", unsettled=lasted_s < LEAST_S)
        area = np.log([pose.inter_eye_px * pose.length_px for pose in self._poses])
        kept = np.abs(area - np.median(area)) < NEARER_MOST
        poses = [pose for pose, stays in zip(self._poses, kept, strict=True) if stays]
        return self._held_against_others(at_s[kept], np.array(self._chroma)[kept], poses)

    def _held_against_others(self, at_s: Floats, chroma: Floats, poses: list[Pose]) -> Lit:
        nuisance = _nuisance(at_s, poses)
        seen = _without(nuisance, chroma)
        seen /= np.maximum(seen.std(axis=0), 1e-9)  # both axes count alike
        symbols = int(at_s[-1] / SYMBOL_S) + 1
        light = np.array([_emitted(colour) for colour in Colour])
        light -= light.mean(axis=0)
        index = {colour: number for number, colour in enumerate(Colour)}
        order = np.array([[index[colour] for colour in self.colours[:symbols]]])
        orders = np.concatenate([order, _others(self.seed, order.shape[1])])
        fits, explained = np.zeros(len(orders)), np.zeros(len(LAGS_S))
        for number, lag_s in enumerate(LAGS_S):
            shown = _without(nuisance, _shown(at_s - lag_s, symbols))
            explained[number] = _explained(shown, seen)
            fits = np.maximum(fits, _fit(shown, seen, light[orders]))
        better = int(np.sum(fits[1:] >= fits[0]))
        another = _best_order(_shown(at_s - LAGS_S[int(explained.argmax())], symbols), nuisance, seen, light) ** 2
        values = f"{better} of {OTHERS} other orders fit as well; the best one explains {another:.0%} of the changes"
        beat = float((1 - explained.min()) / max(1 - float(explained.max()), 1e-9))
        hinted = beat >= HINT_BEAT and another >= HINT_ORDER
        short = float(at_s[-1]) < SETTLED_S
        if beat >= BEAT_MIN and another >= ORDER_MIN and float(fits[0]) ** 2 < SHARE_MIN * another:
            doubtful = float(fits[0]) ** 2 >= OTHERS_SHARE_MOST * another
            return Lit(Reading.WRONG, f"the face was lit in another order than the screen's: {values}", doubtful)
        if better == 0:
            return Lit(Reading.RIGHT, f"the face was lit in the screen's order: {values}", hinted and short)
        return Lit(Reading.UNCLEAR, f"the room's light leaves too little of the screen's: {values}", hinted)


def skin_chroma(picture: Picture, points: Landmarks) -> tuple[float, float] | None:
    """Red and blue against green on cheeks and nose, against the same in the surroundings; None where it is too dark.

    Logarithms: screen light and skin multiply.
    """
    height, width = picture.shape[:2]
    tip = points[30]
    cheeks = np.array([*points[[40, 41, 46, 47]], *(tip + 0.8 * (points[[2, 3, 13, 14]] - tip)), *points[[48, 54]]])
    hull = cv2.convexHull(cheeks.astype(np.int32))
    skin = _mean_inside(picture, hull)
    x, y, w, h = cv2.boundingRect(points.astype(np.int32))
    # what is behind: neither the head with its hair, nor the shoulders below it
    left, right = (min(max(0, side), width) for side in (x - w // 2, x + w + w // 2 + 1))
    hidden = picture[min(max(0, y - h), height) :, left:right]
    behind = np.array(cv2.sumElems(picture)[:3]) - (cv2.sumElems(hidden)[:3] if hidden.size else (0, 0, 0))
    around = behind / max(1, height * width - hidden.shape[0] * hidden.shape[1])
    if skin.min() < DARK:
        return None
    # a channel without any light gives nothing to hold against: in a dark room the screen is all the light there is
    blue, green, red = np.log(skin) - np.log(np.maximum(around, DARK))
    return float(red - green), float(blue - green)


def _mean_inside(picture: Picture, hull: NDArray[np.int32]) -> Floats:
    """Mean colour of the hull's pixels, looking at no more of the picture than it covers."""
    x, y, w, h = cv2.boundingRect(hull)
    left, top = max(0, x), max(0, y)
    part = picture[top : max(top, y + h), left : max(left, x + w)]
    if not part.size:
        return np.zeros(3)
    mask = np.zeros(part.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, hull - np.array([left, top], np.int32), 255)
    return np.array(cv2.mean(part, mask)[:3])


def _emitted(colour: Colour) -> tuple[float, float]:
    red, green, blue = linear(colour)
    return float(np.log(red / green)), float(np.log(blue / green))


def _others(seed: bytes, symbols: int) -> NDArray[np.int64]:
    """(OTHERS, symbols): as `draw_colours` draws them, no two alike in a row, but all at once: a fiftieth of the time.

    Nobody gains by guessing these; the order shown comes from the seed by HMAC.
    """
    rng = np.random.default_rng(list(seed))
    first = rng.integers(len(Colour), size=(OTHERS, 1))
    steps = rng.integers(1, len(Colour), size=(OTHERS, symbols - 1))
    return np.asarray(np.cumsum(np.concatenate([first, steps], axis=1), axis=1) % len(Colour), np.int64)


def _nuisance(at_s: Floats, poses: list[Pose]) -> Floats:
    """An orthonormal basis of what changes a face's colour by itself: slow drift, and how the head is held."""
    t = 2 * at_s / max(float(at_s[-1]), 1e-9) - 1
    yaw, pitch = np.array([one.yaw for one in poses]), np.array([one.pitch for one in poses])
    size = np.log([one.inter_eye_px * one.length_px for one in poses])
    columns = np.stack([np.ones_like(t), t, t**2, t**3, yaw, yaw**2, pitch, pitch**2, size], axis=1)
    basis, _ = np.linalg.qr(columns)
    return np.asarray(basis, np.float64)


def _without(basis: Floats, columns: Floats) -> Floats:
    return np.asarray(columns - basis @ (basis.T @ columns), np.float64)


def _shown(at_s: Floats, symbols: int) -> Floats:
    """How much of each colour of the order is on the screen at these times: (looks, symbols); they fade over."""
    since = at_s[:, None] - SYMBOL_S * np.arange(symbols)
    rising = np.clip(since / FADE_S, 0, 1)
    falling = np.clip((since - SYMBOL_S) / FADE_S, 0, 1)
    return np.asarray(rising - falling, np.float64)


def _explained(shown: Floats, seen: Floats) -> float:
    """What share of the changes any order of any colours explains with these times of change."""
    levels, *_ = np.linalg.lstsq(shown, seen, rcond=None)
    left = seen - shown @ levels
    return 1 - float(np.sum(left**2) / max(float(np.sum(seen**2)), 1e-9))


def _fit(shown: Floats, seen: Floats, orders: Floats) -> Floats:
    """Correlation of what was seen with what each order (orders, symbols, 2 axes) would have made of it."""
    spread = shown.T @ shown
    agreed = np.einsum("nsa,sa->n", orders, shown.T @ seen)
    power = np.einsum("nsa,st,nta->n", orders, spread, orders, optimize=True)
    return np.asarray(agreed / np.sqrt(np.maximum(power, 1e-9) * max(float(np.sum(seen**2)), 1e-9)), np.float64)


def _best_order(shown: Floats, nuisance: Floats, seen: Floats, light: Floats) -> float:
    """Correlation with what was seen of the order that explains it best, found by changing one colour at a time."""
    shown = _without(nuisance, shown)
    levels, *_ = np.linalg.lstsq(shown, seen, rcond=None)
    order = np.argmax(levels @ (light / np.linalg.norm(light, axis=1, keepdims=True)).T, axis=1)
    fit = float(_fit(shown, seen, light[order[None]])[0])
    while True:
        tries = np.repeat(order[None], order.size * len(light), axis=0)
        tries[np.arange(len(tries)), np.repeat(np.arange(order.size), len(light))] = np.tile(
            np.arange(len(light)), order.size
        )
        fits = _fit(shown, seen, light[tries])
        if (best := float(fits.max())) <= fit + 1e-6:
            return fit
        order, fit = tries[int(fits.argmax())], best
