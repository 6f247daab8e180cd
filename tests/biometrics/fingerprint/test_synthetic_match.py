"""The whole way over fingers of nobody: grown, laid down again and again, extracted, compared."""

import numpy as np

from biometrics.fingerprint.cylinders import Cylinders
from biometrics.fingerprint.match import compare
from biometrics.fingerprint.quality import FingerAdvice
from hardware_drivers.fingerprint.scanner import FingerPosition
from hardware_drivers.fingerprint.simulated import HandFault, scene_of
from hardware_drivers.fingerprint.synthetic_finger import SyntheticFinger
from hardware_drivers.fingerprint.synthetic_impression import Touch, impression
from tests.biometrics.fingerprint.test_leader import extractor


def impressions(seed: int, count: int) -> list[Cylinders]:
    finger, rng = SyntheticFinger.grown(seed), np.random.default_rng(seed)
    pictures = [impression(finger, Touch.drawn(rng)) for _ in range(count)]
    return [Cylinders.of(extractor().extract(picture, dpi=500).minutiae) for picture in pictures]


def test_impressions_of_one_finger_are_closer_than_any_of_two() -> None:
    people = [impressions(seed, 2) for seed in range(5)]
    genuine = [compare(first, second).distance for first, second in people]
    impostor = [compare(people[a][0], people[b][1]).distance for a in range(5) for b in range(5) if a != b]
    assert max(genuine) < 0.05
    assert min(impostor) > max(genuine)


def test_of_a_tip_three_minutiae_are_left_and_the_advice_says_where_to_lay_the_finger() -> None:
    scene = scene_of(1, FingerPosition.RIGHT_INDEX, HandFault.TIP, np.random.default_rng(1))
    found = extractor().extract(scene.frames[-1], dpi=500)
    assert len(found.minutiae) == 3
    assert found.quality.advice is FingerAdvice.MOVE_TO_MIDDLE
