"""One customer's leg, watched during the call: key pictures become looks, looks become held, uncertain or broken.

Runs in the face process. The face that passed the check is an embedding in this process's memory only, overwritten
when the visit ends.
"""

from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.decision import Calibration, Thresholds, Verdict
from biometrics.errors import CalibrationError
from biometrics.face import quality
from biometrics.face.compare import at_length_one, distance, erase, fuse
from biometrics.face.engine import Embedding, FaceBox, FaceEngine, Picture
from counter_server.identification.continuity import LOOKS_PER_S, Continuity, Sight
from webrtc.engine import EncodedPicture
from webrtc.snapshot import PictureDecoder

FIRST_LOOKS: Final = 3  # where a finger identified and no face was checked: the first clear looks stand for the person
APART_S: Final = 0.7 / LOOKS_PER_S  # a key picture asked for after a loss comes between two others

STILL_WIDTH: Final = 640  # every picture is brought to this width: the page sends smaller ones on a bad line
STILL_FACE_PX: Final = 40
STILL_PX, STILL_RESPONSE = 0.4, 0.5
"""Of one picture coded at VP8 quantisers from 10 to 60 and at three quarters of its size, faces lie at most 0.35 px
apart where the correlation answers above 0.5; a drawn head turned by half a degree lies 1.3 px further."""

Place = tuple[int, int, int, int]


def thresholds_of_one(calibration: Calibration) -> Thresholds:
    """What the calibration says of a single look.

    Raises:
        CalibrationError: It says nothing of so few frames.
    """
    thresholds = calibration.of(1)
    if thresholds is None:
        raise CalibrationError("nothing was measured with one frame, and the call is watched by single looks")
    return thresholds


@dataclass(slots=True, repr=False)  # a face must not reach a log by way of repr
class CallWatch:
    """Feed pictures to `look` and the clock to `continuity.tick`; `forget` at the end.

    Args:
        engine: Not shared with another thread.
        thresholds: For one frame, of this engine.
        person: Who passed the face check; this watch's own from now on. None where no face was checked.
        began_s: On the pictures' clock.
    """

    engine: FaceEngine
    thresholds: Thresholds
    person: Embedding | None
    began_s: float
    continuity: Continuity = field(init=False)
    _decoder: PictureDecoder | None = field(default=None, init=False)
    _first: list[Embedding] = field(default_factory=list, init=False)
    _standing: tuple[Place, NDArray[np.float32]] | None = field(default=None, init=False)
    _last: FaceBox | None = field(default=None, init=False)
    _looked_at_s: float = field(default=float("-inf"), init=False)

    def __post_init__(self) -> None:
        self.continuity = Continuity(self.began_s)

    def take(self, picture: EncodedPicture, *, late: bool) -> None:
        """One encoded picture of the leg; a late one is decoded for the next one's sake and not judged."""
        if self._decoder is None or self._decoder.codec != picture.codec:
            self._decoder = PictureDecoder(picture.codec)
        if late and picture.key:
            self.continuity.excuse(picture.at_s)  # the next key picture needs nothing of this one
            return
        if not picture.key or picture.at_s - self._looked_at_s < APART_S:
            return
        self._decoder.feed(picture)
        if self._decoder.latest_at_s == picture.at_s and (pixels := self._decoder.latest()) is not None:
            self.look(pixels, picture.at_s)

    def look(self, picture: Picture, at_s: float) -> None:
        """One picture, judged."""
        self._looked_at_s = at_s
        sight = self._sight(picture)
        self.continuity.see(sight, at_s, still=self._is_still(picture))

    def forget(self) -> None:
        """Overwrite every face."""
        for embedding in (self.person, *self._first):
            if embedding is not None:
                erase(embedding)
        self.person = None
        self._first.clear()
        self._decoder = None
        self._standing = None

    def _sight(self, picture: Picture) -> Sight:
        boxes = self.engine.detect(picture, near=self._last)
        if self._last is not None:
            boxes = boxes or self.engine.detect(picture)  # they may have moved far in a second
        self._last = boxes[0] if boxes else None
        if not boxes:
            return Sight.NOBODY
        points = self.engine.landmarks(picture, boxes[0])
        chip = self.engine.align(picture, boxes[0])
        clear = quality.judge(picture, boxes, points, chip).trouble is None
        embedding = self.engine.embed(chip)
        try:
            alike = self._compare(embedding, clear=clear)
        finally:
            erase(embedding)
        if quality.in_company(boxes):
            return Sight.TWO
        return alike

    def _compare(self, embedding: Embedding, *, clear: bool) -> Sight:
        """Alike from any side counts as the same; different counts only where the face can be judged."""
        try:
            direction = at_length_one(embedding)
        except ValueError:
            return Sight.UNCLEAR
        try:
            if self.person is None:
                return self._meet(direction) if clear else Sight.UNCLEAR
            verdict, _ = self.thresholds.judge(distance(self.person, direction))
        finally:
            if self.person is not None:
                erase(direction)
        if verdict is Verdict.ACCEPT:
            return Sight.SAME
        if not clear:
            return Sight.UNCLEAR
        return Sight.UNLIKE if verdict is Verdict.REFER else Sight.OTHER

    def _meet(self, direction: Embedding) -> Sight:
        self._first.append(direction)
        if len(self._first) == FIRST_LOOKS:
            mean = fuse(self._first)
            self.person = at_length_one(mean)
            for embedding in (*self._first, mean):
                erase(embedding)
            self._first.clear()
        return Sight.SAME

    def _is_still(self, picture: Picture) -> bool:
        """Whether the face has not moved at all since the look that began to be still: heads always do.

        Measured on the face alone and as a way in pixels, because grey levels of two key pictures of one scene differ
        by up to 8 where the line's rate has changed between them.
        """
        height, width = picture.shape[:2]
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
        scaled = cv2.resize(grey, (STILL_WIDTH, max(1, round(height * STILL_WIDTH / width))))
        if self._standing is not None:
            box, before = self._standing
            (x, y), response = cv2.phaseCorrelate(
                before, _cut(scaled, box), cv2.createHanningWindow(_size(box), cv2.CV_32F)
            )
            if response > STILL_RESPONSE and float(np.hypot(x, y)) < STILL_PX:
                return True
        self._standing = None
        if self._last is not None:
            ratio = STILL_WIDTH / width
            sides = (self._last.left, self._last.top, self._last.right, self._last.bottom)
            left, top, right, bottom = (max(0, round(side * ratio)) for side in sides)
            box = (left, top, min(right, STILL_WIDTH), min(bottom, scaled.shape[0]))
            if min(_size(box)) >= STILL_FACE_PX:
                self._standing = (box, _cut(scaled, box))
        return False


def _cut(grey: NDArray[np.float32], box: Place) -> NDArray[np.float32]:
    left, top, right, bottom = box
    whole = np.zeros((bottom - top, right - left), np.float32)
    part = grey[top:bottom, left:right]  # a picture of another shape may lack a part of it
    whole[: part.shape[0], : part.shape[1]] = part
    return whole


def _size(box: Place) -> tuple[int, int]:
    return box[2] - box[0], box[3] - box[1]
