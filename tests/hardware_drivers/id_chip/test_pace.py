"""PACE with the simulated chip as the second peer: mappings, choices, passwords and their counters."""

import dataclasses

import pytest

from hardware_drivers.errors import AccessDeniedError, MalformedFileError, StatusError
from hardware_drivers.id_chip import der, tlv
from hardware_drivers.id_chip.cipher_suites import CipherSuite
from hardware_drivers.id_chip.domain_parameters import STANDARD_DOMAINS
from hardware_drivers.id_chip.files import ID_APPLICATION
from hardware_drivers.id_chip.key_agreement import agreement_over
from hardware_drivers.id_chip.modular_groups import ModularGroup
from hardware_drivers.id_chip.pace import choose, establish_pace
from hardware_drivers.id_chip.pace_password import PacePassword, PasswordKind
from hardware_drivers.id_chip.security_infos import Mapping, parse_security_infos
from hardware_drivers.smartcard.apdu import Command, Response
from hardware_drivers.smartcard.channel import PlainChannel
from tests.hardware_drivers.cards import DirectLink, seeded
from tests.hardware_drivers.id_chip.pace_chips import (
    CAN,
    CARD_SECURITY,
    PIN,
    chip_key_info,
    make_pace_chip,
    open_chip,
    pace_info,
    set_of,
)

# family and suite as the last arcs of the identifier; curves and groups so that each appears once
IM_AND_CAM = [
    (family, suite, parameter_id)
    for family, suites, parameters in (
        (4, (1, 2, 3, 4), (8, 9, 11, 12, 13, 14, 15, 16, 17, 18)),
        (3, (1, 2, 3, 4), (0, 1, 2)),
        (6, (2, 3, 4), (8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)),
    )
    for position, parameter_id in enumerate(parameters)
    for suite in (suites[position % len(suites)],)
]


@pytest.mark.parametrize(("family", "suite", "parameter_id"), IM_AND_CAM)
def test_integrated_and_chip_authentication_mapping_open_the_simulated_chip(
    family: int, suite: int, parameter_id: int
) -> None:
    card_access = set_of(pace_info(family, suite, parameter_id))
    chip = make_pace_chip(card_access, static_key=0xCAFE if family == 6 else None)
    session = open_chip(chip, card_access)
    assert session.channel.transmit(Command(0x00, 0xB0, 0x9D, 0x00, ne=5)) == Response(CARD_SECURITY, 0x9000)
    assert session.channel.transmit(Command(0x00, 0xA4, 0x04, 0x0C, ID_APPLICATION)).sw == 0x9000
    assert session.channel.transmit(Command(0x00, 0xB0, 0x9E, 0x00, ne=4)).data[:1] == b"\x60"
    assert (session.proof is not None) == (family == 6)
    if session.proof is not None:
        agreement = agreement_over(session.proof.domain)
        static_key = agreement.power(agreement.generator, 0xCAFE)
        assert static_key is not None
        key = parse_security_infos(set_of(chip_key_info(parameter_id, static_key))).chip_keys[0].key
        assert session.proof.shown_by(key)
        assert not session.proof.shown_by(dataclasses.replace(key, element=agreement.generator))


def test_card_access_is_open_and_card_security_is_not() -> None:
    card_access = set_of(pace_info(2, 2, 13))
    chip = make_pace_chip(card_access)
    assert chip.answer(bytes.fromhex("00B09C0000"))[:-2] == card_access
    assert chip.answer(bytes.fromhex("00B09D0000")).hex() == "6a82"
    session = open_chip(chip, card_access)
    assert session.channel.transmit(Command(0x00, 0xB0, 0x9D, 0x00, ne=256)).data == CARD_SECURITY
    chip.answer(bytes.fromhex("00B09C0000"))  # a plain command ends the session
    assert chip.answer(bytes.fromhex("00B0000000"))[:-2] == card_access
    assert chip.answer(bytes.fromhex("00B09D0000")).hex() == "6a82"


