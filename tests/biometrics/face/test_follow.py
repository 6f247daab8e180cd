"""A head that looks into the camera is found again beside its last place; anything else is left to the engine."""

from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest

from biometrics.face.engine import FaceBox, Picture
from biometrics.face.follow import SEARCH_EVERY_S, Follower, Patch
from tests.biometrics.simulated_customer import face_engine, read_picture
from tests.journeys.photographs import photograph

SIZE = (640, 480)


def shown(name: str, dx: float = 0, dy: float = 0) -> Picture:
    """The photograph's middle in a camera's frame, moved by so many pixels, with a camera's noise."""
    picture = read_picture(photograph(name))
    scale = SIZE[1] / picture.shape[0]
    place = np.array([[scale, 0, SIZE[0] / 2 - scale * picture.shape[1] / 2 + dx], [0, scale, dy]])
    still = cv2.warpAffine(picture, place, SIZE, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    noise = np.random.default_rng(abs(round(10 * dx + dy))).normal(0, 3, still.shape)
    return np.asarray(np.clip(still + noise, 0, 255), np.uint8)


def face_in(picture: Picture) -> FaceBox:
    return face_engine().detect(picture)[0]


@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (3, -2), (-11, 6), (14, 9)])
def test_a_head_that_sways_is_found_to_the_pixel(dx: int, dy: int) -> None:
    before = shown("obama.jpg")
    box = face_in(before)
    patch = Patch.of(before, box)
    assert patch is not None
    again = patch.again(shown("obama.jpg", dx, dy), box)
    assert again is not None
    assert (again.width, again.height) == (box.width, box.height)
    assert again.centre == pytest.approx((box.centre[0] + dx, box.centre[1] + dy), abs=1.5)


def test_nobody_and_a_head_far_off_are_not_found() -> None:
    before = shown("obama.jpg")
    box = face_in(before)
    patch = Patch.of(before, box)
    assert patch is not None
    assert patch.again(np.full_like(before, 90), box) is None
    assert patch.again(np.random.default_rng(1).integers(0, 255, before.shape, dtype=np.uint8), box) is None
    assert patch.again(shown("obama.jpg", box.width, 0), box) is None


def test_a_face_at_the_edge_is_left_to_the_engine() -> None:
    picture = shown("obama.jpg")
    assert Patch.of(picture, FaceBox(-5, 20, 95, 120)) is None
    patch = Patch.of(picture, FaceBox(0, 0, 100, 100))
    assert patch is not None
    assert patch.again(picture, FaceBox(0, 0, 100, 100)) is None


@dataclass
class Counting:
    """The real engine, which counts how often it was asked."""

    asked: list[str] = field(default_factory=list)

    def detect(self, picture: Picture, *, near: FaceBox | None = None) -> tuple[FaceBox, ...]:
        self.asked.append("detect")
        return face_engine().detect(picture, near=near)

    def track(self, picture: Picture, near: FaceBox) -> FaceBox | None:
        self.asked.append("track")
        return face_engine().track(picture, near)


def followed(*, straight: bool) -> list[str]:
    """What an engine is asked for in one round from search to search."""
    engine = Counting()
    follower = Follower(engine)  # type: ignore[arg-type]  # asked for nothing else
    for step in range(5):
        at_s = step * SEARCH_EVERY_S / 4
        boxes = follower.find(shown("obama.jpg", step), at_s, lost_s=0.0, search=False, straight=straight)
        follower.keep(boxes[0], at_s)
    return engine.asked


def test_the_whole_picture_is_searched_as_often_whoever_follows() -> None:
    assert followed(straight=True) == ["detect", "detect"]
    assert followed(straight=False) == ["detect", "track", "track", "track", "detect"]
