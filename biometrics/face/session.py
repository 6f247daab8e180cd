"""One face check, from the first frame to the decision.

Straight frames first, then movements nobody could know before, each from the middle and back: one face all the way.
The caller owns the clock and the drawing of the challenge; a session keeps pictures and embeddings in memory only,
overwrites the embeddings and drops the pictures when it has decided.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

import numpy as np

from biometrics.decision import CheckOutcome, Thresholds, Verdict
from biometrics.errors import CalibrationError
from biometrics.face import quality
from biometrics.face.compare import at_length_one, erase, fuse
from biometrics.face.engine import Chip, Embedding, FaceBox, FaceEngine, Landmarks, Picture
from biometrics.face.follow import BLIND_S, Follower, Watch
from biometrics.face.gallery import FusedFace, Gallery
from biometrics.face.guidance import Guidance, GuidanceCode
from biometrics.face.liveness import motion
from biometrics.face.liveness.challenge import TURNS, Challenge, Movement
from biometrics.face.liveness.continuity import IdentityTrack, PictureTrack, jumped
from biometrics.face.liveness.decide import (
    colours_check,
    depth_check,
    movement_check,
    one_person_check,
    pictures_check,
)
from biometrics.face.liveness.flash import Flash
from biometrics.face.liveness.sequence import BACK_BLINK, ROTATIONS, Sequence, Stage
from biometrics.face.looks import Looks
from biometrics.face.matching import compare_with
from biometrics.face.outcome import FaceDecision, FaceReason
from biometrics.face.reference import Reference
from biometrics.face.rest import Rest, Seen, Straight
from biometrics.face.texture import Texture

TIMEOUT_S: Final = 40.0
NEUTRAL_FRAMES: Final = 3
NEUTRAL_APART_S: Final = 0.2  # closer frames show the same noise twice and fuse to nothing
NEARLY_STRAIGHT: Final = 0.6  # share of a turn under which a face is compared as a straight one
LINGER_S: Final = 2.0  # after the last movement, for frames the comparison still lacks
LINGER_FOR_COLOURS_S: Final = 4.0  # for what they leave open: eight colours more, before a head that holds still
PROGRESS_NEUTRAL: Final = 0.25  # share of the whole check that the straight frames are


class Phase(Enum):
    """Where a session stands."""

    NEUTRAL = "neutral"
    MOVING = "moving"
    FINISHED = "finished"


@dataclass(slots=True, repr=False)  # a face must not reach a log by way of repr
class FaceSession:
    """Feed frames to `observe`, show its guidance, stop when `finished`, then `decide`.

    Args:
        engine: Not shared with another thread.
        reference: The chip's portrait; None where there is no card, and then nothing is accepted, at best referred.
        challenge: Drawn by the caller for this attempt and line (`biometrics.face.liveness.challenge`).
        thresholds: Measured for this engine.
        started_at_s: On the same monotonic clock as every `at_s`.
        flash: The screen's colours of this attempt, where a screen is to show them; the caller tells the page.
        texture: Where the operator has a passive detector.

    Raises:
        CalibrationError: Thresholds or reference belong to another engine.
    """

    engine: FaceEngine
    reference: Reference | None
    challenge: Challenge
    thresholds: Thresholds
    started_at_s: float
    flash: Flash | None = None
    texture: Texture | None = None
    phase: Phase = field(default=Phase.NEUTRAL, init=False)
    _reasons: list[FaceReason] = field(default_factory=list, init=False)
    _watch: Watch = field(default_factory=Watch, init=False)
    _follower: Follower = field(init=False)
    _last_guidance: Guidance = field(default=Guidance(GuidanceCode.STARTING), init=False)
    _last_at_s: float = field(default=float("-inf"), init=False)
    _neutral: deque[Straight] = field(default_factory=lambda: deque(maxlen=NEUTRAL_FRAMES), init=False)
    _gallery: Gallery = field(default_factory=Gallery, init=False)
    _rest: Rest | None = field(default=None, init=False)
    _sequence: Sequence | None = field(default=None, init=False)
    _pictures: PictureTrack = field(default_factory=PictureTrack, init=False)
    _looks: Looks | None = field(default=None, init=False)
    _peak: tuple[float, Seen] | None = field(default=None, init=False)
    _departures: list[float] = field(default_factory=list, init=False)
    _judged_at_s: float = field(default=float("-inf"), init=False)
    _was_straight: bool = field(default=False, init=False)
    _complete_at_s: float | None = field(default=None, init=False)
    _company: bool = field(default=False, init=False)
    _best: tuple[float, Picture] | None = field(default=None, init=False)
    _frames_seen: int = field(default=0, init=False)
    _decision: FaceDecision | None = field(default=None, init=False)
    _person: Embedding | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._follower = Follower(self.engine)
        if self.thresholds.engine != self.engine.id:
            raise CalibrationError(f"thresholds of {self.thresholds.engine}, engine {self.engine.id}")
        if self.reference and self.reference.engine != self.engine.id:
            raise CalibrationError(f"reference of {self.reference.engine}, engine {self.engine.id}")

    @property
    def finished(self) -> bool:
        """Whether further frames change nothing; the caller then decides."""
        return self.phase is Phase.FINISHED

    @property
    def guidance(self) -> Guidance:
        """What was said last."""
        return self._last_guidance

    def observe(self, picture_bgr: Picture, at_s: float, camera_s: float | None = None) -> Guidance:
        """What the person should do now; frames out of order are ignored.

        Call `decide` when `finished`, or `TIMEOUT_S` after the start even where no frames come.

        Args:
            picture_bgr: The next frame, (height, width, 3) uint8.
            at_s: When it came, by the counter's clock.
            camera_s: When it was taken by the sender's clock, where that is known; only differences mean something.
        """
        if self.finished or at_s <= self._last_at_s:
            return self._last_guidance
        self._last_at_s = at_s
        self._frames_seen += 1
        self._last_guidance = self._next(picture_bgr, at_s, camera_s)
        return self._last_guidance

    def told(self, at_s: float) -> None:
        """What was said last left the counter only now: a counter that is behind takes no time from the person."""
        if self._sequence and self._sequence.asked_at_s == self._last_at_s:
            self._sequence.pardon(at_s - self._last_at_s)

    def ask_another(self, at_s: float) -> bool:
        """The person asked for another movement; False where none is left, and then the last one stays."""
        if self.phase is not Phase.MOVING or self._sequence is None or not self._sequence.ask_another(at_s):
            return False
        self._peak = None
        self._last_guidance = self._asking(0.0)
        return True

    def _next(self, picture: Picture, at_s: float, camera_s: float | None) -> Guidance:
        if at_s - self.started_at_s > TIMEOUT_S:
            # whoever waits for what the comparison or the colours still lack has done everything in time
            return self._fail(FaceReason.TIMED_OUT) if self._complete_at_s is None else self._finish()
        if (broken := self._pictures.see(picture, at_s, camera_s)) and self.phase is Phase.MOVING:
            return self._fail(broken)
        lost_s = self._watch.see(at_s)
        if self._sequence:
            self._sequence.pardon(lost_s)
        if self._looks:
            self._looks.again |= self._watch.gap_s > BLIND_S  # who sits there after we were blind?
        search = self._company or self._worth_a_search(at_s)
        boxes = self._follower.find(picture, at_s, lost_s=lost_s, search=search, straight=self._was_straight)
        if self.phase is Phase.MOVING and self._follower.broken(boxes, at_s):
            return self._fail(FaceReason.TRACK_BROKEN)
        if quality.in_company(boxes):
            return self._two_faces()
        if self._follower.searched(at_s):
            self._company = False
        if self._sequence and self._sequence.overdue(at_s):
            return self._fail(FaceReason.MOVEMENT_MISSING)
        if not boxes:
            return self._nobody(picture)
        self._follower.keep(boxes[0], at_s)
        if self._rest is None and not self._due(at_s):
            return self._last_guidance  # nothing to learn from a frame so close to the last one
        points = self.engine.landmarks(picture, boxes[0])
        seen = Seen(boxes[0], points, motion.pose_of(points), at_s)
        self._was_straight = quality.straightness(seen.pose) is None
        if self.flash and self._sequence:
            self.flash.see(picture, points, at_s)
        if self._sequence is None or self._rest is None or self._looks is None:
            return self._look_straight(picture, boxes, seen)
        return self._follow(picture, boxes, seen, self._sequence, self._rest, self._looks)

    def _due(self, at_s: float) -> bool:
        return at_s - self._judged_at_s >= NEUTRAL_APART_S

    def _worth_a_search(self, at_s: float) -> bool:
        """Whether this frame may be compared: then it is searched at once rather than followed first.

        Thresholds hold for faces cut out as a search finds them; a followed face lies a little differently.
        """
        if self._looks is None:
            return self._due(at_s)
        return self._was_straight and (self._looks.due(at_s) or (not self._gallery.enough and self._due(at_s)))

    # --- looking straight, then following ---------------------------------------------------------------------------

    def _look_straight(self, picture: Picture, boxes: tuple[FaceBox, ...], seen: Seen) -> Guidance:
        """Collect straight, clear frames in a row; then ask for the first movement."""
        self._judged_at_s = seen.at_s
        chip = self.engine.align(picture, seen.box)
        measured = quality.judge(picture, boxes, seen.points, chip)
        if measured.trouble:
            self._begin_anew()
            return Guidance(measured.trouble)
        last = self._neutral[-1].seen if self._neutral else None
        if last and jumped(last.box, seen.box, seen.at_s - last.at_s):
            self._begin_anew()  # somebody else sat down: begin again with them
        self._neutral.append(Straight(seen, chip, motion.eye_patches(picture, seen.points)))
        self._keep(picture, chip, measured, seen)
        if len(self._neutral) < NEUTRAL_FRAMES:
            return self._holding()
        lifted = self._fitted_again(picture, seen.points)
        self._rest = Rest.of(self._neutral, lifted)
        looks = [self.engine.embed(one.chip) for one in self._neutral]
        self._looks = Looks(IdentityTrack(fuse(looks)))
        for one, look in zip(self._neutral, looks, strict=True):
            self._gallery.know(one.seen.at_s, look)
            erase(look)
        self._sequence = Sequence(self.challenge, seen.at_s)
        self.phase = Phase.MOVING
        return self._asking(0.0)

    def _follow(
        self, picture: Picture, boxes: tuple[FaceBox, ...], seen: Seen, sequence: Sequence, rest: Rest, looks: Looks
    ) -> Guidance:
        """One frame of a movement or of the way back from it."""
        eyes = motion.eyes_changed(rest.eyes, motion.eye_patches(picture, seen.points))
        efforts = motion.efforts(rest.pose, seen.pose, eyes)
        if sequence.movement is Movement.LOOK_UP and rest.stirred(seen):
            lifted = motion.efforts(rest.lifted, self._fitted_again(picture, seen.points))
            efforts[Movement.LOOK_UP] = lifted[Movement.LOOK_UP]
        before, movement, done = sequence.stage, sequence.movement, len(sequence.seen)
        stage = sequence.feed(efforts, seen.at_s)
        if sequence.failure:
            return self._fail(sequence.failure)
        effort = efforts[movement]
        if effort >= 1 and (self._peak is None or effort > self._peak[0]):
            self._peak = (effort, seen)
        reached = len(sequence.seen) > done
        back = before is Stage.RETURNING and stage is not Stage.RETURNING
        if back and self._peak:
            if movement in TURNS:
                self._departures.append(motion.departure_from_plane(rest.points, self._peak[1].points))
            self._peak = None
        # whoever is back in the middle counts as straight: at least once for every movement
        upright = all(abs(efforts[one]) < NEARLY_STRAIGHT for one in ROTATIONS)
        straight = upright and efforts[Movement.BLINK] < BACK_BLINK
        chip = self._offer(picture, boxes, seen)
        if reached or back or looks.again or (straight and looks.due(seen.at_s)):
            look = self.engine.embed(self.engine.align(picture, seen.box) if chip is None else chip)
            if chip is not None:
                self._gallery.know(seen.at_s, look)
            if looks.somebody_else(look, seen.at_s, turned=not straight):
                return self._fail(FaceReason.IDENTITY_CHANGED)
        if stage is Stage.COMPLETE:
            return self._complete(seen.at_s)
        return self._asking(effort) if stage is Stage.ASKING else self._returning()

    def _fitted_again(self, picture: Picture, points: Landmarks) -> motion.Pose:
        return motion.pose_of(self.engine.landmarks(picture, motion.box_of_eyes(points)))

    def _complete(self, at_s: float) -> Guidance:
        """Everything was seen; stay a moment where the comparison still lacks frames, or the colours are half told."""
        self._complete_at_s = self._complete_at_s or at_s
        waited_s = at_s - self._complete_at_s
        lacking = not self._gallery.enough and waited_s < LINGER_S
        half_told = self.flash is not None and waited_s < LINGER_FOR_COLOURS_S and self.flash.unsettled(at_s)
        if lacking or half_told:
            return Guidance(GuidanceCode.HOLD_STILL, None, self._progress(0.0))
        return self._finish()

    def _keep(self, picture: Picture, chip: Chip, measured: quality.FrameQuality, seen: Seen) -> None:
        """Offer a straight frame for the comparison, and keep the sharpest whole picture for the clerk."""
        self._gallery.offer(chip, measured, seen.at_s)
        if self.texture:
            self.texture.see(picture, seen.points)
        if self._best is None or measured.sharpness > self._best[0]:
            self._best = (measured.sharpness, picture.copy())

    def _begin_anew(self) -> None:
        self._neutral.clear()
        self._gallery.forget()
        self._best = None
        if self.texture:
            self.texture.forget()

    def _offer(self, picture: Picture, boxes: tuple[FaceBox, ...], seen: Seen) -> Chip | None:
        """Keep what can be compared of the movements too: other views tell more than more of the same.

        Gives the face cut out, where it was.
        """
        if not self._follower.searched(seen.at_s) or not self._due(seen.at_s) or not self._was_straight:
            return None
        self._judged_at_s = seen.at_s
        chip = self.engine.align(picture, seen.box)
        measured = quality.judge(picture, boxes, seen.points, chip)
        if measured.trouble is None:
            self._keep(picture, chip, measured, seen)
        return chip

    # --- what is said -----------------------------------------------------------------------------------------------

    def _asking(self, effort: float) -> Guidance:
        if self._sequence is None:
            return self._last_guidance
        return Guidance(
            GuidanceCode.MOVE_NOW, self._sequence.movement, self._progress(0.6 * float(np.clip(effort, 0, 1)))
        )

    def _returning(self) -> Guidance:
        return Guidance(GuidanceCode.BACK_TO_MIDDLE, None, self._progress(-0.4))

    def _progress(self, share: float) -> float:
        """Of the whole check, `share` of a step beyond those seen; never less than was said before."""
        if self._sequence is None:
            return 0.0
        step = (1 - PROGRESS_NEUTRAL) / self._sequence.steps
        now = PROGRESS_NEUTRAL + step * (len(self._sequence.seen) + share)
        return max(self._last_guidance.progress, min(now, 0.99))

    def _holding(self) -> Guidance:
        return Guidance(GuidanceCode.HOLD_STILL, None, PROGRESS_NEUTRAL * len(self._neutral) / NEUTRAL_FRAMES)

    # --- what goes wrong on the way -----------------------------------------------------------------------------------

    def _two_faces(self) -> Guidance:
        if self.phase is Phase.NEUTRAL:
            self._begin_anew()
            return Guidance(GuidanceCode.TWO_FACES)
        if self._company:  # one frame may be a pattern on a shirt
            return self._fail(FaceReason.TWO_FACES)
        self._company = True
        return Guidance(GuidanceCode.TWO_FACES, None, self._last_guidance.progress)

    def _nobody(self, picture: Picture) -> Guidance:
        if self._sequence is None:
            self._begin_anew()
            self._follower.forget()
            return Guidance(quality.without_face(picture))
        if self._sequence.at_peak:
            # turned out of sight: they would stay there, since nothing on the screen changes for them
            return Guidance(GuidanceCode.BACK_TO_MIDDLE, None, self._last_guidance.progress)
        return self._last_guidance  # `Follower.broken` bounds how long

    def _fail(self, reason: FaceReason) -> Guidance:
        self._reasons.append(reason)
        return self._finish()

    def _finish(self) -> Guidance:
        self.phase = Phase.FINISHED
        return Guidance(GuidanceCode.DONE, None, 1.0)

    # --- the decision -----------------------------------------------------------------------------------------------

    def decide(self, at_s: float) -> FaceDecision:
        """The verdict, once; asked again it gives the same. Before `finished` it is never live."""
        if self._decision:
            return self._decision
        if not self.finished:
            late = at_s - self.started_at_s > TIMEOUT_S
            self._fail(FaceReason.TIMED_OUT if late else FaceReason.NOT_FINISHED)
        fused = self._gallery.fuse(self.engine)
        checks = [
            movement_check(self._sequence, self._reasons),
            depth_check(self._departures, self._reasons),
            one_person_check(self._looks.track if self._looks else None, self._sequence),
        ]
        cues = [colours_check(self.flash, self._reasons)] if self.flash else []
        cues += [self.texture.check(self._reasons)] if self.texture else []
        live = not self._reasons and all(check.outcome is CheckOutcome.PASSED for check in checks)
        match_check, match, verdict = compare_with(self.reference, self.thresholds, fused, self._reasons)
        checks += [*cues, pictures_check(self._pictures, self._reasons), match_check]
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
            frames_used=0 if fused is None else fused.frames,
            best_picture_bgr=self._best[1] if self._best else None,
        )
        if live and verdict is not Verdict.REJECT and self._looks is not None:
            self._person = at_length_one(self._looks.track.first if fused is None else fused.embedding)
        self._forget(fused)
        return self._decision

    def take_person(self) -> Embedding | None:
        """Who has passed, once, for whoever follows this person on; to be erased by the taker. None after a refusal."""
        person, self._person = self._person, None
        return person

    def _forget(self, fused: FusedFace | None) -> None:
        """Overwrite every embedding and drop every face; the decision keeps one picture for the clerk.

        The reference is its loader's, who may need it for another attempt.
        """
        if fused is not None:
            fused.forget()
        if self._looks:
            self._looks.track.forget()
        self._gallery.forget()
        self._neutral.clear()
        self._peak = None
        self._rest = None
        self._best = None
        self._follower.forget()
