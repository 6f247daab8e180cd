"""How often attacks pass and people do not (ISO/IEC 30107-3): APCER per species, never averaged, and BPCER.

All clips are synthetic, of a folder of people (`biometrics.evaluation.people`): they say that a cue works as built,
not how people and paper behave before a real camera.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from biometrics.decision import CheckOutcome, Thresholds
from biometrics.errors import EvaluationDataError
from biometrics.evaluation.actor import LOOKS_PER_S, puppet_of
from biometrics.evaluation.attacks import DROWNED, LIT, SPECIES, Cast, Play, lit, willing
from biometrics.evaluation.intervals import upper_bound
from biometrics.evaluation.people import people_in
from biometrics.evaluation.puppet import Puppet
from biometrics.face.calibration import load_thresholds
from biometrics.face.engine import FaceEngine, Picture
from biometrics.face.engines import open_engine
from biometrics.face.guidance import Guidance, GuidanceCode
from biometrics.face.liveness.challenge import Challenge, draw
from biometrics.face.liveness.flash import Flash
from biometrics.face.outcome import FaceDecision
from biometrics.face.session import TIMEOUT_S, FaceSession

ROOMS: Final = {"lit by the screen": LIT, "drowned": DROWNED, "no colours": None}
"""Willing people sit in each in turn. Drowned is also a film of the right movements without any reflection: whatever
passes there by its colours passes by chance."""

BEND_RADII: Final = (4.0, -4.0, 8.0)  # half face widths: as strongly as paper stays a picture, both ways


def evaluate_liveness(
    data_dir: Path,
    *,
    attacks: int,
    genuine: int,
    seed: int = 1,
    species: Sequence[str] = tuple(SPECIES),
    engine: FaceEngine | None = None,
    progress: Callable[[str], None] = lambda done: None,
) -> dict[str, Any]:
    """Counts and rates, ready for JSON. About 0.3 CPU s per clip stopped early, 1.1 per whole one.

    Raises:
        EvaluationDataError: Fewer than two people with a face, or no such species.
    """
    if unknown := set(species) - set(SPECIES):
        raise EvaluationDataError(f"no species {', '.join(sorted(unknown))}; there are {', '.join(SPECIES)}")
    engine = engine or open_engine()
    cast, thresholds = cast_of(data_dir, engine), load_thresholds(engine)
    apcer: dict[str, Any] = {}
    for name in species:
        rng = np.random.default_rng([seed, *name.encode()])
        reasons: Counter[str] = Counter()
        colours: Counter[str] = Counter()
        accepted = 0
        for index in range(attacks):
            who = _two(cast, index, rng)
            asked = draw(rng.bytes(32))
            decision = judge(engine, thresholds, asked, SPECIES[name](who, asked, rng))
            accepted += decision.live
            colours[_colours(decision)] += 1
            reasons[decision.reasons[0].value if not decision.live else "accepted"] += 1
        apcer[name] = {
            "attacks": attacks,
            "accepted": accepted,
            "apcer": accepted / attacks if attacks else None,
            "apcer_upper": upper_bound(accepted, attacks),
            "stopped_by": dict(reasons.most_common()),
            "colours": dict(colours.most_common()),
        }
        progress(f"{name}: {accepted} of {attacks} accepted")
    rng = np.random.default_rng([seed, 0])
    refused: Counter[str] = Counter()
    rooms: dict[str, Counter[str]] = {name: Counter() for name in ROOMS}
    seconds = []
    for index in range(genuine):
        who = _two(cast, index, rng)
        room, gain = list(ROOMS.items())[index % len(ROOMS)]
        watch = _Watch(willing(who, rng) if gain is None else lit(who, rng, gain))
        decision = judge(engine, thresholds, draw(rng.bytes(32)), watch, colours=gain is not None)
        seconds.append(watch.at_s)
        rooms[room][_colours(decision)] += 1
        if not decision.live:
            refused[decision.reasons[0].value] += 1
    count = refused.total()
    return {
        "engine": engine.id,
        "people": len(cast),
        "apcer": apcer,
        "bpcer": count / genuine if genuine else None,
        "bpcer_upper": upper_bound(count, genuine),
        "bona_fide": genuine,
        "bona_fide_refused": count,
        "bona_fide_refused_by": dict(refused.most_common()),
        "bona_fide_colours": {room: dict(counts.most_common()) for room, counts in rooms.items()},
        "bona_fide_seconds_median": float(np.median(seconds)) if seconds else None,
    }


def cast_of(data_dir: Path, engine: FaceEngine, *, most: int = 60) -> list[Cast]:
    """People of the folder as puppets and prints, each of their first picture.

    Raises:
        EvaluationDataError: Fewer than two with a face.
    """
    cast = []
    for person in people_in(data_dir)[:most]:
        picture = cv2.imread(str(person.pictures[0]), cv2.IMREAD_COLOR)
        if picture is None:
            raise EvaluationDataError(f"{person.pictures[0].name} is not a picture")
        try:
            cast.append(cast_from(np.asarray(picture, np.uint8), engine))
        except EvaluationDataError:
            continue  # no face in it: nobody to play
    if len(cast) < 2:
        raise EvaluationDataError("at least two people with a face are needed")
    return cast


def cast_from(photograph: Picture, engine: FaceEngine) -> Cast:
    """One person of one photograph.

    Raises:
        EvaluationDataError: No face in it.
    """
    person = puppet_of(photograph, engine)
    still, points = person.photograph, person.points
    bent = [Puppet.sheet(still, points, radius) for radius in BEND_RADII]
    return Cast(person, Puppet.sheet(still, points), bent)


def judge(
    engine: FaceEngine, thresholds: Thresholds, asked: Challenge, play: Play, *, colours: bool = True
) -> FaceDecision:
    """One clip before one session, to its end."""
    flash = Flash(asked.colours if colours else (), asked.seed)
    session = FaceSession(engine, None, asked, thresholds, 0.0, flash)
    said, at_s = Guidance(GuidanceCode.STARTING), 0.0
    while not session.finished and at_s <= TIMEOUT_S:
        at_s += 1 / LOOKS_PER_S
        said = replace(session.observe(play(at_s, said), at_s), colour=flash.colour(at_s))
    return session.decide(at_s)


def _colours(decision: FaceDecision) -> str:
    """What the screen's colours said, as a word for a count."""
    outcome = next((check.outcome for check in decision.checks if check.name == "colours"), None)
    return {CheckOutcome.PASSED: "right", CheckOutcome.FAILED: "wrong"}.get(outcome, "unclear") if outcome else "none"


class _Watch:
    """A play that remembers how long it ran."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self.at_s = 0.0

    def __call__(self, at_s: float, guidance: Guidance) -> Picture:
        self.at_s = at_s
        return self._play(at_s, guidance)


def _two(cast: Sequence[Cast], index: int, rng: np.random.Generator) -> tuple[Cast, Cast]:
    """Whose turn it is, and somebody else."""
    one = index % len(cast)
    other = (one + int(rng.integers(1, len(cast)))) % len(cast)
    return cast[one], cast[other]
