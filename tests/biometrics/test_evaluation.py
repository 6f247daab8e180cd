"""The evaluation counts what it says, on two people and, where the data lies, on many."""

import json
import os
import shutil
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest

from biometrics.decision import Verdict
from biometrics.errors import EvaluationDataError
from biometrics.evaluation import face_speed
from biometrics.evaluation.calibrate import calibration_text
from biometrics.evaluation.degradation import CHIP_MAX_BYTES, LIVE_INTER_EYE_PX, camera_frame, chip_portrait
from biometrics.evaluation.det import det_curve, det_picture
from biometrics.evaluation.enrolment import enrol
from biometrics.evaluation.face import evaluate_face
from biometrics.evaluation.people import people_in
from biometrics.face.calibration import load_thresholds
from biometrics.face.compare import distance
from biometrics.face.liveness.motion import pose_of
from biometrics.face.reference import load_reference
from tests.biometrics.simulated_customer import face_engine, read_picture
from tests.journeys.photographs import photograph

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("COUNTER_EVALUATION_DATA") or REPOSITORY / ".." / "shared" / "data")
LONDON = DATA / "faces" / "london"
wants_london = pytest.mark.skipif(not LONDON.is_dir(), reason="wants faces/london in COUNTER_EVALUATION_DATA")


def folder_of(folder: Path, people: dict[str, tuple[str, ...]]) -> Path:
    for person, names in people.items():
        (folder / person).mkdir(parents=True)
        for index, name in enumerate(names):
            shutil.copy(photograph(name), folder / person / f"{index}.jpg")
    return folder


def test_two_people_are_counted_as_they_are(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"a": ("obama2.jpg", "obama.jpg"), "b": ("biden.jpg",)})
    figures, curves = evaluate_face(folder, engine=face_engine())
    json.dumps(figures, allow_nan=False)
    assert (figures["people"], figures["genuine"], figures["impostor"]) == (2, 2, 4)
    everybody = figures["at_shipped_thresholds"]
    assert everybody["fnmr"] == 0.0
    assert everybody["false_matches"] == 0
    assert everybody["genuine_max"] < 0.3 < 0.5 < everybody["impostor_min"]
    assert figures["fnmr_at_fmr_1e3"] is None  # four strangers say nothing about one in a thousand
    assert figures["realised_over_claimed_fmr"] is None
    assert figures["failure_to_acquire"] == 0.0
    assert {len(genuine) for genuine, _ in curves.values()} == {2}


def test_the_same_person_under_two_names_is_found_out(tmp_path: Path) -> None:
    """A false match must be counted as one: the impostor here is the person's other photograph."""
    figures, _ = evaluate_face(folder_of(tmp_path, {"a": ("obama2.jpg",), "b": ("obama.jpg",)}), engine=face_engine())
    assert figures["at_shipped_thresholds"]["false_matches"] == 2
    assert figures["worst_group_fmr"] == 1.0
    assert figures["genuine"] == 0


def test_a_picture_without_a_face_is_a_failure_to_acquire_and_not_a_miss(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"a": ("obama2.jpg", "obama.jpg"), "b": ("biden.jpg",)})
    cv2.imwrite(str(folder / "a" / "2.png"), np.full((300, 300, 3), 128, np.uint8))
    (folder / "b" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    figures, _ = evaluate_face(folder, engine=face_engine())
    assert figures["failure_to_acquire"] == 2 / 5
    assert figures["genuine"] == 2


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


def test_two_people_are_too_few_to_calibrate_with(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"a": ("obama2.jpg", "obama.jpg"), "b": ("biden.jpg",)})
    enrolled = enrol(people_in(folder), face_engine())
    with pytest.raises(EvaluationDataError, match="at least 20"):
        calibration_text(enrolled, face_engine(), measured_on="two", measured_at=date(2026, 1, 1))


def test_a_frame_and_a_chip_portrait_have_the_size_they_say() -> None:
    engine, picture = face_engine(), read_picture(photograph("obama2.jpg"))
    points = engine.landmarks(picture, engine.detect(picture)[0])
    frame = camera_frame(picture, points, np.random.default_rng(1))
    seen = pose_of(engine.landmarks(frame, engine.detect(frame)[0])).inter_eye_px
    assert 0.8 * LIVE_INTER_EYE_PX < seen < 1.3 * LIVE_INTER_EYE_PX
    again = camera_frame(picture, points, np.random.default_rng(1))
    assert np.array_equal(frame, again)
    stored = chip_portrait(picture, points)
    assert stored[4:8] == b"jP  "  # the signature box of JPEG 2000
    assert 0.9 * CHIP_MAX_BYTES < len(stored) <= CHIP_MAX_BYTES
    reference = load_reference(stored, engine)
    assert reference.inter_eye_px == pytest.approx(60, abs=3)
    assert not reference.is_small


def test_every_embedding_is_overwritten_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = []

    def enrol_and_keep(*given: object, **named: object) -> object:
        kept.append(enrol(*given, **named))  # type: ignore[arg-type]  # whatever evaluate_face passes on
        return kept[-1]

    monkeypatch.setattr("biometrics.evaluation.face.enrol", enrol_and_keep)
    evaluate_face(folder_of(tmp_path, {"a": ("obama.jpg",), "b": ("biden.jpg",)}), engine=face_engine())
    for one in kept[0].taken:
        assert not any(np.any(embedding) for embedding in (one.portrait, one.chip, *one.fused.values()))


def test_a_det_curve_goes_through_the_counted_points(tmp_path: Path) -> None:
    false, missed = det_curve(np.array([0.1, 0.2, 0.4]), np.array([0.3, 0.5]))
    assert [(f, round(m, 3)) for f, m in zip(false, missed, strict=True)] == [
        (0.0, 0.667), (0.0, 0.333), (0.5, 0.333), (0.5, 0.0), (1.0, 0.0)
    ]  # fmt: skip
    curve = {"a": (np.linspace(0.1, 0.4, 50), np.linspace(0.3, 0.9, 500))}
    for suffix, begins in ((".svg", b"<?xml"), (".png", b"\x89PNG")):
        det_picture(curve, "test", tmp_path / f"det{suffix}")
        assert (tmp_path / f"det{suffix}").read_bytes().startswith(begins)
    with pytest.raises(EvaluationDataError):
        det_picture(curve, "test", tmp_path / "det.exe")


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


def test_a_cost_that_cannot_be_measured_is_nothing_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for person in ("a", "b"):
        (tmp_path / person).mkdir()
        cv2.imwrite(str(tmp_path / person / "0.png"), np.full((300, 300, 3), 128, np.uint8))
    monkeypatch.setattr(face_speed, "_starts", lambda _: {})  # three new processes say nothing here
    figures = face_speed.measure_faces(tmp_path)
    assert figures["frame_ratio"] is figures["tracking_ms"] is figures["session_cpu_per_s"] is None
    assert set(figures["notes"]) == {"against_face_recognition", "tracking"}
