"""One face check, from the first frame to the decision.

Straight frames first, then one movement nobody could know before, then back to the middle: the same face all the way.
The caller owns the clock and the choice of movement; a session keeps pictures and embeddings in memory only and drops
them when it has decided.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

import numpy as np

from biometrics.decision import Check, CheckOutcome, Score, Thresholds, Verdict
from biometrics.errors import CalibrationError, MovementError
from biometrics.face import quality
from biometrics.face.compare import distance, fuse
from biometrics.face.engine import Chip, Embedding, FaceBox, FaceEngine, Landmarks, Picture
from biometrics.face.guidance import Guidance, GuidanceCode
from biometrics.face.liveness import motion
from biometrics.face.liveness.challenge import RELIABLE_MOVEMENTS, Movement
from biometrics.face.outcome import FaceDecision, FaceReason
from biometrics.face.reference import Reference

TIMEOUT_S: Final = 30.0
NEUTRAL_FRAMES: Final = 3
RETURN_FRAMES: Final = 2
"""Together the five frames that thresholds are measured with (`biometrics.evaluation.face.FRAMES`)."""
NEUTRAL_APART_S: Final = 0.2  # closer frames show the same noise twice and fuse to nothing
REACTION_MIN_S: Final = 0.3  # reading takes longer; whoever is through by then did not wait for the instruction
REACTION_MAX_S: Final = 6.0
PEAK_FRAMES: Final = 2  # one frame of bad landmarks is no movement
BACK: Final = 0.4  # share of the movement under which the head counts as back
GAP_MAX_S: Final = 2.5  # without a face; a head turned far is lost until it is called back
JUMP_MAX: Final = 0.9  # of the face's width between two frames 0.15 s apart; people move at most 0.5
SECOND_FACE: Final = 0.45  # of the first one's width: smaller ones stand in the room behind
DEPTH_MIN: Final = 0.05
"""`departure_from_plane` at the peak: a real head turned past TURN_PEAK has 0.06 to 0.08, 885 pictures of flat and
bent prints have at most 0.07, 95 of 100 at most 0.03: a second hurdle, not a proof by itself."""
DRIFT_MAX: Final = 0.45  # between straight faces before and after (research notes on faces, section 5)
DRIFT_MAX_TURNED: Final = 0.55  # to the face at the peak, seen from the side: the same person 0.28 to 0.46 at 27°


class Phase(Enum):
    """Where a session stands."""

    NEUTRAL = "neutral"
    MOVING = "moving"
    RETURNING = "returning"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Seen:
    """One frame's main face."""

    box: FaceBox
    points: Landmarks
    pose: motion.Pose
    at_s: float


