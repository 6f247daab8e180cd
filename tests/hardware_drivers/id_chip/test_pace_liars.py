"""Chips that lie during PACE: bad keys, bad tokens, proofs of another chip, any answer at any step."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_drivers.errors import CardError, TamperedAnswerError
from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.domain_parameters import STANDARD_DOMAINS
from hardware_drivers.id_chip.key_agreement import agreement_over
from hardware_drivers.id_chip.pace import establish_pace
from hardware_drivers.id_chip.security_infos import parse_security_infos
from hardware_drivers.id_chip.simulated_chip import SimulatedChip
from hardware_drivers.smartcard.apdu import Command, Response
from hardware_drivers.smartcard.channel import PlainChannel
from tests.hardware_drivers.cards import DirectLink, seeded
from tests.hardware_drivers.id_chip.pace_chips import (
    CAN,
    chip_key_info,
    make_pace_chip,
    open_chip,
    pace_info,
    set_of,
)


def lying(chip: SimulatedChip, tag: int, lie: Callable[[bytes, bytes], bytes]) -> Callable[[bytes], bytes]:
    """A chip that puts a lie, made of the command and of its honest value, into one object of PACE."""

    def answer(raw: bytes) -> bytes:
        said = chip.answer(raw)
        if raw[1] != 0x86 or len(said) < 4:
            return said
        objects = tlv.parse_all(tlv.only(said[:-2], 0x7C))
        sent = tlv.parse_all(tlv.only(Command.parse(raw).data, 0x7C))
        changed = [
            tlv.encode(one.tag, lie(sent[0].value if sent else b"", one.value) if one.tag == tag else one.value)
            for one in objects
        ]
        return tlv.encode(0x7C, b"".join(changed)) + said[-2:]

    return answer


def flipped(_: bytes, honest: bytes) -> bytes:
    return honest[:-1] + bytes((honest[-1] ^ 1,))


def reflected(sent: bytes, _: bytes) -> bytes:
    return sent


def infinity(_: bytes, __: bytes) -> bytes:
    return b"\x00"


def compressed(_: bytes, honest: bytes) -> bytes:
    return bytes((2 + honest[-1] % 2,)) + honest[1:33]


def small_order(_: bytes, __: bytes) -> bytes:
    """A point of order 5 on a curve that differs from brainpoolP256r1 only in b (invalid-curve attack)."""
    return b"\x04" + (3).to_bytes(32, "big") + (7).to_bytes(32, "big")


def one(_: bytes, honest: bytes) -> bytes:
    return b"\x01".rjust(len(honest), b"\x00")


def minus_one(_: bytes, __: bytes) -> bytes:
    return (STANDARD_DOMAINS[0].p - 1).to_bytes(128, "big")


def outside_subgroup(_: bytes, __: bytes) -> bytes:
    return b"\x02"


def empty(_: bytes, __: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("tag", [0x82, 0x84])
@pytest.mark.parametrize(
    ("parameter_id", "lie"),
    [(13, lie) for lie in (flipped, reflected, infinity, compressed, small_order, empty)]
    + [(0, lie) for lie in (reflected, one, minus_one, outside_subgroup, empty)],
)
def test_a_bad_public_key_is_refused_before_it_is_used(
    tag: int, parameter_id: int, lie: Callable[[bytes, bytes], bytes]
) -> None:
    card_access = set_of(pace_info(2 if parameter_id == 13 else 1, 2, parameter_id))
    chip = make_pace_chip(card_access)
    link = DirectLink(lying(chip, tag, lie), chip.atr)
    with pytest.raises(TamperedAnswerError):
        establish_pace(PlainChannel(link), CAN, card_access, seeded(5))
    assert len(link.commands) == (3 if tag == 0x82 else 4)


@pytest.mark.parametrize("family", [2, 4, 6])
@pytest.mark.parametrize(("tag", "lie"), [(0x80, empty), (0x86, flipped), (0x86, empty), (0x86, reflected)])
def test_a_chip_that_does_not_know_the_password_is_noticed(
    family: int, tag: int, lie: Callable[[bytes, bytes], bytes]
) -> None:
    card_access = set_of(pace_info(family, 2, 13))
    chip = make_pace_chip(card_access, static_key=7)
    with pytest.raises(TamperedAnswerError):
        establish_pace(PlainChannel(DirectLink(lying(chip, tag, lie), chip.atr)), CAN, card_access, seeded(5))


@pytest.mark.parametrize("lie", [empty, infinity, lambda _, honest: honest + honest])
def test_broken_chip_authentication_data_are_refused(lie: Callable[[bytes, bytes], bytes]) -> None:
    card_access = set_of(pace_info(6, 2, 13))
    chip = make_pace_chip(card_access, static_key=7)
    with pytest.raises(TamperedAnswerError):
        establish_pace(PlainChannel(DirectLink(lying(chip, 0x8A, lie), chip.atr)), CAN, card_access, seeded(5))


def test_another_chips_authentication_data_prove_nothing() -> None:
    card_access = set_of(pace_info(6, 2, 13))
    chip = make_pace_chip(card_access, static_key=7)
    proof = open_chip(chip, card_access).proof
    assert proof is not None
    agreement = agreement_over(proof.domain)
    for private, holds in ((7, True), (8, False)):
        point = agreement.power(agreement.generator, private)
        assert point is not None
        key = parse_security_infos(set_of(chip_key_info(13, point))).chip_keys[0].key
        assert proof.shown_by(key) is holds


@pytest.mark.parametrize("seed", range(6))
def test_no_mutated_answer_opens_a_session(seed: int) -> None:
    """Every bit of the chip's answers is covered, by the tokens at the latest."""
    card_access = set_of(pace_info((2, 4, 6)[seed % 3], 2, 12))
    chance = seeded(seed)
    for _ in range(12):
        chip = make_pace_chip(card_access, static_key=7)
        step, at, bit = chance(1)[0] % 5, int.from_bytes(chance(2), "big"), chance(1)[0] % 8
        count = [-1]

        def mutate(
            raw: bytes,
            chip: SimulatedChip = chip,
            step: int = step,
            at: int = at,
            bit: int = bit,
            count: list[int] = count,
        ) -> bytes:
            said = bytearray(chip.answer(raw))
            count[0] += 1
            if count[0] == step:
                said[at % len(said)] ^= 1 << bit
            return bytes(said)

        try:
            session = establish_pace(PlainChannel(DirectLink(mutate, chip.atr)), CAN, card_access, seeded(5))
        except CardError:
            continue
        # what CAM seals comes after the tokens and has no MAC of its own: it must then prove nothing
        assert session.proof is not None
        agreement = agreement_over(session.proof.domain)
        point = agreement.power(agreement.generator, 7)
        assert point is not None
        key = parse_security_infos(set_of(chip_key_info(12, point))).chip_keys[0].key
        assert not session.proof.shown_by(key)


@given(st.integers(1, 4), st.binary(max_size=80), st.sampled_from((0x9000, 0x6300, 0x63C2, 0x6982, 0x6283)))
def test_any_answer_at_any_step_is_a_card_error(step: int, said: bytes, sw: int) -> None:
    card_access = set_of(pace_info(6, 2, 12))
    chip = make_pace_chip(card_access, static_key=7)
    count = [-1]

    def answer(raw: bytes) -> bytes:
        count[0] += 1
        return Response(said, sw).encode() if count[0] == step else chip.answer(raw)

    link = DirectLink(answer, chip.atr)
    with pytest.raises(CardError):
        establish_pace(PlainChannel(link), CAN, card_access, seeded(5))


def test_infos_taken_out_of_card_access_are_noticed() -> None:
    whole = parse_security_infos(set_of(pace_info(2, 2, 13), pace_info(2, 1, 13)))
    cut = parse_security_infos(set_of(pace_info(2, 1, 13)))
    assert whole.offers_the_same_pace(whole)
    assert not cut.offers_the_same_pace(whole)
    assert not whole.offers_the_same_pace(cut)