def test_the_best_way_is_taken() -> None:
    gm_tdes, gm_aes, im_aes, cam = pace_info(2, 1, 13), pace_info(2, 4, 12), pace_info(4, 2, 13), pace_info(6, 2, 13)
    dh_aes, private, old = pace_info(1, 2, 0), pace_info(2, 4, 77), pace_info(6, 2, 13, version=1)
    p224 = pace_info(4, 2, 10)

    def best(*infos: bytes) -> tuple[Mapping, CipherSuite]:
        chosen, _ = choose(parse_security_infos(set_of(*infos)))
        return chosen.mapping, chosen.suite

    assert best(gm_tdes, im_aes, dh_aes, gm_aes, cam) == (Mapping.CHIP_AUTHENTICATION, CipherSuite.AES_128)
    assert best(gm_tdes, im_aes, dh_aes, gm_aes, private, old) == (Mapping.GENERIC, CipherSuite.AES_256)
    assert best(gm_tdes, im_aes) == (Mapping.INTEGRATED, CipherSuite.AES_128)
    assert best(gm_tdes, p224) == (Mapping.GENERIC, CipherSuite.TDES)
    with pytest.raises(MalformedFileError):
        best(private, old, p224)


def test_domain_parameters_are_named_only_when_there_is_a_choice() -> None:
    one, two = set_of(pace_info(2, 2, 13)), set_of(pace_info(2, 2, 13), pace_info(2, 2, 12))
    for card_access, named in ((one, False), (two, True)):
        chip = make_pace_chip(card_access)
        link = DirectLink(chip.answer, chip.atr)
        establish_pace(PlainChannel(link), CAN, card_access, seeded(5))
        assert (b"\x84\x01\x0d" in link.commands[0]) == named


@pytest.mark.parametrize("family", [1, 2, 3, 4, 6])
def test_a_wrong_password_is_denied(family: int) -> None:
    card_access = set_of(pace_info(family, 2, 0 if family in (1, 3) else 13))
    with pytest.raises(AccessDeniedError) as denied:
        open_chip(make_pace_chip(card_access, static_key=5), card_access, PacePassword.can("123457"))
    assert denied.value.tries_left is None


def test_a_chip_without_that_password_is_a_status() -> None:
    card_access = set_of(pace_info(2, 2, 13))
    with pytest.raises(StatusError) as refused:
        open_chip(make_pace_chip(card_access), card_access, PacePassword.puk("1234567890"))
    assert refused.value.sw == 0x6A88


def test_a_pin_is_counted_suspended_resumed_with_the_can_and_blocked() -> None:
    card_access, wrong = set_of(pace_info(2, 2, 13)), PacePassword.pin("000000")
    chip = make_pace_chip(card_access)
    for left in (2, 1):
        with pytest.raises(AccessDeniedError) as denied:
            open_chip(chip, card_access, wrong)
        assert denied.value.tries_left == left
    before = chip._pace._tries[PasswordKind.PIN] if chip._pace else None
    with pytest.raises(AccessDeniedError) as denied:  # not even asked: the person decides about the last one
        open_chip(chip, card_access, PIN)
    assert denied.value.tries_left == before == 1
    with pytest.raises(StatusError):  # TR-03110-2 §2.4.2.1: suspended, the CAN first
        open_chip(chip, card_access, PIN, spend_last_try=True)
    opened = open_chip(chip, card_access, CAN)
    resumed = establish_pace(opened.channel, PIN, card_access, seeded(6), spend_last_try=True)
    assert resumed.tries_left == 1
    assert resumed.channel.inner is opened.channel.inner
    assert resumed.channel.transmit(Command(0x00, 0xB0, 0x9D, 0x00, ne=256)).data == CARD_SECURITY
    assert open_chip(chip, card_access, PIN).tries_left is None
    for _ in range(2):
        with pytest.raises(AccessDeniedError):
            open_chip(chip, card_access, wrong)
    opened = open_chip(chip, card_access, CAN)
    with pytest.raises(AccessDeniedError) as denied:
        establish_pace(opened.channel, wrong, card_access, seeded(6), spend_last_try=True)
    assert denied.value.tries_left == 0
    with pytest.raises(AccessDeniedError) as denied:
        open_chip(chip, card_access, PIN, spend_last_try=True)
    assert denied.value.tries_left == 0