@dataclass(slots=True)
class FaceSession:
    """Feed frames to `observe`, show its guidance, stop when `finished`, then `decide`.

    Args:
        engine: Not shared with another thread.
        reference: The chip's portrait; None where there is no card, and then nothing is accepted, at best referred.
        movement: Drawn by the caller from `RELIABLE_MOVEMENTS`.
        thresholds: Measured for this engine.
        started_at_s: On the same monotonic clock as every `at_s`.

    Raises:
        MovementError: A movement outside `RELIABLE_MOVEMENTS`.
        CalibrationError: Thresholds or reference belong to another engine.
    """

    engine: FaceEngine
    reference: Reference | None
    movement: Movement
    thresholds: Thresholds
    started_at_s: float
    phase: Phase = field(default=Phase.NEUTRAL, init=False)
    _reasons: list[FaceReason] = field(default_factory=list, init=False)
    _last: Seen | None = field(default=None, init=False)
    _last_guidance: Guidance = field(default=Guidance(GuidanceCode.STARTING), init=False)
    _last_at_s: float = field(default=float("-inf"), init=False)
    _neutral: deque[tuple[Seen, Chip]] = field(default_factory=lambda: deque(maxlen=NEUTRAL_FRAMES), init=False)
    _after: list[Chip] = field(default_factory=list, init=False)
    _rest: motion.Pose | None = field(default=None, init=False)
    _instructed_at_s: float = field(default=0.0, init=False)
    _peak: tuple[float, Seen, Chip] | None = field(default=None, init=False)
    _peak_after_s: float = field(default=0.0, init=False)
    _peak_frames: int = field(default=0, init=False)
    _two_faces_in_a_row: int = field(default=0, init=False)
    _best: tuple[float, Picture] | None = field(default=None, init=False)
    _frames_seen: int = field(default=0, init=False)
    _decision: FaceDecision | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if self.movement not in RELIABLE_MOVEMENTS:
            raise MovementError(f"{self.movement} has no reliable cue; draw from RELIABLE_MOVEMENTS")
        if self.thresholds.engine != self.engine.id:
            raise CalibrationError(f"thresholds of {self.thresholds.engine}, engine {self.engine.id}")
        if self.reference and self.reference.engine != self.engine.id:
            raise CalibrationError(f"reference of {self.reference.engine}, engine {self.engine.id}")

    @property
    def finished(self) -> bool:
        """Whether further frames change nothing; the caller then decides."""
        return self.phase is Phase.FINISHED

    def observe(self, picture_bgr: Picture, at_s: float) -> Guidance:
        """What the person should do now. About 12 ms; frames out of order are ignored.

        Call `decide` when `finished`, or `TIMEOUT_S` after the start even where no frames come.
        """
        if self.finished or at_s <= self._last_at_s:
            return self._last_guidance
        self._last_at_s = at_s
        self._frames_seen += 1
        self._last_guidance = self._next(picture_bgr, at_s)
        return self._last_guidance

    def _next(self, picture: Picture, at_s: float) -> Guidance:
        if at_s - self.started_at_s > TIMEOUT_S:
            return self._fail(FaceReason.TIMED_OUT)
        boxes = self.engine.detect(picture, near=self._last.box if self._last else None)
        if self.phase is not Phase.NEUTRAL and self._track_broken(boxes, at_s):
            return self._fail(FaceReason.TRACK_BROKEN)
        if len(boxes) > 1 and boxes[1].width > SECOND_FACE * boxes[0].width:
            return self._two_faces()
        self._two_faces_in_a_row = 0
        if self.phase is Phase.MOVING and at_s - self._instructed_at_s > REACTION_MAX_S:
            return self._fail(FaceReason.MOVEMENT_MISSING)
        if not boxes:
            return self._nobody(picture)
        points = self.engine.landmarks(picture, boxes[0])
        seen = Seen(boxes[0], points, motion.pose_of(points), at_s)
        self._last = seen
        if self.phase is Phase.NEUTRAL:
            return self._look_straight(picture, seen)
        if self.phase is Phase.MOVING:
            return self._move(picture, seen)
        return self._come_back(picture, seen)

    # --- the three phases -------------------------------------------------------------------------------------------

    def _look_straight(self, picture: Picture, seen: Seen) -> Guidance:
        """Collect straight, clear frames in a row; then ask for the movement."""
        trouble = quality.placement(picture, seen.box, seen.pose) or quality.straightness(seen.pose)
        if trouble:
            self._neutral.clear()
            return Guidance(trouble)
        if self._neutral and seen.at_s - self._neutral[-1][0].at_s < NEUTRAL_APART_S:
            return self._holding()
        chip = self.engine.align(picture, seen.box)
        trouble = quality.light_and_focus(chip)
        if trouble:
            self._neutral.clear()
            return Guidance(trouble)
        if self._neutral and (self._jumped(self._neutral[-1][0].box, seen.box)):
            self._neutral.clear()  # somebody else sat down: begin again with them
        self._neutral.append((seen, chip))
        self._keep_best(picture, chip)
        if len(self._neutral) < NEUTRAL_FRAMES:
            return self._holding()
        self._rest = motion.mean_pose([one.pose for one, _ in self._neutral])
        self._instructed_at_s = seen.at_s
        self.phase = Phase.MOVING
        return Guidance(GuidanceCode.MOVE_NOW, self.movement, 0.4)

    def _move(self, picture: Picture, seen: Seen) -> Guidance:
        """Wait for the movement: after the instruction, in its direction, and nothing else before it."""
        after_s = seen.at_s - self._instructed_at_s
        efforts = motion.efforts(self._rest or seen.pose, seen.pose)
        done = efforts[self.movement]
        other = max(effort for movement, effort in efforts.items() if movement is not self.movement)
        if other >= max(1.0, done):  # a head rolled all round would otherwise answer every instruction
            return self._fail(FaceReason.WRONG_MOVEMENT)
        if done >= 1 and after_s < REACTION_MIN_S:
            return self._fail(FaceReason.MOVED_TOO_EARLY)
        if done >= 1:
            self._peak_frames += 1
            if self._peak is None:
                self._peak_after_s = after_s
            if self._peak is None or done > self._peak[0]:
                self._peak = (done, seen, self.engine.align(picture, seen.box))
        else:
            self._peak_frames = 0
            self._peak = None
        if self._peak_frames >= PEAK_FRAMES:
            self.phase = Phase.RETURNING
            return Guidance(GuidanceCode.BACK_TO_MIDDLE, None, 0.7)
        return Guidance(GuidanceCode.MOVE_NOW, self.movement, 0.4 + 0.3 * float(np.clip(done, 0, 1)))

    def _come_back(self, picture: Picture, seen: Seen) -> Guidance:
        """Keep the best of the movement, and collect straight frames after it."""
        back = Guidance(GuidanceCode.BACK_TO_MIDDLE, None, 0.7 + 0.1 * len(self._after))
        efforts = motion.efforts(self._rest or seen.pose, seen.pose)
        if self._peak and efforts[self.movement] > self._peak[0]:
            self._peak = (efforts[self.movement], seen, self.engine.align(picture, seen.box))
        if any(abs(effort) > BACK for effort in efforts.values()):
            return back
        chip = self.engine.align(picture, seen.box)
        if quality.light_and_focus(chip):
            return back
        self._after.append(chip)
        self._keep_best(picture, chip)
        if len(self._after) < RETURN_FRAMES:
            return back
        self.phase = Phase.FINISHED
        return Guidance(GuidanceCode.DONE, None, 1.0)

    # --- what goes wrong on the way -----------------------------------------------------------------------------------

    def _two_faces(self) -> Guidance:
        if self.phase is Phase.NEUTRAL:
            self._neutral.clear()
            return Guidance(GuidanceCode.TWO_FACES)
        self._two_faces_in_a_row += 1
        if self._two_faces_in_a_row > 1:  # one frame may be a pattern on a shirt
            return self._fail(FaceReason.TWO_FACES)
        return Guidance(GuidanceCode.TWO_FACES, None, self._last_guidance.progress)

    def _nobody(self, picture: Picture) -> Guidance:
        if self.phase is Phase.MOVING and self._peak_frames:
            # turned out of sight: they would stay there, since nothing on the screen changes for them
            return Guidance(GuidanceCode.BACK_TO_MIDDLE, None, self._last_guidance.progress)
        if self.phase is not Phase.NEUTRAL:
            return self._last_guidance  # `_track_broken` bounds how long
        self._neutral.clear()
        self._last = None
        return Guidance(quality.without_face(picture))

    def _track_broken(self, boxes: tuple[FaceBox, ...], at_s: float) -> bool:
        """Whether what is seen now cannot be the same head a moment later."""
        if self._last is None or at_s - self._last.at_s > GAP_MAX_S:
            return True
        return bool(boxes) and self._jumped(self._last.box, boxes[0])

    @staticmethod
    def _jumped(before: FaceBox, now: FaceBox) -> bool:
        moved = np.hypot(now.centre[0] - before.centre[0], now.centre[1] - before.centre[1])
        # dlib's boxes come in steps of 1.2: one step either way is no change of size
        return bool(moved > JUMP_MAX * before.width or not 0.55 < now.width / before.width < 1.8)

    def _fail(self, reason: FaceReason) -> Guidance:
        self._reasons.append(reason)
        self.phase = Phase.FINISHED
        return Guidance(GuidanceCode.DONE, None, 1.0)

    def _holding(self) -> Guidance:
        return Guidance(GuidanceCode.HOLD_STILL, None, 0.4 * len(self._neutral) / NEUTRAL_FRAMES)

    def _keep_best(self, picture: Picture, chip: Chip) -> None:
        sharpness = quality.sharpness(chip)
        if self._best is None or sharpness > self._best[0]:
            self._best = (sharpness, picture.copy())

    # --- the decision -----------------------------------------------------------------------------------------------

    def decide(self, at_s: float) -> FaceDecision:
        """The verdict, once: 0.5 s of computing; asked again it gives the same. Before `finished` it is never live."""
        if self._decision:
            return self._decision
        if not self.finished:
            late = at_s - self.started_at_s > TIMEOUT_S
            self._fail(FaceReason.TIMED_OUT if late else FaceReason.NOT_FINISHED)
        before = [self.engine.embed(chip) for _, chip in self._neutral]
        after = [self.engine.embed(chip) for chip in self._after]
        checks = [self._movement_check(), self._depth_check(), self._continuity_check(before, after)]
        live = not self._reasons and all(check.outcome is CheckOutcome.PASSED for check in checks)
        match_check, match, verdict = self._match(before + after)
        checks.append(match_check)
        if not live:
            verdict = Verdict.REJECT
        self._decision = FaceDecision(
            verdict=verdict,
            live=live,
            compared=match is not None,
            checks=tuple(checks),
            match=match,
            reasons=tuple(dict.fromkeys(self._reasons)),
            engine=self.engine.id,
            engine_version=self.engine.version,
            calibration=self.thresholds.calibration,
            frames_seen=self._frames_seen,
            frames_used=len(before) + len(after),
            best_picture_bgr=self._best[1] if self._best else None,
        )
        self._forget()
        return self._decision

    def _movement_check(self) -> Check:
        if self._reasons:
            return Check("movement", CheckOutcome.FAILED, f"{self.movement.value}: {self._reasons[0].value}")
        why = f"{self.movement.value} seen {self._peak_after_s:.1f} s after it was asked for"
        return Check("movement", CheckOutcome.PASSED, why)

    def _depth_check(self) -> Check:
        """Whether the movement was one of a body and not of a sheet."""
        if self._peak is None or not self._neutral:
            return Check("depth", CheckOutcome.NOT_POSSIBLE, "no movement to judge it by")
        before = np.mean([seen.points for seen, _ in self._neutral], axis=0)
        departure = motion.departure_from_plane(before, self._peak[1].points)
        if departure < DEPTH_MIN:
            self._reasons.append(FaceReason.FLAT)
            return Check("depth", CheckOutcome.FAILED, "what moved was as flat as a print")
        return Check("depth", CheckOutcome.PASSED, "the nose moved against the face as only a body does")

    def _continuity_check(self, before: list[Embedding], after: list[Embedding]) -> Check:
        """Whether one and the same face looked, moved and came back."""
        if not before or not after or self._peak is None:
            return Check("one_person", CheckOutcome.NOT_POSSIBLE, "the movement was not completed")
        rest = fuse(before)
        turned = distance(rest, self.engine.embed(self._peak[2]))
        if distance(rest, fuse(after)) > DRIFT_MAX or turned > DRIFT_MAX_TURNED:
            self._reasons.append(FaceReason.IDENTITY_CHANGED)
            return Check("one_person", CheckOutcome.FAILED, "the face changed during the movement")
        return Check("one_person", CheckOutcome.PASSED, "the same face before, during and after the movement")

    def _match(self, frames: list[Embedding]) -> tuple[Check, Score | None, Verdict]:
        """The comparison with the chip's portrait, where there is one and enough frames."""
        if self.reference is None:
            self._reasons.append(FaceReason.NO_REFERENCE)
            return Check("match", CheckOutcome.NOT_POSSIBLE, "no chip portrait to compare with"), None, Verdict.REFER
        if len(frames) < NEUTRAL_FRAMES:
            return Check("match", CheckOutcome.NOT_POSSIBLE, "too few clear frames"), None, Verdict.REJECT
        if self.reference.is_small:
            self._reasons.append(FaceReason.PORTRAIT_SMALL)
        verdict, score = self.thresholds.judge(distance(self.reference.embedding, fuse(frames)))
        how_rare = (
            f"strangers come as close at most {score.fmr_upper:.2%} of the time ({score.comparisons} pairs), in the "
            f"group told apart worst {score.fmr_upper_worst_group:.0%} ({score.worst_group_comparisons} pairs)"
        )
        if verdict is Verdict.ACCEPT:
            return Check("match", CheckOutcome.PASSED, how_rare), score, verdict
        if verdict is Verdict.REFER:
            self._reasons.append(FaceReason.FACE_UNCERTAIN)
            return Check("match", CheckOutcome.FAILED, f"not alike enough to accept: {how_rare}"), score, verdict
        self._reasons.append(FaceReason.FACE_DIFFERENT)
        return Check("match", CheckOutcome.FAILED, "as different as strangers are"), score, verdict

    def _forget(self) -> None:
        """Drop every face; the decision keeps one picture for the clerk."""
        self._neutral.clear()
        self._after.clear()
        self._peak = None
        self._best = None
        self._last = None
