"""Whether the movements came as asked: in order, each after its instruction, in its direction, and nothing else.

Pure: fed with how far each movement has got (`motion.efforts`) and the server's clock.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from biometrics.face.liveness.challenge import MOST_SUBSTITUTES, Challenge, Movement
from biometrics.face.outcome import FaceReason

REACTION_MIN_S: Final = 0.25  # reading takes longer; whoever is through by then did not wait for the instruction
REACTION_MAX_S: Final = 4.0
PARDON_MOST_S: Final = 8.0  # per movement; a camera that hardly sends anything shows nothing either
PEAK_FRAMES: Final = 2  # one frame of bad landmarks is no movement
CLOSED_MIN_S: Final = 0.25
"""How long eyes must stay closed: a blink nobody asked for lasts 0.1 to 0.2 s, and everybody makes one in 4 s."""
STRAIGHT_TO_BLINK: Final = 0.6  # share of a turn from which on eyes are not read
BACK: Final = 0.45  # share of a turn under which the head counts as back
BACK_CLOSER, BACK_BLINK = 0.75, 0.9  # people do not step back to the inch, nor look as before when they smile
ROTATIONS: Final = (Movement.TURN_LEFT, Movement.TURN_RIGHT, Movement.LOOK_UP)
"""Only these are ever the wrong movement: everybody blinks, and leans a little while turning."""

Efforts = dict[Movement, float]


class Stage(Enum):
    """Where the sequence stands."""

    ASKING = "asking"
    RETURNING = "returning"
    COMPLETE = "complete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Step:
    """One movement, seen."""

    movement: Movement
    after_s: float
    """From the instruction's leaving to the movement's peak being reached."""
    substitute: bool


@dataclass(slots=True)
class Sequence:
    """The steps of one attempt, the first asked for at `asked_at_s`."""

    challenge: Challenge
    asked_at_s: float
    stage: Stage = field(default=Stage.ASKING, init=False)
    failure: FaceReason | None = field(default=None, init=False)
    seen: list[Step] = field(default_factory=list, init=False)
    movement: Movement = field(init=False)
    _refused: set[Movement] = field(default_factory=set, init=False)
    _substituted: bool = field(default=False, init=False)
    _peak_frames: int = field(default=0, init=False)
    _peak_from_s: float = field(default=0.0, init=False)
    _wrong_frames: int = field(default=0, init=False)
    _pardoned_s: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self.movement = self.challenge.movements[0]

    @property
    def at_peak(self) -> bool:
        """Whether the movement asked for is being seen, though not yet long enough."""
        return self._peak_frames > 0

    @property
    def steps(self) -> int:
        """How many movements are asked for."""
        return len(self.challenge.movements)

    @property
    def substitutes(self) -> int:
        """How often another movement was asked for."""
        return len(self._refused)

    def ask_another(self, at_s: float) -> bool:
        """The person cannot do this one: ask for another, without penalty. False when there is none left to ask for."""
        if self.stage is not Stage.ASKING or len(self._refused) >= MOST_SUBSTITUTES:
            return False
        done = [step.movement for step in self.seen]
        another = self.challenge.substitute(done, self._refused | {self.movement})
        if another is None:
            return False
        self._refused.add(self.movement)
        self._substituted = True
        self._ask(another, at_s)
        return True

    def feed(self, efforts: Efforts, at_s: float) -> Stage:
        """What one frame shows."""
        if self.stage is Stage.ASKING:
            self._watch(efforts, at_s)
        elif self.stage is Stage.RETURNING and self._back(efforts):
            self._go_on(at_s)
        return self.stage

    def pardon(self, lost_s: float) -> None:
        """So long nobody could have seen the movement, for reasons that are not the person's."""
        self._pardoned_s = min(self._pardoned_s + lost_s, PARDON_MOST_S)

    def overdue(self, at_s: float) -> bool:
        """Fails the sequence when the movement asked for did not come in time."""
        if self.stage is Stage.ASKING and at_s - self.asked_at_s - self._pardoned_s > REACTION_MAX_S:
            self._fail(FaceReason.MOVEMENT_MISSING)
        return self.stage is Stage.FAILED

    def _watch(self, efforts: Efforts, at_s: float) -> None:
        done = efforts[self.movement]
        if self.movement is Movement.BLINK and any(abs(efforts[one]) >= STRAIGHT_TO_BLINK for one in ROTATIONS):
            done = 0.0  # a turned head's eyes look different too, open as they are
        other = max(efforts[one] for one in ROTATIONS if one is not self.movement)
        if other >= max(1.0, done):  # a head rolled all round would otherwise answer every instruction
            self._wrong_frames += 1
            if self._wrong_frames >= PEAK_FRAMES:
                self._fail(FaceReason.WRONG_MOVEMENT)
            return
        self._wrong_frames = 0
        if done < 1:
            self._peak_frames = 0
            return
        if not self._peak_frames:
            self._peak_from_s = at_s
        self._peak_frames += 1
        early = self._peak_from_s - self.asked_at_s < REACTION_MIN_S
        if self.movement is Movement.BLINK:
            if early:
                self._peak_from_s = at_s  # a blink nobody asked for may go over into the answer, and counts from there
            if at_s - self._peak_from_s < CLOSED_MIN_S:
                return
        elif early:
            self._fail(FaceReason.MOVED_TOO_EARLY)
            return
        if self._peak_frames >= PEAK_FRAMES:
            self.seen.append(Step(self.movement, self._peak_from_s - self.asked_at_s, self._substituted))
            self.stage = Stage.RETURNING

    @staticmethod
    def _back(efforts: Efforts) -> bool:
        straight = all(abs(efforts[one]) < BACK for one in ROTATIONS)
        return straight and efforts[Movement.COME_CLOSER] < BACK_CLOSER and efforts[Movement.BLINK] < BACK_BLINK

    def _go_on(self, at_s: float) -> None:
        if len(self.seen) == self.steps:
            self.stage = Stage.COMPLETE
            return
        self._substituted = False
        self._ask(self.challenge.movements[len(self.seen)], at_s)

    def _ask(self, movement: Movement, at_s: float) -> None:
        self.movement = movement
        self.asked_at_s = at_s
        self._peak_frames = self._wrong_frames = 0
        self._pardoned_s = 0.0
        self.stage = Stage.ASKING

    def _fail(self, reason: FaceReason) -> None:
        self.failure = reason
        self.stage = Stage.FAILED
