"""A seeded slice of `counter evaluate liveness`, on two people; and that its figures can show failure."""

import json
import shutil
from pathlib import Path

import pytest

from biometrics.errors import EvaluationDataError
from biometrics.evaluation.attacks import SPECIES, willing
from biometrics.evaluation.intervals import upper_bound
from biometrics.evaluation.liveness import evaluate_liveness
from tests.biometrics.simulated_customer import face_engine
from tests.journeys.photographs import photograph


@pytest.fixture
def people(tmp_path: Path) -> Path:
    for name in ("obama", "biden"):
        (tmp_path / name).mkdir()
        shutil.copy(photograph(f"{name}.jpg"), tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("species", SPECIES)
def test_no_attack_of_the_slice_is_accepted(people: Path, species: str) -> None:
    figures = evaluate_liveness(people, attacks=2, genuine=0, seed=5, species=(species,), engine=face_engine())
    assert figures["apcer"][species]["accepted"] == 0
    assert sum(figures["apcer"][species]["stopped_by"].values()) == 2


def test_willing_people_pass(people: Path) -> None:
    figures = evaluate_liveness(people, attacks=0, genuine=4, seed=5, species=(), engine=face_engine())
    assert (figures["bona_fide"], figures["bona_fide_refused"], figures["bpcer"]) == (4, 0, 0.0)
    assert figures["bona_fide_seconds_median"] < 8.5
    json.dumps(figures, allow_nan=False)


def test_an_attack_that_passes_is_counted(people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = {"print_flat": lambda cast, _, rng: willing(cast, rng)}
    monkeypatch.setattr("biometrics.evaluation.liveness.SPECIES", genuine)
    figures = evaluate_liveness(people, attacks=2, genuine=0, seed=5, species=("print_flat",), engine=face_engine())
    assert figures["apcer"]["print_flat"]["accepted"] == 2
    assert figures["apcer"]["print_flat"]["apcer_upper"] == upper_bound(2, 2)


def test_a_species_nobody_knows_is_refused(people: Path) -> None:
    with pytest.raises(EvaluationDataError, match="print_flat"):
        evaluate_liveness(people, attacks=1, genuine=0, species=("mask",), engine=face_engine())
