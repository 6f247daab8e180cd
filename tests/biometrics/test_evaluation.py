"""The evaluation counts what it says, on two people and, where the data lies, on many."""

import os
import shutil
from pathlib import Path

import pytest

from biometrics.decision import Verdict
from biometrics.errors import EvaluationDataError
from biometrics.evaluation.face import evaluate_face
from biometrics.evaluation.people import people_in
from biometrics.face.calibration import load_thresholds
from biometrics.face.compare import distance
from biometrics.face.reference import load_reference
from tests.biometrics.simulated_customer import face_engine
from tests.journeys.photographs import photograph

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("COUNTER_EVALUATION_DATA") or REPOSITORY / ".." / "shared" / "data")
LONDON = DATA / "faces" / "london"
wants_london = pytest.mark.skipif(not LONDON.is_dir(), reason="wants faces/london in COUNTER_EVALUATION_DATA")


def test_two_people_are_counted_as_they_are(tmp_path: Path) -> None:
    for person, names in {"a": ("obama2.jpg", "obama.jpg"), "b": ("biden.jpg",)}.items():
        (tmp_path / person).mkdir()
        for index, name in enumerate(names):
            shutil.copy(photograph(name), tmp_path / person / f"{index}.jpg")
    figures = evaluate_face(tmp_path, engine=face_engine())
    assert (figures["people"], figures["genuine"], figures["impostor"]) == (2, 1, 2)
    assert figures["accept"]["fnmr"] == 0.0
    assert figures["accept"]["false_matches"] == figures["refer"]["false_matches"] == 0
    assert figures["genuine_max"] < 0.42 < 0.7 < figures["impostor_min"]
    assert figures["fnmr_at_fmr_1e3"] is None  # two strangers say nothing about one in a thousand
    assert figures["worst_group_fmr"] is None


def test_the_same_pictures_under_two_names_are_found_out(tmp_path: Path) -> None:
    """A false match must be counted as one: the impostor here is the person's other photograph."""
    for person, name in {"a": "obama2.jpg", "b": "obama.jpg"}.items():
        (tmp_path / person).mkdir()
        shutil.copy(photograph(name), tmp_path / person / "0.jpg")
    figures = evaluate_face(tmp_path, engine=face_engine())
    assert figures["accept"]["false_matches"] == 2
    assert figures["accept"]["fmr"] == 1.0
    assert figures["genuine"] == 0


def test_groups_come_from_the_table_beside_the_folders(tmp_path: Path) -> None:
    for person in ("001", "002"):
        (tmp_path / "set" / person).mkdir(parents=True)
        (tmp_path / "set" / person / "x.jpg").touch()
    (tmp_path / "set" / "info.csv").write_text("person,age,group\n001,20,one\n", encoding="utf-8")
    assert [(p.name, p.group) for p in people_in(tmp_path)] == [("set/001", "one"), ("set/002", None)]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationDataError):
        evaluate_face(tmp_path, engine=face_engine())
    with pytest.raises(EvaluationDataError):
        people_in(tmp_path / "absent")


@wants_london
def test_neighbours_in_the_london_set_are_not_accepted_and_smiles_do_not_hide_anyone() -> None:
    engine = face_engine()
    thresholds = load_thresholds(engine)
    people = people_in(LONDON)[:8]
    neutral = [load_reference(person.pictures[0].read_bytes(), engine).embedding for person in people]
    smiling = [load_reference(person.pictures[-1].read_bytes(), engine).embedding for person in people]
    for one, reference in enumerate(neutral):
        for other, probe in enumerate(smiling):
            verdict, _ = thresholds.judge(distance(reference, probe))
            assert (verdict is Verdict.ACCEPT) == (one == other)
