"""Rates are what a hand count gives."""

from pathlib import Path

import numpy as np
import pytest

from biometrics.errors import EvaluationDataError
from biometrics.evaluation.error_rates import Trade
from biometrics.evaluation.finger_scores import pair_scores, several_enrolled
from biometrics.evaluation.finger_sets import finger_set_in, folders_of
from biometrics.evaluation.fingerprint import rates_of


def test_apart_there_is_no_error() -> None:
    trade = Trade.counted(np.array([0.1, 0.2]), np.array([0.8, 0.9]))
    assert trade.equal_error == 0
    assert trade.fnmr_at(0) == 0


def test_a_hand_count() -> None:
    """10 genuine of which 1 lies beyond the nearest 2 of 10 strangers: at 10 % each way they cross."""
    genuine = np.array([0.1] * 9 + [0.6])
    impostor = np.array([0.5, 0.7] + [0.9] * 8)
    trade = Trade.counted(genuine, impostor)
    assert trade.equal_error == pytest.approx(0.1)
    assert trade.fnmr_at(0) == pytest.approx(0.1)
    assert trade.fnmr_at(0.1) == pytest.approx(0.0)


def test_equal_distances_are_not_told_apart() -> None:
    """A stranger as far as a genuine one is not below it: accepting the one means accepting the other."""
    trade = Trade.counted(np.array([0.5]), np.array([0.5]))
    assert trade.fnmr_at(0) == 1
    assert trade.equal_error == pytest.approx(0.5)


def test_a_weight_is_a_repetition() -> None:
    genuine, impostor = np.array([0.2, 0.4, 0.6]), np.array([0.3, 0.5, 0.9])
    weighed = Trade.of(genuine, impostor, np.array([2.0, 0, 1]), np.array([1.0, 3, 0]))
    repeated = Trade.counted(np.array([0.2, 0.2, 0.6]), np.array([0.3, 0.5, 0.5, 0.5]))
    assert weighed.equal_error == pytest.approx(repeated.equal_error)
    assert weighed.fnmr_at(0.25) == pytest.approx(repeated.fnmr_at(0.25))


def test_the_nearest_of_three_enrolled_counts_and_probes_come_later() -> None:
    keys = [(finger, impression) for finger in (1, 2) for impression in (1, 2, 3, 4, 5)]
    rows = [(one, other) for index, one in enumerate(keys) for other in keys[index + 1 :]]
    distances = [0.01 * (a[1] + b[1]) + (0.5 if a[0] != b[0] else 0.0) for a, b in rows]
    several = several_enrolled(pair_scores("x", rows, distances))
    assert len(several.genuine) == 4  # two fingers, probes 4 and 5
    assert len(several.impostor) == 4
    assert sorted(several.genuine.tolist()) == pytest.approx([0.05, 0.05, 0.06, 0.06])
    assert sorted(several.impostor.tolist()) == pytest.approx([0.55, 0.55, 0.56, 0.56])


def test_a_false_match_is_counted_as_one() -> None:
    rows = [((1, 1), (1, 2)), ((2, 1), (2, 2)), ((1, 1), (2, 1)), ((1, 2), (2, 2))]
    figures = rates_of([pair_scores("x", rows, [0.1, 0.2, 0.05, 0.9])])
    assert (figures["genuine"], figures["impostor"]) == (2, 2)
    assert figures["fnmr_at_zero_fmr"] == 1.0
    assert figures["fnmr_at_fmr_1e4"] is None  # two strangers say nothing of one in ten thousand


def test_only_named_pictures_belong_to_a_set(tmp_path: Path) -> None:
    for name in ("1_1.png", "1_2.png", "2_1.tif", "notes.png", "2_1.iso"):
        (tmp_path / name).touch()
    (tmp_path / "dpi").write_text("512\n", encoding="ascii")
    fingers = finger_set_in(tmp_path)
    assert fingers.dpi == 512
    assert [(one.finger, one.impression) for one in fingers.taken] == [(1, 1), (1, 2), (2, 1)]
    assert [one.foreign_template is not None for one in fingers.taken] == [False, False, True]
    assert folders_of([tmp_path]) == [tmp_path]
    assert folders_of([tmp_path.parent]) == sorted(path for path in tmp_path.parent.iterdir() if path.is_dir())


def test_a_folder_without_fingers_or_with_a_senseless_dpi_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationDataError):
        finger_set_in(tmp_path)
    with pytest.raises(EvaluationDataError):
        finger_set_in(tmp_path / "absent")
    for name in ("1_1.png", "2_1.png"):
        (tmp_path / name).touch()
    (tmp_path / "dpi").write_text("many", encoding="ascii")
    with pytest.raises(EvaluationDataError):
        finger_set_in(tmp_path)
