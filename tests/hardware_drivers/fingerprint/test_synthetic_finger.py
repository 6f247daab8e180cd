"""Fingers that belong to nobody: the same for a seed, unlike for two, with ridges as far apart as they say."""

import numpy as np
import pytest

from hardware_drivers.fingerprint.synthetic_finger import HEIGHT_PX, WIDTH_PX, Pattern, SyntheticFinger, pattern_of
from hardware_drivers.fingerprint.synthetic_impression import Touch, empty_glass, impression


def test_a_seed_is_a_finger() -> None:
    one, again, other = (SyntheticFinger.grown(seed) for seed in (7, 7, 8))
    assert (one.relief == again.relief).all()
    assert one.relief.shape == (HEIGHT_PX, WIDTH_PX)
    assert abs(np.corrcoef(one.relief.ravel(), other.relief.ravel())[0, 1]) < 0.1


@pytest.mark.parametrize("pattern", list(Pattern))
def test_ridges_repeat_at_the_period_of_the_finger(pattern: Pattern) -> None:
    finger = SyntheticFinger.grown(3, pattern)
    power = np.abs(np.fft.fft2(finger.relief - finger.relief.mean())) ** 2
    radius = np.hypot(np.fft.fftfreq(HEIGHT_PX)[:, None], np.fft.fftfreq(WIDTH_PX)[None, :])
    bins = np.bincount((radius * 1000).astype(int).ravel(), power.ravel())
    peak = np.argmax(np.convolve(bins, np.ones(9), "same")) / 1000
    assert 1 / peak == pytest.approx(finger.period_px, rel=0.12)


def test_an_impression_is_the_same_for_the_same_touch_and_dark_where_skin_touches() -> None:
    finger = SyntheticFinger.grown(1)
    touch = Touch.drawn(np.random.default_rng(2))
    one, again = impression(finger, touch), impression(finger, touch)
    assert (one == again).all()
    assert one.shape == (374, 388)
    assert one[100:270, 130:260].mean() < 190 < empty_glass().mean()


def test_a_shift_on_the_glass_shifts_the_picture() -> None:
    finger = SyntheticFinger.grown(1)
    still = Touch(stretch_mm=0)
    here = impression(finger, still).astype(float)
    there = impression(finger, Touch(stretch_mm=0, right_mm=1.016)).astype(float)  # 20 pixels
    inside = here[100:270, 130:240], there[100:270, 150:260]
    assert np.corrcoef(inside[0].ravel(), inside[1].ravel())[0, 1] > 0.6
    assert np.corrcoef(here[100:270, 130:240].ravel(), there[100:270, 130:240].ravel())[0, 1] < 0.4


def test_the_sorts_are_drawn_as_often_as_people_have_them() -> None:
    drawn = [pattern_of(seed) for seed in range(1000)]
    assert 20 < drawn.count(Pattern.ARCH) < 60
    assert 240 < drawn.count(Pattern.WHORL) < 320
    assert SyntheticFinger.grown(5).pattern is drawn[5]
