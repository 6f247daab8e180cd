"""The model of strangers and the promise made with it, on invented people whose truth is known."""

import numpy as np
import pytest

from biometrics.evaluation.face import misses_by_group
from biometrics.evaluation.misses import misses_at
from biometrics.evaluation.scores import Scores, compare_all, distance_at
from biometrics.evaluation.splits import promise_kept, rate_worth_claiming
from biometrics.evaluation.strangers import PairSums, fit_strangers

PICTURES = 2


def invented(groups: dict[str, int], *, seed: int, alike: float = 0.7) -> Scores:
    """People as directions in 128 dimensions: those of one group share a part of theirs."""
    rng = np.random.default_rng(seed)
    embeddings, person = [], []
    names: list[str] = []
    for group, people in groups.items():
        centre = rng.normal(size=128)
        for _ in range(people):
            face = alike * centre + rng.normal(size=128)
            for _ in range(PICTURES):
                shown = face + 0.15 * rng.normal(size=128)
                embeddings.append(shown / np.linalg.norm(shown))
                person.append(len(names))
            names.append(group)
    return compare_all(embeddings, embeddings, person, tuple(names))


def test_every_two_people_are_compared_both_ways_and_no_picture_with_itself() -> None:
    scores = invented({"a": 3, "b": 2}, seed=1)
    assert len(scores.genuine) == 5 * PICTURES * (PICTURES - 1)
    assert len(scores.impostor) == 5 * 4 * PICTURES**2
    assert scores.genuine.max() < scores.impostor.min()


def test_distances_are_those_that_numpy_counts() -> None:
    rng = np.random.default_rng(2)
    one, other = rng.normal(size=(4, 128)), rng.normal(size=(4, 128))
    scores = compare_all([*one[:3], None], list(other), [0, 0, 1, 2], (None, None, None))
    assert scores.distances[0, 2] == pytest.approx(np.linalg.norm(one[0] - other[2]))
    assert np.isnan(scores.distances[3]).all()
    assert np.isnan(scores.distances.diagonal()).all()


def test_the_group_that_looks_most_alike_is_found() -> None:
    scores = invented({"all sorts": 30, "cousins": 8}, seed=3)
    faces = np.where(np.array([name == "cousins" for name in scores.groups])[scores.person], 0.8, 1.0)
    closer = Scores(scores.distances * np.minimum.outer(faces, faces), scores.person, scores.groups)
    assert fit_strangers(PairSums.of(closer), closer.who).worst(1e-3).group == "cousins"


def test_fewer_people_leave_more_doubt_and_a_nearer_distance() -> None:
    scores = invented({"a": 60}, seed=4)
    sums = PairSums.of(scores)
    few, many = (fit_strangers(sums, np.arange(people)).worst(1e-3) for people in (6, 60))
    assert few.doubt > 1.5 * many.doubt
    near = np.array([many.distance_at(1e-3)])
    assert many.rate(near)[0] == pytest.approx(1e-3, rel=1e-3)
    assert many.upper(near)[0] > many.rate(near)[0]


def test_the_doubt_of_a_mean_is_how_much_it_varies_among_others() -> None:
    drawn = [invented({"a": 12}, seed=seed, alike=0.0) for seed in range(40)]
    blocks = [fit_strangers(PairSums.of(scores), scores.who).worst(1e-3) for scores in drawn]
    varies = np.std([block.mean for block in blocks])
    assert np.mean([block.doubt for block in blocks]) == pytest.approx(varies, rel=0.5)


def test_a_promise_is_kept_among_people_not_seen() -> None:
    kept = promise_kept(invented({"a": 40, "b": 25}, seed=5), 1e-2)
    assert kept is not None
    assert 0.5 < kept.realised_over_claimed < 2
    assert kept.low <= kept.realised_over_claimed <= kept.high


def test_a_promise_that_ignores_a_group_would_be_found_broken() -> None:
    """The check can fail: told that all are strangers of one kind, it promises too much."""
    scores = invented({"a": 50, "b": 8}, seed=6)
    of_group = np.array([name == "b" for name in scores.groups])[scores.person]
    distances = scores.distances * np.where(np.logical_and.outer(of_group, of_group), 0.5, 1.0)
    blind = promise_kept(Scores(distances, scores.person, (None,) * 58), 1e-3)
    assert blind is not None
    assert blind.realised_over_claimed > 2


@pytest.mark.parametrize(("people", "rate"), [(10, 1e-2), (53, 1e-2), (142, 1e-3), (500, 1e-4)])
def test_no_rate_is_claimed_that_so_few_people_cannot_show(people: int, rate: float) -> None:
    assert rate_worth_claiming(people) == rate


def test_the_stranger_at_the_limit_is_not_accepted() -> None:
    impostor = np.arange(1000, 2000, dtype=np.float64)
    limit = distance_at(impostor, 1e-3)
    assert limit is not None
    assert np.mean(impostor < limit) == 1e-3
    assert distance_at(impostor[:999], 1e-3) is None


def test_no_miss_among_few_people_still_leaves_a_wide_interval() -> None:
    scores = invented({"a": 30}, seed=7)
    misses = misses_at(scores, 1e-2)
    assert misses is not None
    assert (misses.fnmr, misses.low) == (0.0, 0.0)
    assert misses.high == pytest.approx(0.116, abs=0.002)  # Clopper-Pearson, two-sided 95 %, 0 of 30 people


def test_each_group_is_told_its_own_misses_single_and_fused() -> None:
    fused = invented({"a": 20, "b": 20}, seed=3)
    worse = Scores(fused.distances.copy(), fused.person, fused.groups)
    of_b = np.array([fused.groups[person] == "b" for person in fused.person])
    same = fused.person[:, None] == fused.person[None, :]
    worse.distances[same & of_b[:, None]] = 5.0  # farther than any stranger
    notes: list[str] = []
    told = misses_by_group(worse, fused, notes)
    assert told is not None
    assert told["a"]["single"]["missed"] == told["b"]["fused"]["missed"] == 0
    assert (told["b"]["single"]["fnmr"], told["b"]["single"]["people_missed"]) == (1.0, 20)
    assert told["b"]["fused"]["interval"] == pytest.approx([0, 0.1684], abs=1e-3)  # 0 of 20: 1 - 0.025 ** (1 / 20)
    assert told["b"]["single"]["interval"] == pytest.approx([0.8316, 1], abs=1e-3)
    assert notes
