"""A passive detector's limit comes from people, is counted on people it has not seen, and refuses only where earned."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest

from biometrics.errors import CalibrationError, EvaluationDataError
from biometrics.evaluation.passive import calibration_text, limit_for, passive_figures, split_by_person
from biometrics.evaluation.passive_values import DRAWN, Shown, Species, Studio, Values, show_all
from biometrics.evaluation.presentations import attacks_in, presenters_in
from biometrics.face.engine import Landmarks, Picture
from biometrics.face.engines.passive_calibration import parse_passive_calibration
from biometrics.face.texture import LOOKS_MIN, MANIFEST, passive_from
from counter_server.__main__ import main
from tests.biometrics.face.test_passive import Constant, manifest_in, opened, wants_weights
from tests.biometrics.simulated_customer import face_engine, head_and_shoulders, read_picture
from tests.journeys.photographs import photograph

ENGINE = "constant/0"


def people(values: Sequence[float | None], *, imitated: bool = False, each: int = 1) -> tuple[Shown, ...]:
    return tuple(Shown(f"p{index // each}", None, value, imitated) for index, value in enumerate(values))


def attack(values: Sequence[float | None], *, recorded: bool = True, imitated: bool = False) -> Species:
    shown = (Shown(f"a{index}", None, value, imitated or not recorded) for index, value in enumerate(values))
    return Species(tuple(shown), recorded)


def values(shown: tuple[Shown, ...], **attacks: Species) -> Values:
    return Values(shown, attacks, "0" * 64)


GOOD = people([0.9 + index / 10_000 for index in range(100)])
TOLD_APART, NOT_TOLD_APART = attack([0.1] * 30), attack([0.99] * 30)


def written(of: Values) -> str:
    return calibration_text(
        of,
        engine_id=ENGINE,
        weights={"model_1.bin": "1" * 64},
        bound=0.05,
        seed=1,
        measured_on="the test's own numbers",
        measured_at=date(2026, 11, 22),
    )


# --- the limit ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("people", "below"), [(59, 0), (92, 0), (93, 1), (124, 2), (153, 3)])
def test_as_many_people_may_lie_below_as_tolerance_limits_allow(people: int, below: int) -> None:
    """Oracle: sample sizes of one-sided 95 %/95 % tolerance limits (Wilks 1941): 59, 93, 124, 153."""
    lowest = [index / 1000 for index in range(people, 0, -1)]
    assert limit_for(lowest, 0.05) == pytest.approx((below + 1) / 1000)


def test_too_few_people_are_told_how_many_are_needed() -> None:
    """Four fifths of 74 are the 59 of whom none may lie below."""
    with pytest.raises(EvaluationDataError, match=r"73 people .* 5\.0% .* at least 74 are needed"):
        split_by_person(values(people([0.5] * 73)), 0.05, 1)
    assert split_by_person(values(people([0.5] * 74)), 0.05, 1).people == 74


def test_a_limit_is_rounded_down_and_never_reaches_one() -> None:
    assert limit_for([0.98769] * 59, 0.05) == 0.9876
    assert limit_for([1.0] * 59, 0.05) == 0.9999


def test_all_presentations_of_a_person_lie_on_one_side() -> None:
    """One person in 100, low in both clips: had either been seen when the limit was found, neither were refused."""
    shown = people([0.9, 0.91] * 99 + [0.2, 0.1], each=2)
    split = split_by_person(values(shown), 0.05, 1)
    assert (split.people, split.people_refused, split.refused) == (100, 1, 2)


def test_the_same_seed_gives_the_same_limit_whatever_the_order() -> None:
    rng = np.random.default_rng(3)
    shown = people([float(value) for value in rng.beta(8, 1, 200)], each=2)
    first = split_by_person(values(shown), 0.05, 7)
    assert split_by_person(values(shown[::-1]), 0.05, 7) == first
    assert len({split_by_person(values(shown), 0.05, seed) for seed in range(6)}) > 1


def test_the_bound_holds_for_people_nobody_has_seen() -> None:
    """Where everybody's value is known: the limit refuses more than 5 % of all in at most 5 % of 300 calibrations."""
    broken = 0
    for seed in range(300):
        uniform = np.random.default_rng([9, seed]).random(94)  # of such people a limit refuses its own share
        broken += split_by_person(values(people([float(value) for value in uniform])), 0.05, seed).accept_from > 0.05
    assert broken <= 15


