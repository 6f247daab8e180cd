"""A seeded slice of `counter card fuzz`, and proof that the fuzzer sees what it looks for."""

import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hardware_drivers.errors import TamperedAnswerError
from hardware_drivers.id_chip import fuzz, mutation
from hardware_drivers.id_chip.evidence import ChipEvidence
from hardware_drivers.id_chip.fuzz import Tally, run_campaign
from hardware_drivers.id_chip.hostile_chip import CABLE_KINDS, INSIDE_KINDS
from hardware_drivers.id_chip.mrz import MrzKey
from hardware_drivers.id_chip.mutation import Kind
from hardware_drivers.id_chip.read import read_chip
from hardware_drivers.id_chip.tlv import encode
from hardware_drivers.id_chip.verify import ChipReport, verify_evidence
from hardware_drivers.smartcard.channel import CardLink
from tests.hardware_drivers.cards import link_to, make_chip

SLICE = 5000


def test_five_thousand_lies_find_nothing() -> None:
    tally = run_campaign(SLICE, 20261121, lambda _: None)
    assert tally.findings == []
    assert (tally.crashes, tally.hangs, tally.false_genuine) == (0, 0, 0)
    assert tally.answers >= SLICE
    assert tally.peak_mb <= 64
    # every kind of lie was told, and readings ended in every way they can
    assert {kind.value for kind in (*CABLE_KINDS, *INSIDE_KINDS, Kind.SWAPPED)} <= tally.kinds.keys()
    assert {"refused", "genuine", "TamperedAnswerError", "MalformedFileError", "StatusError"} <= tally.outcomes.keys()


@pytest.fixture
def scene() -> fuzz.Scene:
    return fuzz.Scene.make()


def played(scene: fuzz.Scene, monkeypatch: pytest.MonkeyPatch, read: Callable[..., ChipEvidence]) -> Tally:
    """One case whose reading is replaced."""
    monkeypatch.setattr(fuzz, "read_chip", read)
    monkeypatch.setattr(fuzz, "CASE_TIMEOUT_S", 0.3)
    before = signal.signal(signal.SIGALRM, fuzz.ring)
    tally = Tally()
    try:
        fuzz.play(scene, 1, 1, tally)
    finally:
        signal.signal(signal.SIGALRM, before)
    return tally


def test_an_exception_outside_the_family_is_a_crash(scene: fuzz.Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object) -> ChipEvidence:
        raise IndexError

    tally = played(scene, monkeypatch, read)
    assert (tally.crashes, tally.hangs, tally.false_genuine) == (1, 0, 0)
    assert "IndexError" in tally.findings[0]


def test_an_error_of_the_family_is_none(scene: fuzz.Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object) -> ChipEvidence:
        raise TamperedAnswerError("no")

    tally = played(scene, monkeypatch, read)
    assert tally.findings == []
    assert tally.outcomes == {"TamperedAnswerError": 1}


def test_a_case_without_end_is_a_hang(scene: fuzz.Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object) -> ChipEvidence:
        while True:
            time.sleep(0.01)

    tally = played(scene, monkeypatch, read)
    assert (tally.crashes, tally.hangs) == (0, 1)


def test_other_content_that_is_judged_genuine_is_found(scene: fuzz.Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads the other card in place of this one has been deceived, however genuine that one is."""

    def read_the_other(_: CardLink, key: MrzKey, *more: Any) -> ChipEvidence:
        other = next(other for card, other in scene.pairs if card.key == key)
        return read_chip(link_to(make_chip(other)), other.key, *more)

    def believe_any_number(*judged: Any, **more: Any) -> ChipReport:
        return verify_evidence(*judged, **more | {"access_key": None, "challenge": None})

    monkeypatch.setattr(fuzz, "verify_evidence", believe_any_number)
    assert played(scene, monkeypatch, read_the_other).false_genuine == 1


def test_a_copy_that_is_judged_genuine_is_found(scene: fuzz.Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A verifier that forgets to ask for the proof is deceived by every copy, and the fuzzer sees it."""
    monkeypatch.setattr(
        fuzz, "verify_evidence", lambda *judged, **more: verify_evidence(*judged, **more | {"challenge": None})
    )
    tally = Tally()
    for number in range(80):
        fuzz.play(scene, 5, number, tally)
    assert tally.false_genuine > 0
    assert all("copied True" in finding for finding in tally.findings)


def test_tallies_travel_as_lines() -> None:
    tally = Tally(cases=3, answers=5, crashes=1, peak_mb=40.5, findings=["x"])
    tally.kinds["bits"] = 5
    assert Tally.from_json(tally.as_json()) == tally
    total = replace(tally)
    total.add(Tally.from_json(tally.as_json()))
    assert (total.answers, total.kinds["bits"], total.peak_mb) == (10, 10, 40.5)


def test_a_child_that_dies_is_a_crash_and_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    tally = run_campaign(10, 1, lambda _: None)
    assert tally.crashes > 0
    assert "the child ended with 1" in tally.findings[0]


@pytest.mark.parametrize("seed", range(30))
def test_mutations_take_any_bytes(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - repeatable on purpose
    for content in (b"", b"\x04", rng.randbytes(40), encode(0x61, encode(0x5F1F, b"abc")), b"\x7f\x61\x82\xff"):
        for spoil in (
            mutation.flip_bits,
            mutation.cut_short,
            mutation.lengthen,
            mutation.noise,
            mutation.lie_about_length,
            mutation.bomb,
            mutation.change_tree,
            mutation.spoil_point,
        ):
            assert isinstance(spoil(rng, content), bytes)


def test_a_point_is_found_and_spoilt() -> None:
    rng = random.Random(4)  # noqa: S311 - as above
    point = b"\x04" + rng.randbytes(64)
    content = encode(0x7C, encode(0x82, point))
    spoilt = {mutation.spoil_point(rng, content) for _ in range(30)}
    assert content not in spoilt
    assert all(len(one) == len(content) for one in spoilt)
    assert any(one.endswith(bytes(64)) for one in spoilt)
