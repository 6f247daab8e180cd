"""A part of a print gets no better promise than a whole one: windows are parts, and one distance means one rate."""

from datetime import date

import numpy as np
import pytest

from biometrics.evaluation.finger_parts import (
    LEAST_MM2,
    LEAST_TOUCHED,
    PARTS,
    Part,
    PartScores,
    compare_parts,
    cut_parts,
    decidable,
    windows_in,
)
from biometrics.evaluation.finger_promise import SIZES, kept_by_size
from biometrics.evaluation.finger_scores import PairScores, pair_scores
from biometrics.evaluation.fingerprint_calibration import TARGET_FMR, calibration_text
from biometrics.evaluation.fingerprint_speed import drawn_finger
from biometrics.fingerprint.cylinders import Cylinders
from biometrics.fingerprint.image import MIN_SIDE_PX, working_image
from biometrics.fingerprint.leader import LeaderExtractor
from biometrics.fingerprint.match import TYPICAL_PER_MM2, compare, crowding
from biometrics.fingerprint.minutiae import Minutiae
from biometrics.fingerprint.policy import load_finger_calibration
from biometrics.fingerprint.quality import MIN_SURE
from biometrics.fingerprint.ridges import CELL_PX
from tests.biometrics.fingerprint.fingers import DATA, finger, minutiae, picture
from tests.biometrics.fingerprint.test_finger_calibration import NamedExtractor, scanner

SET = "FVC2004_DB1_B"  # bent most: its parts come nearest to strangers' prints
IMPRESSIONS = (2, 5)
MM_PX = 500 / 25.4


def within(whole: Minutiae, reach_px: float) -> Minutiae:
    """What a glass of this reach around the middle of the finger would show."""
    x, y = whole.x_px - whole.x_px.mean(), whole.y_px - whole.y_px.mean()
    inside = np.hypot(x, y) <= reach_px
    columns = (column[inside].astype(np.float64) for column in (whole.x_px, whole.y_px, whole.angle_rad, whole.quality))
    return minutiae(*columns)