# --- what is written ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of", "why"),
    [
        (values(people([0.95] * 100, imitated=True), print=TOLD_APART), "pictures made to look like"),
        (values(GOOD, print=attack([0.1] * 30, recorded=False)), "no attack was recorded"),
        (values(GOOD, print=attack([0.1] * 30, imitated=True)), "no attack was recorded"),
        (values(GOOD, print=NOT_TOLD_APART), "no recorded species"),
        (values(GOOD, print=attack([None] * 30)), "no recorded species"),
        (values(GOOD[:80], print=TOLD_APART), "of 80 unseen people"),  # one of 80 may be 5.8 %
    ],
    ids=["imitated", "drawn", "made of pictures", "passing", "not possible", "people refused"],
)
def test_a_calibration_refuses_nobody_unless_it_has_earned_it(of: Values, why: str) -> None:
    text = written(of)
    calibration = parse_passive_calibration(text, "own.toml", ENGINE)
    assert not calibration.refuses
    assert any(why in one for one in calibration.told_only_because)
    with pytest.raises(CalibrationError, match="refuses nobody"):
        parse_passive_calibration(text.replace("refuses = false", "refuses = true"), "own.toml", ENGINE)


def test_one_recorded_species_told_apart_earns_it_and_the_others_are_told_all_the_same() -> None:
    calibration = parse_passive_calibration(
        written(values(GOOD, paper=TOLD_APART, screen=NOT_TOLD_APART)), "own.toml", ENGINE
    )
    assert calibration.refuses
    assert calibration.told_only_because == ()
    assert (calibration.attacks["paper"].accepted, calibration.attacks["screen"].accepted) == (0, 30)
    assert calibration.attacks["paper"].apcer_upper == pytest.approx(1 - 0.05 ** (1 / 30), abs=1e-4)
    # nobody of 80 may lie below; the limit found without the lowest refuses that one, the limit written does not
    assert (calibration.people, calibration.bona_fide, calibration.people_refused) == (100, 100, 1)
    assert calibration.accept_from == 0.9


def test_the_written_bounds_cannot_be_polished() -> None:
    text = written(values(GOOD, paper=TOLD_APART))
    for old, new in (("accepted = 0", "accepted = 29"), ("people_refused = 1", "people_refused = 101")):
        with pytest.raises(CalibrationError, match="is refused"):
            parse_passive_calibration(text.replace(old, new), "own.toml", ENGINE)
    with pytest.raises(CalibrationError, match="was measured with"):
        parse_passive_calibration(text, "own.toml", "another/1")


def test_too_few_attacks_of_a_species_are_named() -> None:
    with pytest.raises(EvaluationDataError, match="mask: at least 20"):
        written(values(GOOD, mask=attack([0.1] * 19)))
    with pytest.raises(EvaluationDataError, match="attacks: at least 20"):
        written(values(GOOD))


def test_an_attack_of_which_nothing_can_be_told_counts_as_accepted() -> None:
    figures = passive_figures(
        values(GOOD, paper=attack([0.1, None, 0.95, 0.2])),
        engine_id=ENGINE,
        bound=0.05,
        seed=1,
        calibrated_from=0.15,
    )
    assert (figures["apcer"]["paper"]["accepted"], figures["apcer"]["paper"]["not_possible"]) == (2, 1)
    assert figures["at_calibration"]["apcer"]["paper"]["accepted"] == 3
    assert figures["apcer"]["paper"]["apcer_upper"] > 0.9
    json.dumps(figures, allow_nan=False)


def test_of_too_few_people_no_rate_is_told_and_the_reason_is() -> None:
    figures = passive_figures(
        values(people([0.9] * 10), paper=TOLD_APART), engine_id=ENGINE, bound=0.05, seed=1, calibrated_from=None
    )
    assert (figures["accept_from"], figures["bpcer"], figures["apcer"]["paper"]["apcer"]) == (None, None, None)
    assert "74 are needed" in figures["notes"][0]


# --- what is shown --------------------------------------------------------------------------------------------------


