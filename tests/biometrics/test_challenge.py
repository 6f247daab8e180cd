"""What is asked for: fair, unpredictable without the secret, and bound to one line."""

import hmac
from collections import Counter
from itertools import pairwise

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


def test_all_68_sequences_are_drawn_evenly() -> None:
    counts = Counter(draw(seed).movements for seed in seeds(6800))
    assert len(counts) == 68
    # chi-square with 67 degrees of freedom: above 115 once in 5000 fair draws
    assert sum((count - 100) ** 2 / 100 for count in counts.values()) < 115
    for sequence in counts:
        assert TURNS & set(sequence)
        assert all(one is not other for one, other in pairwise(sequence))


def test_the_same_seed_asks_the_same() -> None:
    assert draw(seeds(1)[0]) == draw(seeds(1)[0])


def test_a_substitute_is_none_of_those_refused_and_keeps_a_turn() -> None:
    for seed in seeds(300):
        challenge = draw(seed)
        for step, asked in enumerate(challenge.movements):
            other = challenge.substitute(step, {asked})
            assert other is not None
            assert other is not asked
            others = {one for index, one in enumerate(challenge.movements) if index != step}
            if not others & TURNS and not (step and challenge.movements[step - 1] in TURNS):
                assert other in TURNS


def test_whoever_can_do_nothing_is_asked_for_nothing_else() -> None:
    assert draw(seeds(1)[0]).substitute(0, set(Movement)) is None
