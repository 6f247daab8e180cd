"""Films before the cues that need no instruction: real ones where they lie, drawn ones with what must be found."""

import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from biometrics.errors import EvaluationDataError
from biometrics.evaluation.actor import LOOKS_PER_S
from biometrics.evaluation.attacks import seen
from biometrics.evaluation.clips import evaluate_clips, look_at, pictures_of
from biometrics.evaluation.puppet import Posture
from biometrics.face.engine import Picture
from biometrics.face.outcome import FaceReason
from tests.biometrics.simulated_customer import face_engine
from tests.biometrics.test_session import puppet

REAL = Path(os.environ.get("COUNTER_EVALUATION_DATA", "../shared/data")) / "faces" / "motion"


def film(path: Path, pictures: Iterator[Picture], fps: float = LOOKS_PER_S) -> Path:
    """The pictures as a film."""
    first = next(pictures)
    out = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (first.shape[1], first.shape[0]))
    for picture in (first, *pictures):
        out.write(picture)
    out.release()
    return path


def turning(*names: str, looks: int = 36) -> Iterator[Picture]:
    """People side by side who turn to their left and back; who they are may change half-way."""
    rng = np.random.default_rng(3)
    for look in range(looks):
        posture = Posture(yaw=0.5 * np.sin(np.pi * look / 18), dx=float(np.sin(look)))
        name = names[look * len(names) // looks]
        yield seen(puppet(name).show(posture), rng)


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no films of real heads in {REAL}")
def test_no_real_head_is_refused() -> None:
    figures = evaluate_clips(REAL, face_engine())
    assert figures["real_clips"] >= 3
    assert figures["real_clips_refused_by"] == {}
    assert figures["real_clips_turned"] >= 1


def test_a_head_that_turns_has_depth_and_stays_one_person(tmp_path: Path) -> None:
    (finding,) = look_at(film(tmp_path / "one.avi", turning("obama.jpg")), face_engine())
    assert finding.reason is None
    assert finding.depth is not None
    assert finding.looks == 36


def test_somebody_else_half_way_is_found(tmp_path: Path) -> None:
    (finding,) = look_at(film(tmp_path / "two.avi", turning("obama.jpg", "biden.jpg", looks=48)), face_engine())
    assert finding.reason in {FaceReason.IDENTITY_CHANGED, FaceReason.PICTURE_CUT, FaceReason.TRACK_BROKEN}


def test_people_side_by_side_are_films_of_their_own(tmp_path: Path) -> None:
    pairs = zip(turning("obama.jpg", looks=12), turning("biden.jpg", looks=12), strict=True)
    path = film(tmp_path / "pair.avi", (np.hstack(pair) for pair in pairs))
    assert [finding.name for finding in look_at(path, face_engine())] == ["pair.avi 1", "pair.avi 2"]


def test_a_quick_film_is_looked_at_as_often_as_a_check_looks(tmp_path: Path) -> None:
    path = film(tmp_path / "quick.avi", turning("obama.jpg", looks=30), fps=30.0)
    assert len(list(pictures_of(path))) == 12


def test_what_is_no_film_is_said(tmp_path: Path) -> None:
    (tmp_path / "no.gif").write_bytes(b"GIF89a")
    with pytest.raises(EvaluationDataError, match=r"no\.gif is not a film"):
        evaluate_clips(tmp_path, face_engine())
    (tmp_path / "no.gif").unlink()
    with pytest.raises(EvaluationDataError, match="no film with a face"):
        evaluate_clips(tmp_path, face_engine())
