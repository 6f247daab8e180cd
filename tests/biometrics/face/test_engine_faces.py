"""Finding, following and embedding faces: photographs in large frames, and face_recognition as the oracle."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from biometrics.errors import LibraryMissingError, ModelError
from biometrics.face.compare import distance
from biometrics.face.engine import FaceBox, FaceEngine, Picture
from biometrics.face.engines import EngineChoice, choice_from, dlib_shapes, open_engine
from biometrics.face.engines.dlib_onnx import DlibOnnxEngine
from biometrics.face.engines.face_recognition_api import FaceRecognitionEngine
from biometrics.face.engines.yunet import YunetDetector
from tests.biometrics.simulated_customer import face_engine, head_and_shoulders, read_picture
from tests.journeys.photographs import photograph

PEOPLE = ("obama.jpg", "obama2.jpg", "biden.jpg")
YUNET = Path(os.environ.get("COUNTER_EVALUATION_DATA", "../shared/data")) / "weights/yunet/yunet_s_640_640.onnx"


@cache
def compatible() -> FaceRecognitionEngine:
    try:
        engine = open_engine(EngineChoice("face_recognition"))
    except LibraryMissingError as missing:
        pytest.skip(str(missing))
    assert isinstance(engine, FaceRecognitionEngine)
    return engine


@cache
def with_yunet() -> FaceEngine:
    if not YUNET.is_file():
        pytest.skip(f"no {YUNET}")
    return open_engine(EngineChoice(yunet=YUNET))


def wide_frame(name: str, face_px: int, left_px: int = 400) -> Picture:
    """1280 x 720 with somebody whose box in dlib's terms is about as wide as asked."""
    person = head_and_shoulders(read_picture(photograph(name)))
    scale = face_px / 185  # `simulated_customer.FACE_PX`
    small = cv2.resize(person, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    frame = np.full((720, 1280, 3), 110, np.uint8)
    rows, columns = min(720, small.shape[0]), min(1280 - left_px, small.shape[1])
    frame[:rows, left_px : left_px + columns] = small[:rows, :columns]
    return frame


@pytest.mark.parametrize("runtime", ["onnxruntime", "opencv"])
def test_embeddings_are_those_of_face_recognition(runtime: str) -> None:
    engine = DlibOnnxEngine(with_68=False, runtime=runtime)
    for name in PEOPLE:
        picture = wide_frame(name, 230)
        for box in engine.detect(picture):
            assert distance(engine.embed(engine.align(picture, box)), compatible().encode(picture, box)) < 1e-5


def test_several_faces_at_once_are_the_same_as_one_by_one() -> None:
    engine = face_engine()
    chips = []
    for name in PEOPLE * 4:  # more than are run together
        picture = wide_frame(name, 200)
        chips.append(engine.align(picture, engine.detect(picture)[0]))
    for chip, together in zip(chips, engine.embed_many(chips), strict=True):
        assert distance(engine.embed(chip), together) < 1e-5
    assert engine.embed_many([]) == ()


def test_landmarks_and_chip_of_the_part_are_those_of_the_whole_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = face_engine()
    for name, face_px, left_px in (("obama.jpg", 150, 0), ("biden.jpg", 260, 640), ("obama2.jpg", 330, 100)):
        picture = wide_frame(name, face_px, left_px)
        box = engine.detect(picture)[0]
        points, chip = engine.landmarks(picture, box), engine.align(picture, box)
        with monkeypatch.context() as whole:
            whole.setattr(dlib_shapes, "AROUND", 50.0)
            assert np.array_equal(points, engine.landmarks(picture, box))
            assert np.array_equal(chip, engine.align(picture, box))


def test_our_landmarks_are_those_of_face_recognition_within_its_other_grey() -> None:
    picture = wide_frame("obama.jpg", 230)
    box = face_engine().detect(picture)[0]
    apart = np.abs(face_engine().landmarks(picture, box) - compatible().landmarks(picture, box))
    assert apart.mean() < 0.5
    assert apart.max() <= 4  # dlib's grey is the mean of the colours, OpenCV's weighs them


def test_somebody_far_away_is_found_in_a_large_frame() -> None:
    boxes = face_engine().detect(wide_frame("obama.jpg", 120))
    assert len(boxes) == 1
    assert 90 < boxes[0].width < 170


@pytest.mark.parametrize("engine", [face_engine, with_yunet], ids=["hog", "yunet"])
def test_a_face_is_followed_as_it_moves_and_lost_when_it_goes(engine: Callable[[], FaceEngine]) -> None:
    follows = engine()
    near = follows.detect(wide_frame("obama.jpg", 230, 400))[0]
    for left_px in range(420, 560, 20):
        picture = wide_frame("obama.jpg", 230, left_px)
        found = follows.track(picture, near)
        assert found is not None
        whole = follows.detect(picture)[0]
        assert np.hypot(found.centre[0] - whole.centre[0], found.centre[1] - whole.centre[1]) < 0.12 * whole.width
        near = found
    assert follows.track(np.full((720, 1280, 3), 110, np.uint8), near) is None
    assert follows.track(wide_frame("obama.jpg", 230, 100), near) is None  # somewhere else is somebody else


@pytest.mark.parametrize("engine", [face_engine, with_yunet], ids=["hog", "yunet"])
def test_a_track_at_the_edge_or_of_no_size_is_no_crash(engine: Callable[[], FaceEngine]) -> None:
    picture = wide_frame("obama.jpg", 230)
    for box in (FaceBox(-300, -300, -100, -100), FaceBox(1270, 700, 1400, 830), FaceBox(5, 5, 5, 5)):
        assert engine().track(picture, box) is None


def test_yunet_gives_the_face_that_dlibs_detector_gives() -> None:
    for name in PEOPLE:
        picture = wide_frame(name, 230)
        ours, theirs = face_engine().detect(picture)[0], with_yunet().detect(picture)[0]
        assert np.hypot(ours.centre[0] - theirs.centre[0], ours.centre[1] - theirs.centre[1]) < 0.15 * ours.width
        assert 0.7 < theirs.width / ours.width < 1.4
        one = face_engine().embed(face_engine().align(picture, ours))
        other = with_yunet().embed(with_yunet().align(picture, theirs))
        assert distance(one, other) < 0.1  # two frames of one person: 0.2


def test_a_detector_file_of_unknown_hash_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "yunet.onnx"
    with pytest.raises(ModelError, match="cannot be read"):
        YunetDetector(path)
    path.write_bytes(b"no network")
    with pytest.raises(ModelError, match="SHA-256"):
        YunetDetector(path)


def test_without_the_doubtful_landmarks_faces_are_compared_and_movements_refused() -> None:
    engine = open_engine(EngineChoice(with_68=False))
    picture = wide_frame("obama.jpg", 230)
    box = engine.detect(picture)[0]
    assert np.array_equal(engine.align(picture, box), face_engine().align(picture, box))
    assert engine.id == face_engine().id
    assert engine.inter_eye_px(picture, box) == pytest.approx(compatible().inter_eye_px(picture, box), rel=0.05)
    with pytest.raises(ModelError, match="switched off"):
        engine.landmarks(picture, box)


def test_the_environment_chooses() -> None:
    assert choice_from({}) == EngineChoice()
    chosen = choice_from({"COUNTER_FACE_ENGINE": "face_recognition", "COUNTER_FACE_68_LANDMARKS": "no"})
    assert (chosen.engine, chosen.with_68) == ("face_recognition", False)
    assert choice_from({"COUNTER_FACE_YUNET": "a.onnx"}).yunet == Path("a.onnx")
