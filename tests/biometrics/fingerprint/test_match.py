"""Fingers that are the same are near, others are far, and there is always an answer."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biometrics.fingerprint.cylinders import (
    CELLS,
    N_D,
    N_S,
    Cylinders,
    R,
    beyond_hull,
    certainty_weight,
    convex_hull,
)
from biometrics.fingerprint.lsar import assign, local_similarity, pairs_counted
from biometrics.fingerprint.match import NOTHING, compare
from biometrics.fingerprint.minutiae import Minutiae
from tests.biometrics.fingerprint.fingers import finger, minutiae, pressed_again

STRANGERS = [
    compare(Cylinders.of(finger(a)), Cylinders.of(finger(b))).distance for a in range(6) for b in range(10, 16)
]


@pytest.mark.parametrize("turn_rad", [0.0, 0.5, -1.2, math.pi])
@pytest.mark.parametrize("bend_px", [0.0, 15.0])
def test_a_finger_pressed_again_is_nearer_than_any_stranger(turn_rad: float, bend_px: float) -> None:
    first = finger(1)
    again = pressed_again(first, 2, turn_rad=turn_rad, bend_px=bend_px)
    compared = compare(Cylinders.of(again), Cylinders.of(first))
    if turn_rad == math.pi:  # the paper compares within a quarter turn: nobody lays a finger on upside down
        assert compared.distance > 0.5
    else:
        assert compared.distance < 0.2 < 0.6 < min(STRANGERS)
        assert compared.mates >= 20


def test_the_same_minutiae_are_as_near_as_can_be() -> None:
    one = Cylinders.of(finger(3))
    compared = compare(one, one)
    assert compared.mates == 40
    assert compared.mated == pytest.approx(
        one.weights.sum() / (one.weights.sum() + 4.0)  # nobody is left alone: only the prior speaks against
    )
    assert compared.distance < 1e-6


def test_order_hardly_matters() -> None:
    first = finger(4)
    again = pressed_again(first, 5, turn_rad=0.3, bend_px=8)
    one, other = Cylinders.of(first), Cylinders.of(again)
    assert compare(one, other).global_score == pytest.approx(compare(other, one).global_score, abs=0.03)
    assert abs(compare(one, other).mates - compare(other, one).mates) <= 2


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_too_few_minutiae_are_nothing_to_compare(count: int) -> None:
    few = Cylinders.of(finger(6).best(count))
    assert compare(few, Cylinders.of(finger(6))) == NOTHING or compare(few, Cylinders.of(finger(6))).distance > 0.5
    if count < 3:
        assert not few.comparable


def test_minutiae_on_one_line_or_one_spot_are_nothing_to_compare() -> None:
    steps = np.arange(20.0)
    line = minutiae(steps * 10, steps * 10, steps * 0, steps * 0 + 1)
    spot = minutiae(steps * 0 + 50, steps * 0 + 50, steps * 0, steps * 0 + 1)
    for odd in (line, spot):
        assert compare(Cylinders.of(odd), Cylinders.of(finger(7))).distance > 0.9


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 16383), st.integers(0, 16383), st.floats(0, 6.28), st.floats(0, 1)), max_size=60)
)
def test_any_minutiae_give_a_distance(rows: list[tuple[int, int, float, float]]) -> None:
    columns = np.array(rows, np.float64).reshape(-1, 4)
    odd = Cylinders.of(minutiae(columns[:, 0], columns[:, 1], columns[:, 2], columns[:, 3]))
    for compared in (compare(odd, Cylinders.of(finger(8))), compare(odd, odd)):
        assert 0 <= compared.distance <= 1


def test_a_cylinder_is_the_papers_sum_of_gaussians() -> None:
    """Equations 2 to 10 written as they stand, cell by cell, against the batch of matrix products."""
    few = minutiae(
        np.array([100.0, 130, 90, 150, 120]),
        np.array([100.0, 110, 140, 150, 80]),
        np.array([0.3, 2, 4, 5, 1]),
        np.ones(5),
    )
    made = Cylinders.of(few)
    row = 0
    owner = int(made.owners[row])
    bits = np.unpackbits(made.bits[row].view(np.uint8)).reshape(N_S, N_D, N_S)
    side, sigma_s, sigma_d = 2 * R / 16, 28 / 3, 2 * math.pi / 9
    theta = made.angles[owner]
    wrong = cell = 0
    for i in range(1, 17):
        for j in range(1, 17):
            u, v = (i - 8.5) * side, (j - 8.5) * side
            if u * u + v * v > R * R:
                continue
            x = made.points[owner, 0] + math.cos(theta) * u - math.sin(theta) * v
            y = made.points[owner, 1] + math.sin(theta) * u + math.cos(theta) * v
            for k in range(1, 7):
                dphi = -math.pi + (k - 0.5) * 2 * math.pi / 6
                total = 0.0
                for t in range(len(few)):
                    if t == owner:
                        continue
                    apart = math.hypot(made.points[t, 0] - x, made.points[t, 1] - y)
                    alpha = (dphi - (theta - made.angles[t]) + math.pi) % (2 * math.pi) - math.pi
                    spatial = math.exp(-(apart**2) / (2 * sigma_s**2)) / (sigma_s * math.sqrt(2 * math.pi))
                    half = math.pi / 6
                    area = 0.5 * (
                        math.erf((alpha + half) / (sigma_d * math.sqrt(2)))
                        - math.erf((alpha - half) / (sigma_d * math.sqrt(2)))
                    )
                    total += spatial * area
                near_threshold = abs(total - 0.01) < 2e-4  # half-degree table, single precision
                inside = beyond_hull(made.hull, np.array([[x, y]]))[0] <= 50
                wrong += not near_threshold and bool(bits[i - 1, k - 1, j - 1]) != (total >= 0.01 and inside)
            cell += 1
    assert cell == CELLS
    assert wrong == 0
    assert bits.any()


def test_a_neighbourhood_is_like_itself_and_unlike_its_mirror() -> None:
    one = Cylinders.of(finger(9))
    similarity = local_similarity(one, one)
    assert np.diag(similarity) == pytest.approx(1.0)
    first = finger(9)
    mirrored = minutiae(
        (360 - first.x_px).astype(float),
        first.y_px.astype(float),
        (np.pi - first.angle_rad).astype(float),
        first.quality.astype(float),
    )
    assert compare(one, Cylinders.of(mirrored)).distance > 0.5


def test_assignment_takes_the_best_first_and_nobody_twice() -> None:
    rows, columns = assign(np.array([[0.9, 0.8, 0.0], [0.85, 0.1, 0.0]]))
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [(0, 0), (1, 1)]
    assert len(assign(np.zeros((3, 3)))[0]) == 0


def test_pairs_counted_follow_the_papers_sigmoid() -> None:
    assert [pairs_counted(1, 40), pairs_counted(20, 40), pairs_counted(60, 60)] == [4, 8, 12]


def test_a_doubtful_minutia_counts_less_and_an_unstated_one_in_full() -> None:
    weights = certainty_weight(np.array([0.0, 0.3, 0.6, 1.0]))
    assert weights.tolist() == pytest.approx([1.0, 0.4, 1.0, 1.0])


def test_beyond_the_hull_is_a_distance() -> None:
    square = convex_hull(np.array([[0.0, 0], [10, 0], [10, 10], [0, 10], [5, 5]]))
    assert beyond_hull(square, np.array([[5.0, 5], [15, 5], [5, -3]])).tolist() == pytest.approx([-5, 5, 3])


def test_none_at_all() -> None:
    assert compare(Cylinders.of(Minutiae.none(width_px=1, height_px=1)), Cylinders.of(finger(1))) == NOTHING