def test_windows_lie_on_the_finger_and_are_the_same_whenever_drawn() -> None:
    touched = np.zeros((45, 40), np.bool_)
    touched[8:40, 6:34] = True
    drawn = [[*windows_in(touched, (320, 360), np.random.default_rng(seed))] for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert [len(one) for one in drawn] == [PARTS] * 3
    for window in drawn[0] + drawn[2]:
        assert min(window.width, window.height) >= MIN_SIDE_PX
        assert window.width * window.height >= 0.95 * LEAST_MM2 * MM_PX**2
        assert (window.left >= 0, window.top >= 0) == (True, True)
        assert (window.left + window.width <= 320, window.top + window.height <= 360) == (True, True)
        cells = touched[
            window.top // CELL_PX : (window.top + window.height) // CELL_PX,
            window.left // CELL_PX : (window.left + window.width) // CELL_PX,
        ]
        assert cells.mean() >= LEAST_TOUCHED
    assert [*windows_in(np.zeros_like(touched), (320, 360), np.random.default_rng(1))] == []


def test_parts_of_a_picture_are_cut_from_it_and_show_less() -> None:
    whole = drawn_finger(1)
    extractor = LeaderExtractor()
    shown = len(extractor.extract(whole, dpi=500).minutiae)
    parts = [*cut_parts(whole, np.random.default_rng(3))]
    assert len(parts) == PARTS
    for part in parts:
        assert part.size < whole.size
        assert len(extractor.extract(part, dpi=500).minutiae) < shown


def test_crowding_is_density_where_both_can_overlap() -> None:
    corners = np.array([0.0, 0, 200, 200, 100])
    certain = minutiae(corners, np.array([0.0, 200, 0, 200, 100]), corners * 0, corners * 0 + 1)
    small = minutiae(corners / 2, np.array([0.0, 200, 0, 200, 100]) / 2, corners * 0, corners * 0 + 1)
    one, other = Cylinders.of(certain), Cylinders.of(small)
    assert one.area_mm2 == pytest.approx((200 / MM_PX) ** 2)
    assert crowding(one, one) == pytest.approx(np.log(5 / one.area_mm2 / TYPICAL_PER_MM2))
    assert crowding(one, other) == crowding(other, one) == pytest.approx(crowding(one, one) + np.log(4))
    line = Cylinders.of(minutiae(corners, corners, corners * 0, corners * 0 + 1))
    assert np.isfinite(crowding(line, one))  # no area, no division by it


def test_one_distance_lets_as_many_strangers_parts_in_as_their_whole_prints() -> None:
    """Nobody's fingers: minutiae strewn at random, whole and through a glass of half their area."""
    whole = [Cylinders.of(finger(seed)) for seed in range(20)]
    cut = [Cylinders.of(within(finger(seed), 90)) for seed in range(20)]
    strangers = [(a, b) for a in range(20) for b in range(20) if a != b]
    evidence = {}
    taken = {}
    for name, probes in (("whole", whole), ("cut", cut)):
        distances = np.array([compare(probes[a], whole[b]).distance for a, b in strangers])
        evidence[name] = np.log(1 / distances - 1)
        taken[name] = np.array([crowding(probes[a], whole[b]) for a, b in strangers])
    rate = 0.05
    kept = np.mean(evidence["cut"] >= np.quantile(evidence["whole"], 1 - rate)) / rate
    before = {name: evidence[name] + taken[name] for name in evidence}  # what crowding takes given back
    broken = np.mean(before["cut"] >= np.quantile(before["whole"], 1 - rate)) / rate
    assert 0.5 <= kept <= 2 < broken


def test_each_part_meets_three_impressions_of_every_finger_and_never_its_own() -> None:
    whole = {(f, i): Cylinders.of(finger(100 * f)) for f in (1, 2, 3) for i in range(1, 9)}
    parts = [Part((f, i), Cylinders.of(within(finger(100 * f), 80))) for f in (1, 2, 3) for i in (1, 5)]
    single, nearest = compare_parts("x", whole, parts)
    assert (len(single.distance), len(nearest.distance)) == (6 * 3 * 3, 6 * 3)
    assert not np.any((single.reference == single.probe).all(axis=1))
    assert single.genuine.max() < single.impostor.min()
    assert set(single.size.tolist()) == {min(part.cylinders.certain, 40) for part in parts}
    for distance, probe, reference in zip(nearest.distance, nearest.probe, nearest.reference, strict=True):
        own = (single.probe == probe).all(axis=1) & (single.reference[:, 0] == reference[0])
        assert distance in single.distance[own]


def sized(scores: PairScores, nearer: float = 1.0) -> PairScores:
    """As parts of twelve to thirty minutiae, with strangers so much nearer."""
    rng = np.random.default_rng(7)
    distance = np.where(scores.same, scores.distance, scores.distance * nearer)
    return PairScores(
        f"{scores.name}, parts", scores.reference, scores.probe, distance, rng.integers(12, 30, len(distance))
    )


def test_a_promise_that_parts_do_not_keep_is_told_as_broken() -> None:
    scanners = [scanner("one", 10), scanner("other", 10)]
    kept = kept_by_size(scanners, [sized(one) for one in scanners], 0.01)
    assert kept["whole"]["strangers"] == 2 * 45 * 36
    assert [*kept] == ["whole", "parts", "12 to 14", "15 to 17", "18 to 22", "23 and more"]
    assert SIZES[0] == MIN_SURE
    assert all(0.5 < one["realised_over_claimed"] < 2 for one in kept.values())
    broken = kept_by_size(scanners, [sized(one, nearer=0.8) for one in scanners], 0.01)
    assert broken["parts"]["realised_over_claimed"] > 3 * broken["whole"]["realised_over_claimed"]


def test_of_three_fingers_no_promise_can_be_told() -> None:
    """With two left out, the third has no strangers to read a rate off."""
    few = scanner("few", 3)
    told = kept_by_size([few], [sized(few)], 0.01)
    assert {one["realised_over_claimed"] for one in told.values()} == {None}


def test_parts_that_come_nearer_draw_the_accept_distance_in() -> None:
    scanners = [scanner("one", 12), scanner("other", 12)]
    files = []
    for nearer in (1.0, 0.8):
        cut = tuple(sized(one, nearer) for one in scanners)
        few = tuple(pair_scores(one.name, [], []) for one in scanners)
        text = calibration_text(
            scanners,
            PartScores(cut, few, 99),
            NamedExtractor(),
            foreign=False,
            measured_on="nobody",
            measured_at=date(2026, 11, 22),
        )
        files.append(load_finger_calibration(NamedExtractor.id, text=text))
        accept = files[-1].fused[0].accept_distance
        assert max(float(np.mean(one.impostor <= accept)) for one in (*scanners, *cut)) <= TARGET_FMR
        assert "99 parts of 35 to 150 mm2" in files[-1].measured_on
    assert files[1].fused[0].accept_distance < files[0].fused[0].accept_distance
    assert files[1].worst_group.endswith(", parts")


def test_what_is_a_clerks_to_decide_is_not_counted_for_a_machine() -> None:
    scores = pair_scores("x", [((1, 1), (2, 1)), ((1, 1), (3, 1))], [0.1, 0.2], [MIN_SURE - 1, MIN_SURE])
    assert decidable(scores).distance.tolist() == [0.2]


@pytest.mark.skipif(not (DATA / SET).is_dir(), reason=f"wants fingerprints/{SET} in COUNTER_EVALUATION_DATA")
def test_the_shipped_rate_holds_for_parts_of_real_prints() -> None:
    """A slice: two impressions a finger cut, strangers at the refer distance. Before crowding counted: 3.7 times it."""
    extractor = LeaderExtractor()
    whole: dict[tuple[int, int], Cylinders] = {}
    parts: list[Part] = []
    for key in ((finger_, impression) for finger_ in range(101, 111) for impression in IMPRESSIONS):
        print_ = working_image(picture(SET, f"{key[0]}_{key[1]}"), dpi=512)
        whole[key] = Cylinders.of(extractor.extract(print_, dpi=500).minutiae)
        for part in cut_parts(print_, np.random.default_rng([*key, sum(SET.encode())])):
            parts.append(Part(key, Cylinders.of(extractor.extract(part, dpi=500).minutiae)))
    shipped = load_finger_calibration(extractor.id).fused[0]
    refer = shipped.refer_distance
    claimed = shipped.curves.fmr[-1]
    able = [part for part in parts if part.cylinders.certain >= MIN_SURE]
    counted = [
        compare(part.cylinders, one).distance <= refer
        for part in able
        for key, one in whole.items()
        if key[0] != part.of[0] and one.certain >= MIN_SURE
    ]
    assert len(counted) >= 400
    assert np.mean(counted) <= 2 * claimed
