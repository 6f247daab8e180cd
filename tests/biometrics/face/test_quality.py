"""One reason at a time, from pictures spoilt in one way each; and which frames of a session are kept."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from biometrics.face.engine import FaceBox, Picture
from biometrics.face.gallery import APART_S, MOST, NEEDED, Gallery, View, view_of
from biometrics.face.guidance import GuidanceCode
from biometrics.face.quality import FrameQuality, judge
from tests.biometrics.simulated_customer import face_engine, head_and_shoulders, read_picture
from tests.journeys.photographs import photograph


def frame() -> Picture:
    return head_and_shoulders(read_picture(photograph("obama.jpg")))


def quality_of(picture: Picture, second: float = 0.0) -> FrameQuality:
    engine = face_engine()
    boxes = engine.detect(picture)
    points = engine.landmarks(picture, boxes[0])
    if second:
        boxes = (boxes[0], FaceBox(0, 0, round(boxes[0].width * second), 50))
    return judge(picture, boxes, points, engine.align(picture, boxes[0]))


def lit(change: Callable[[np.ndarray], np.ndarray]) -> Picture:
    return np.asarray(np.clip(change(frame().astype(np.float64)), 0, 255), dtype=np.uint8)


def test_a_good_frame_has_no_trouble_and_sensible_measures() -> None:
    good = quality_of(frame())
    assert good.trouble is None
    assert 60 < good.inter_eye_px < 120
    assert good.eyes_open > 0.2
    assert 1 <= good.side_light < 1.6
    assert good.margin > 0
    assert 0 < good.score <= 1


@pytest.mark.parametrize(
    ("spoil", "trouble"),
    [
        (lambda f: f * 0.15, GuidanceCode.TOO_DARK),
        (lambda f: f * 0.3 + 200, GuidanceCode.TOO_BRIGHT),
        (lambda f: f * np.linspace(-1.2, 2.2, f.shape[1])[None, :, None], GuidanceCode.SIDE_LIGHT),
        (lambda f: cv2.GaussianBlur(f, (0, 0), 5), GuidanceCode.HOLD_STILL),
    ],
)
def test_each_spoilt_picture_names_its_own_trouble(
    spoil: Callable[[np.ndarray], np.ndarray], trouble: GuidanceCode
) -> None:
    assert quality_of(lit(spoil)).trouble is trouble


def test_a_second_face_goes_before_everything_and_a_small_one_is_somebody_in_the_room() -> None:
    assert quality_of(lit(lambda f: f * 0.15), second=0.8).trouble is GuidanceCode.TWO_FACES
    assert quality_of(frame(), second=0.3).trouble is None


def test_somebody_far_away_is_asked_closer_and_a_face_at_the_edge_to_the_middle() -> None:
    picture = frame()
    smaller = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    far = np.full_like(picture, 127)
    far[120:360, 160:480] = smaller
    assert quality_of(far).trouble is GuidanceCode.COME_CLOSER
    aside = np.roll(picture, 180, axis=1)
    assert quality_of(aside).trouble is GuidanceCode.MOVE_TO_MIDDLE


def test_closed_eyes_are_noticed() -> None:
    engine, picture = face_engine(), frame()
    boxes = engine.detect(picture)
    points = engine.landmarks(picture, boxes[0])
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
        points[upper, 1] = points[lower, 1] - 1
    assert judge(picture, boxes, points, engine.align(picture, boxes[0])).trouble is GuidanceCode.OPEN_EYES


# --- the gallery ----------------------------------------------------------------------------------------------------


def offered(gallery: Gallery, at_s: float, *, yaw: float = 0.0, sharpness: float = 30.0, light: int = 120) -> bool:
    good = quality_of_good()
    pose = replace(good.pose, yaw=yaw, pitch=-0.46)
    return gallery.offer(np.full((150, 150, 3), light, np.uint8), replace(good, pose=pose, sharpness=sharpness), at_s)


_GOOD: list[FrameQuality] = []


def quality_of_good() -> FrameQuality:
    if not _GOOD:
        _GOOD.append(quality_of(frame()))
    return _GOOD[0]


def test_frames_of_different_views_are_kept_and_neighbours_in_time_are_not() -> None:
    gallery = Gallery()
    assert offered(gallery, 0.0)
    assert not offered(gallery, APART_S / 2)
    assert offered(gallery, 1.0, yaw=0.1)
    assert offered(gallery, 2.0, yaw=-0.1)
    assert gallery.views == {View.STRAIGHT, View.OWN_LEFT, View.OWN_RIGHT}


def test_a_sharper_neighbour_takes_the_place() -> None:
    gallery = Gallery()
    offered(gallery, 0.0, sharpness=20)
    assert offered(gallery, APART_S / 2, sharpness=50)
    assert len(gallery) == 1


def test_there_are_never_more_than_a_session_needs_and_every_view_stays() -> None:
    gallery = Gallery()
    dice = np.random.default_rng(1)
    for step in range(200):
        offered(gallery, step * 1.0, yaw=float(dice.choice([0.0, 0.1, -0.1])), sharpness=float(dice.uniform(15, 60)))
    assert len(gallery) == MOST
    assert gallery.views == {View.STRAIGHT, View.OWN_LEFT, View.OWN_RIGHT}


def test_somebody_who_does_not_turn_is_compared_all_the_same() -> None:
    gallery = Gallery()
    for step in range(20):
        offered(gallery, step * 1.0)
    assert gallery.enough
    assert gallery.views == {View.STRAIGHT}


def test_a_turned_or_spoilt_frame_is_not_kept() -> None:
    gallery = Gallery()
    assert not offered(gallery, 0.0, yaw=0.3)
    spoilt = replace(quality_of_good(), trouble=GuidanceCode.TOO_DARK)
    assert not gallery.offer(np.zeros((150, 150, 3), np.uint8), spoilt, 0.0)
    assert view_of(replace(quality_of_good().pose, yaw=0.0, pitch=-0.36)) is View.UP


def test_four_frames_are_not_compared_and_five_are_at_length_one() -> None:
    gallery, engine = Gallery(), face_engine()
    for step in range(NEEDED):
        assert gallery.fuse(engine) is None
        offered(gallery, step * 1.0, yaw=(0.0, 0.1)[step % 2], light=100 + step)
    fused = gallery.fuse(engine)
    assert fused is not None
    assert fused.frames == NEEDED
    assert np.linalg.norm(fused.embedding) == pytest.approx(1)
    chips = [kept.chip for kept in gallery._kept]
    gallery.forget()
    fused.forget()
    assert not any(np.any(chip) for chip in chips)
    assert not np.any(fused.embedding)
    assert len(gallery) == 0
