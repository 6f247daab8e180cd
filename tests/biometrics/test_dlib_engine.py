"""Our use of dlib against face_recognition's own, on photographs of two people."""

import importlib
import warnings
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from PIL import ImageFile

from biometrics.decision import Verdict
from biometrics.errors import ModelError, PortraitFaceError, PortraitUnreadableError
from biometrics.face.calibration import load_thresholds
from biometrics.face.compare import distance
from biometrics.face.models import EMBEDDER, ModelFile, locate
from biometrics.face.reference import MAX_BYTES, load_reference
from tests.biometrics.simulated_customer import face_engine, head_and_shoulders, read_picture
from tests.journeys.photographs import photograph

PEOPLE = ("obama.jpg", "obama2.jpg", "biden.jpg")


@pytest.fixture(scope="module")
def oracle() -> ModuleType:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pkg_resources is deprecated; it is not ours to mend
            module = importlib.import_module("face_recognition")
    except (ImportError, SystemExit) as trouble:  # it calls quit() where pkg_resources is gone
        pytest.skip(f"face_recognition cannot be imported here: {trouble}")
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # its import tells all of Pillow to pass torn pictures
    return module


def test_our_embeddings_are_those_of_face_recognition(oracle: ModuleType) -> None:
    engine = face_engine()
    for name in PEOPLE:
        picture = head_and_shoulders(read_picture(photograph(name)))
        box = engine.detect(picture)[0]
        theirs = oracle.face_encodings(
            np.ascontiguousarray(picture[:, :, ::-1]), [(box.top, box.right, box.bottom, box.left)]
        )[0]
        assert distance(engine.embed(engine.align(picture, box)), theirs) < 1e-5


def test_one_person_in_two_photographs_is_accepted_and_another_rejected() -> None:
    thresholds = load_thresholds(face_engine())
    chip, same, other = (load_reference(photograph(name).read_bytes(), face_engine()) for name in PEOPLE)
    assert thresholds.judge(distance(chip.embedding, same.embedding))[0] is Verdict.ACCEPT
    assert thresholds.judge(distance(chip.embedding, other.embedding))[0] is Verdict.REJECT
    assert thresholds.judge(distance(same.embedding, other.embedding))[0] is Verdict.REJECT


def test_weights_of_another_hash_are_refused() -> None:
    changed = ModelFile(EMBEDDER.name, "0" * 64, EMBEDDER.licence, EMBEDDER.source, EMBEDDER.shapes)
    with pytest.raises(ModelError, match="SHA-256"):
        locate(changed)


def jpeg(picture: np.ndarray, suffix: str = ".jpg") -> bytes:
    return bytes(cv2.imencode(suffix, picture)[1].tobytes())


def icao_portrait(name: str, width_px: int = 413) -> np.ndarray:
    """Cropped to head and shoulders, 4:5, as a chip holds it."""
    frame = head_and_shoulders(read_picture(photograph(name)))[:, 140:500]
    return cv2.resize(frame, (width_px, round(width_px * 4 / 3)), interpolation=cv2.INTER_AREA)  # type: ignore[no-any-return]


def test_a_jpeg_2000_portrait_gives_the_same_face_as_its_jpeg() -> None:
    portrait = icao_portrait("obama2.jpg")
    one = load_reference(jpeg(portrait), face_engine())
    other = load_reference(jpeg(portrait, ".jp2"), face_engine())
    assert distance(one.embedding, other.embedding) < 0.1
    assert not one.is_small


def test_a_small_portrait_is_usable_and_says_so() -> None:
    small = load_reference(jpeg(icao_portrait("obama2.jpg", 180)), face_engine())
    large = load_reference(photograph("obama2.jpg").read_bytes(), face_engine())
    assert small.is_small
    assert distance(small.embedding, large.embedding) < 0.35


@pytest.mark.parametrize(
    "image_bytes",
    [
        b"",
        b"\xff\xd8\xff\xe0 no picture follows",
        b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(40),
        jpeg(np.zeros((4000, 4000, 3), np.uint8)),  # 47 KB that would become 48 MB
        jpeg(np.zeros((40, 40, 3), np.uint8)),
        jpeg(np.zeros((200, 200, 3), np.uint8), ".png"),
        bytes(MAX_BYTES + 1),
    ],
    ids=["empty", "torn JPEG", "torn JPEG 2000", "too many pixels", "too few pixels", "PNG", "too many bytes"],
)
def test_bytes_that_are_no_portrait_are_refused_by_name(image_bytes: bytes) -> None:
    with pytest.raises(PortraitUnreadableError):
        load_reference(image_bytes, face_engine())


def test_a_truncated_portrait_is_refused() -> None:
    whole = jpeg(icao_portrait("obama2.jpg"))
    with pytest.raises(PortraitUnreadableError):
        load_reference(whole[: len(whole) // 2], face_engine())


def test_a_portrait_without_a_face_or_with_two_is_refused() -> None:
    portrait = icao_portrait("obama2.jpg")
    for picture in (np.full((400, 300, 3), 128, np.uint8), np.hstack([portrait, portrait])):
        with pytest.raises(PortraitFaceError):
            load_reference(jpeg(picture), face_engine())


def test_the_weights_package_is_found_without_importing_it() -> None:
    assert isinstance(locate(EMBEDDER), Path)