def spelled_out(family: int, algorithm: str, parameters: bytes, parameter_id: int) -> bytes:
    """A PACEDomainParameterInfo (§9.2.2)."""

    def oid(dotted: str) -> bytes:
        return tlv.encode(der.OBJECT_IDENTIFIER, der.encode_object_identifier(dotted))

    domain = tlv.encode(der.SEQUENCE, oid(algorithm) + parameters)
    return tlv.encode(der.SEQUENCE, oid(f"0.4.0.127.0.7.2.2.4.{family}") + domain + der.encode_unsigned(parameter_id))


def prime_group(p: int, g: int, q: int) -> bytes:
    return tlv.encode(der.SEQUENCE, b"".join(der.encode_unsigned(number) for number in (p, g, q)))


def test_domain_parameters_spelled_out_are_used_when_they_are_known_ones() -> None:
    group = STANDARD_DOMAINS[1]
    assert isinstance(group, ModularGroup)
    numbers = prime_group(group.p, group.g, group.q or 0)
    card_access = set_of(pace_info(1, 3, 40), spelled_out(1, "1.2.840.10046.2.1", numbers, 40))
    session = open_chip(make_pace_chip(card_access), card_access)
    assert session.channel.transmit(Command(0x00, 0xB0, 0x9D, 0x00, ne=256)).data == CARD_SECURITY


def test_no_password_is_staked_on_a_group_of_the_chips_own_making() -> None:
    """All factors of p - 1 are 2 and 3: whoever sends it takes logarithms at once, then tries passwords at leisure."""
    smooth = 2**119 * 3**615 + 1
    assert pow(5, smooth - 1, smooth) == 1
    numbers = prime_group(smooth, pow(5, 2**118, smooth), 2 * 3**615)
    chosen_by_sender = [pace_info(1, 2, 40), spelled_out(1, "1.2.840.10046.2.1", numbers, 40)]
    with pytest.raises(MalformedFileError):
        choose(parse_security_infos(set_of(*chosen_by_sender)))
    info, _ = choose(parse_security_infos(set_of(pace_info(2, 1, 13), *chosen_by_sender)))
    assert info.parameter_id == 13


def test_a_standard_number_means_the_standard_whatever_is_spelled_out_under_it() -> None:
    other = spelled_out(2, "1.2.840.10045.2.1", b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 13)
    found = parse_security_infos(set_of(pace_info(2, 2, 13), other))
    assert found.pace_domains[0].domain is STANDARD_DOMAINS[12]
    assert found.pace_domain(found.pace[0]) is STANDARD_DOMAINS[13]


def test_a_password_does_not_show_itself() -> None:
    assert "246810" not in repr(PIN)
    assert PIN.seed.hex() not in repr(PIN)
    with pytest.raises(ValueError, match="characters") as refused:
        PacePassword.can("身份123")
    assert "123" not in str(refused.value).replace("1 to", "")


def test_session_keys_do_not_show_themselves() -> None:
    card_access = set_of(pace_info(2, 2, 13))
    session = open_chip(make_pace_chip(card_access), card_access)
    assert session.channel.keys.encryption.hex() not in repr(session)
    assert str(session.channel.keys.encryption) not in repr(session)


def test_a_source_of_randomness_that_repeats_itself_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows a private key whose public value begins with zero; the drawing is bounded all the same."""
    monkeypatch.setattr("hardware_drivers.id_chip.key_agreement.ModularAgreement.power", lambda *_: bytes(128))
    card_access = set_of(pace_info(1, 2, 0))
    chip = make_pace_chip(card_access)
    with pytest.raises(ValueError, match="repeats"):
        establish_pace(PlainChannel(DirectLink(chip.answer, chip.atr)), CAN, card_access, seeded(5))


def test_a_secret_that_begins_with_zero_is_drawn_again_before_any_token() -> None:
    """libeac drops the zero byte, PKCS #3 keeps it; the seed is the first whose common number begins with one."""
    card_access = set_of(pace_info(1, 2, 0))
    chip = make_pace_chip(card_access, seed=331)
    link = DirectLink(chip.answer, chip.atr)
    session = establish_pace(PlainChannel(link), CAN, card_access, seeded(5))
    assert [command[1] for command in link.commands] == [0x22, 0x86, 0x86, 0x86, 0x22, 0x86, 0x86, 0x86, 0x86]
    assert session.channel.transmit(Command(0x00, 0xB0, 0x9D, 0x00, ne=256)).data == CARD_SECURITY
