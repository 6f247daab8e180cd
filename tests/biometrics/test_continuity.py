"""One face in unbroken pictures: what a swap, a loop, a cut and a frozen picture look like, and what they do not."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from biometrics.evaluation.attacks import seen
from biometrics.evaluation.puppet import Posture
from biometrics.face.engine import FaceBox, Picture
from biometrics.face.liveness.continuity import DRIFT_MAX, IdentityTrack, PictureTrack, jumped
from biometrics.face.outcome import FaceReason
from tests.biometrics.test_session import puppet

STEP_S = 1 / 12


def direction(*share: float) -> np.ndarray:
    """An embedding with these first parts."""
    return np.array([*share, *[0.0] * (128 - len(share))])


def test_a_swap_shows_at_once() -> None:
    track = IdentityTrack(direction(1.0))
    assert not track.see(direction(1.0, 0.2), 0.1)
    assert track.see(direction(0.0, 1.0), 0.2)
    assert track.widest > 1


def test_nobody_becomes_somebody_else_in_small_steps() -> None:
    track = IdentityTrack(direction(1.0))
    shares = np.linspace(0, 0.8, 9)
    assert max(np.diff(shares)) < DRIFT_MAX / 2
    assert [track.see(direction(1.0, share), share) for share in shares][-1]


def test_a_turned_face_may_differ_more_but_does_not_become_the_measure() -> None:
    track = IdentityTrack(direction(1.0))
    assert not track.see(direction(1.0, 0.6), 0.1, turned=True)
    assert track.see(direction(1.0, 0.6), 0.2)


def test_three_looks_together_tell_somebody_much_alike() -> None:
    # what two people differ by stays; what one picture has of blur and noise falls out, and hides nobody
    alike = IdentityTrack(direction(1.0))
    assert [alike.see(direction(1.0, 0.42, *noise), 0.4) for noise in ((0.1,), (-0.1,), (0.0, 0.1))] == [
        False,
        False,
        True,
    ]
    same = IdentityTrack(direction(1.0))
    assert not any(same.see(direction(1.0, *blur), 0.4) for blur in ((0.3,), (0.0, 0.3), (0.0, 0.0, 0.3)))


@pytest.mark.parametrize("turned", [False, True])
def test_a_face_of_which_the_network_makes_no_numbers_is_not_the_same_person(turned: bool) -> None:
    track = IdentityTrack(direction(1.0))
    assert track.see(direction(1.0, float("nan")), 0.4, turned=turned)


def test_a_forgotten_track_holds_no_face() -> None:
    track = IdentityTrack(direction(1.0))
    last = direction(1.0, 0.1)
    track.see(last, 0.1)
    track.forget()
    assert not track.first.any()
    assert not last.any()


def test_a_head_moves_as_far_as_time_allows() -> None:
    box, aside = FaceBox(0, 0, 100, 100), FaceBox(50, 0, 150, 100)
    assert jumped(box, aside, 0.06)
    assert not jumped(box, aside, 0.2)
    assert jumped(box, FaceBox(0, 0, 200, 200), 1.0)


def frames(count: int, swing: float = 0.3) -> Iterator[Picture]:
    """Somebody who turns to one side and the other, never twice in the same time."""
    rng = np.random.default_rng(3)
    for frame in range(count):
        t = frame * STEP_S
        yaw = swing * np.sin(1.5 * t + 0.3 * np.sin(0.7 * t))
        yield seen(puppet("obama.jpg").show(Posture(yaw=yaw, dx=2 * np.sin(0.6 * t), dy=np.sin(0.8 * t + 1))), rng)


def found(pictures: list[Picture]) -> set[FaceReason | None]:
    track = PictureTrack()
    return {track.see(picture, STEP_S * (i + 1)) for i, picture in enumerate(pictures)} - {None}


def test_somebody_who_moves_is_neither_frozen_nor_cut_nor_looped() -> None:
    assert found(list(frames(120))) == set()


def test_somebody_who_sits_still_is_not_frozen() -> None:
    assert found(list(frames(60, swing=0.0))) == set()


def test_a_picture_that_stands_still_is_frozen() -> None:
    rng = np.random.default_rng(4)
    kept = list(frames(20))
    assert found([*kept, *(seen(kept[-1], rng) for _ in range(25))]) == {FaceReason.PICTURE_FROZEN}


def test_a_film_that_begins_again_is_looped() -> None:
    rng = np.random.default_rng(4)
    kept = list(frames(60))
    again = [seen(picture, rng) for picture in kept]
    # its seam is a cut and its repetition a loop; whichever is seen first ends the attempt
    assert found([*kept, *again]) & {FaceReason.PICTURE_LOOPED, FaceReason.PICTURE_CUT}


@pytest.mark.parametrize("change", [Posture(dx=12, dy=6), Posture(zoom=1.07), Posture(yaw=0.35)])
def test_a_change_from_one_frame_to_the_next_is_a_cut(change: Posture) -> None:
    rng = np.random.default_rng(4)
    before = list(frames(20, swing=0.0))
    after = [seen(puppet("obama.jpg").show(change), rng) for _ in range(4)]
    assert found(before + after) == {FaceReason.PICTURE_CUT}


def turning(take: Posture) -> list[Picture]:
    """Somebody at rest who turns 30° in half a second; half way it is another take, and then the first again."""
    rng, pictures = np.random.default_rng(4), []
    for frame in range(30):
        share = min(max((frame - 16) / 6, 0.0), 1.0)
        yaw = 0.01 * np.sin(frame * STEP_S) + 0.52 * share * share * (3 - 2 * share)
        place = take if 19 <= frame < 25 else Posture()
        pictures.append(seen(puppet("obama.jpg").show(replace(place, yaw=yaw)), rng))
    return pictures


@pytest.mark.parametrize("take", [Posture(dx=10, dy=4), Posture(zoom=1.06, dx=4)])
def test_a_cut_does_not_hide_in_a_movement(take: Posture) -> None:
    assert found(turning(Posture())) == set()
    assert found(turning(take)) == {FaceReason.PICTURE_CUT}


def test_a_picture_that_is_lost_in_a_movement_is_no_cut() -> None:
    lost = turning(Posture())
    assert found([*lost[:18], *lost[19:]]) == set()


def test_a_lamp_switched_off_is_no_cut() -> None:
    before = list(frames(40, swing=0.0))
    dim = [np.clip(picture * 0.8, 0, 255).astype(np.uint8) for picture in before[20:]]
    assert found(before[:20] + dim) == set()


def test_where_pictures_are_missing_nothing_is_called_a_cut() -> None:
    after = [seen(puppet("obama.jpg").show(Posture(dx=12, dy=6)), np.random.default_rng(4)) for _ in range(4)]
    pictures, track, at_s = [*frames(20, swing=0.0), *after], PictureTrack(), 0.0
    for number, picture in enumerate(pictures):
        at_s += 0.3 if number == 20 else STEP_S
        assert track.see(picture, at_s) is None


def test_where_a_camera_stood_still_nothing_is_called_a_cut_however_evenly_its_pictures_came() -> None:
    after = [seen(puppet("obama.jpg").show(Posture(dx=12, dy=6)), np.random.default_rng(4)) for _ in range(4)]
    pictures, track, camera_s = [*frames(20, swing=0.0), *after], PictureTrack(), 7000.0
    for number, picture in enumerate(pictures):
        camera_s += 0.3 if number == 20 else STEP_S
        assert track.see(picture, STEP_S * (number + 1), camera_s) is None
