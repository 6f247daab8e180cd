"""What is asked for: fair, unpredictable without the secret, and bound to one line."""

import hmac
from collections import Counter

from biometrics.face.liveness.challenge import TURNS, Movement, bind, draw


def seeds(count: int) -> list[bytes]:
    return [hmac.digest(b"test", str(i).encode(), "sha256") for i in range(count)]


def test_a_seed_is_the_hmac_of_what_it_is_bound_to() -> None:
    # as Python's hmac over the documented message; anybody with the secret can redo it
    message = b"visual counter liveness 1\0visit-1\0sha-256 AA\0nonce"
    assert bind(b"secret", "visit-1", "sha-256 AA", b"nonce") == hmac.digest(b"secret", message, "sha256")


def test_another_line_visit_or_secret_gives_another_seed() -> None:
    parts = (b"secret", "visit-1", "sha-256 AA", b"nonce")
    others = [
        (b"secreT", *parts[1:]),
        (b"secret", "visit-2", "sha-256 AA", b"nonce"),
        (b"secret", "visit-1", "sha-256 AB", b"nonce"),
        (b"secret", "visit-1", "sha-256 AA", b"noncE"),
    ]
    assert len({bind(*parts), *(bind(*other) for other in others)}) == 5


def test_all_54_sequences_are_drawn_evenly() -> None:
    counts = Counter(draw(seed).movements for seed in seeds(5400))
    assert len(counts) == 54
    # chi-square with 53 degrees of freedom: above 98 once in 5000 fair draws
    assert sum((count - 100) ** 2 / 100 for count in counts.values()) < 98
    for sequence in counts:
        assert TURNS & set(sequence)
        assert len(set(sequence)) == 3


def test_the_same_seed_asks_the_same() -> None:
    assert draw(seeds(1)[0]) == draw(seeds(1)[0])


def test_a_substitute_is_asked_for_by_no_other_step_and_keeps_a_turn() -> None:
    for seed in seeds(300):
        challenge = draw(seed)
        for step, asked in enumerate(challenge.movements):
            done = challenge.movements[:step]
            others = {*done, *challenge.movements[step + 1 :]}
            other = challenge.substitute(done, {asked})
            assert other is not None
            assert other not in {asked, *others}
            assert (others | {other}) & TURNS


def test_whoever_replaces_two_movements_is_asked_for_three_that_differ() -> None:
    for seed in seeds(300):
        challenge = draw(seed)
        first = challenge.substitute([], {challenge.movements[0]})
        assert first is not None
        second = challenge.substitute([first], {challenge.movements[0], challenge.movements[1]})
        assert second is not None
        assert len({first, second, challenge.movements[2]}) == 3
        asked = {first, second, challenge.movements[2]}
        assert asked & TURNS or set(challenge.movements[:2]) == TURNS  # who can turn neither way is asked for no turn


def test_whoever_can_do_nothing_is_asked_for_nothing_else() -> None:
    assert draw(seeds(1)[0]).substitute([], set(Movement)) is None