def test_folders_are_people_and_species_whatever_lies_beside(tmp_path: Path) -> None:
    for name in ("b/2.jpg", "b/1.png", "a/clip.MP4", "a/notes.txt", "loose.jpg", "c/readme"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [(one.name, [path.name for path in one.files]) for one in presenters_in([tmp_path])]
    root = tmp_path.name
    assert found == [(root, ["loose.jpg"]), (f"{root}/a", ["clip.MP4"]), (f"{root}/b", ["1.png", "2.jpg"])]
    with pytest.raises(EvaluationDataError, match="no folder"):
        presenters_in([tmp_path / "absent"])
    assert {name: len(files) for name, files in attacks_in(tmp_path).items()} == {"a": 1, "b": 2}
    (tmp_path / "Two words").mkdir()
    with pytest.raises(EvaluationDataError, match="no name of a species"):
        attacks_in(tmp_path)


def test_nobody_counts_as_two_people_and_no_attack_as_one(tmp_path: Path) -> None:
    for name in ("people/a/1.jpg", "people/b/1.jpg", "other/people/a/1.jpg"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    for folders in (["people", "people/a"], ["people", "people"], ["people", "other/people"]):
        with pytest.raises(EvaluationDataError, match="one person would count as two"):
            presenters_in([tmp_path / folder for folder in folders])
    studio = Studio(face_engine(), Constant(0.7), 1, as_recorded=False)
    with pytest.raises(EvaluationDataError, match="attacks would count as people"):
        show_all(studio, [tmp_path], recorded_attacks=tmp_path / "people", drawn_attacks=0)


def filmed(folder: Path) -> None:
    """Two people and an attack: a portrait, a clip, a broken file; a clip in which nobody is."""
    for name in ("people/obama", "people/biden", "attacks/paper"):
        (folder / name).mkdir(parents=True)
    face = head_and_shoulders(read_picture(photograph("biden.jpg")))
    shots = (("people/biden/clip.avi", face, 2 * LOOKS_MIN), ("attacks/paper/empty.avi", np.zeros_like(face), 3))
    for path, frame, frames in shots:
        clip = cv2.VideoWriter(str(folder / path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (640, 480))
        for _ in range(frames):
            clip.write(frame)
        clip.release()
    (folder / "people/obama/portrait.jpg").write_bytes(photograph("obama.jpg").read_bytes())
    (folder / "people/obama/broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    (folder / "attacks/paper/photo.jpg").write_bytes(photograph("obama.jpg").read_bytes())


def test_clips_are_looked_at_as_they_are_and_pictures_as_a_webcam_sees_them(tmp_path: Path) -> None:
    filmed(tmp_path)
    studio = Studio(face_engine(), Constant(0.7), 1, as_recorded=False)
    shown = show_all(studio, [tmp_path / "people"], recorded_attacks=tmp_path / "attacks", drawn_attacks=1)
    told = [(Path(one.by).name, one.value, one.imitated) for one in shown.people]
    assert told == [("biden", 0.7, False), ("obama", None, True), ("obama", 0.7, True)]
    assert [(one.by, one.value) for one in shown.attacks["paper"].shown] == [("empty.avi", None), ("photo.jpg", 0.7)]
    assert {name for name, one in shown.attacks.items() if not one.recorded} == set(DRAWN)
    assert all(one.shown[0].value == 0.7 for name, one in shown.attacks.items() if name in DRAWN)


class Brightness:
    """A detector whose value any other frame changes."""

    id = "brightness/0"

    def live_share(self, picture: Picture, points: Landmarks) -> float:
        return float(picture.mean()) / 255


def test_the_same_seed_shows_the_same_and_another_something_else(tmp_path: Path) -> None:
    filmed(tmp_path)
    portrait, first = tmp_path / "people/obama/portrait.jpg", Studio(face_engine(), Brightness(), 1, as_recorded=False)
    shown = first.show(portrait, "obama")
    assert first.show(portrait, "obama") == shown
    assert Studio(face_engine(), Brightness(), 2, as_recorded=False).show(portrait, "obama") != shown
    as_recorded = Studio(face_engine(), Brightness(), 2, as_recorded=True).show(portrait, "obama")
    assert as_recorded.value == pytest.approx(read_picture(portrait).mean() / 255)
    assert not as_recorded.imitated


@wants_weights
def test_the_command_writes_no_calibration_of_too_few_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    filmed(tmp_path)
    monkeypatch.setenv(MANIFEST, str(manifest_in(tmp_path, more='calibration = "own.toml"')))  # not there yet
    monkeypatch.setattr("biometrics.evaluation.passive.LEAST_CLIPS", 1)
    words = ["--data", str(tmp_path / "people"), "--attacks", str(tmp_path / "attacks"), "--drawn", "0"]
    words += ["--measured-on", "two people", "--write", str(tmp_path / "own.toml")]
    assert main(["calibrate", "passive", *words]) == 2
    assert "2 people cannot show that at most 5.0% are refused: at least 74 are needed" in capsys.readouterr().err
    assert not (tmp_path / "own.toml").exists()


@wants_weights
def test_the_command_tells_values_and_why_there_is_no_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    filmed(tmp_path)
    manifest = manifest_in(tmp_path)
    monkeypatch.setenv(MANIFEST, str(manifest))
    words = ["--data", str(tmp_path / "people"), "--attacks", str(tmp_path / "attacks"), "--drawn", "0"]
    assert main(["evaluate", "passive", *words, "--json", "-"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["engine"] == opened(manifest).detector.id
    assert (figures["people"], figures["bona_fide_not_possible"], figures["bpcer"]) == (2, 1, None)
    assert figures["apcer"]["paper"]["not_possible"] == 1
    assert 0.9 < figures["bona_fide_values"][1] <= 1


@wants_weights
def test_a_calibration_that_earned_nothing_is_told_as_such(tmp_path: Path) -> None:
    path = manifest_in(tmp_path, more='calibration = "own.toml"')
    passive = passive_from({MANIFEST: str(path)}, to_calibrate=True)
    assert passive is not None
    assert passive.accept_from is None
    text = calibration_text(
        values(GOOD, print=NOT_TOLD_APART),
        engine_id=passive.detector.id,
        weights={"model_1.bin": "1" * 64},
        bound=0.05,
        seed=1,
        measured_on="the test's own numbers",
        measured_at=date(2026, 11, 22),
    )
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    told = opened(path)
    assert (told.accept_from, told.refuses) == (0.9, False)
