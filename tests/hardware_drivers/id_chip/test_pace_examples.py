"""Oracles: the worked examples of Doc 9303-11, of which both the terminal and the chip say every byte."""

import dataclasses

import pytest

from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.cipher_suites import PASSWORD, CipherSuite
from hardware_drivers.id_chip.curves import CURVES, Curve
from hardware_drivers.id_chip.domain_parameters import STANDARD_DOMAINS
from hardware_drivers.id_chip.key_agreement import agreement_over
from hardware_drivers.id_chip.modular_groups import ModularGroup
from hardware_drivers.id_chip.pace import choose, establish_pace
from hardware_drivers.id_chip.pace_mapping import integrated_generator, pseudo_random_number
from hardware_drivers.id_chip.pace_password import PacePassword, PasswordKind
from hardware_drivers.id_chip.security_infos import Mapping, PaceInfo, parse_security_infos
from hardware_drivers.id_chip.simulated_pace import PaceProfile, SimulatedPace
from hardware_drivers.smartcard.apdu import Command
from hardware_drivers.smartcard.channel import PlainChannel
from tests.hardware_drivers.cards import DirectLink, seeded
from tests.hardware_drivers.id_chip.pace_chips import (
    set_of,
)
from tests.hardware_drivers.id_chip.pace_examples import (
    EXAMPLES,
    G1,
    H1,
    H2,
    I1,
    I1_CHIP_DATA,
    I1_CHIP_KEY_INFO,
    I1_FINAL_ANSWER,
    PaceExample,
)


class Scripted:
    """Randomness that gives exactly these private keys and nonces, in the form the code draws them."""

    def __init__(self, example: PaceExample, *values: bytes) -> None:
        (info,) = parse_security_infos(set_of(example.pace_info)).pace
        domain = choose(parse_security_infos(set_of(example.pace_info)))[1]
        self.order = domain.n if isinstance(domain, Curve) else domain.q or 0
        self.nonce_length = info.suite.key_length
        self.values = list(values)

    def __call__(self, length: int) -> bytes:
        value = self.values.pop(0)
        if length == self.nonce_length:
            return value
        return (int.from_bytes(value, "big") % self.order - 1).to_bytes(length, "big")


def wire(example: PaceExample) -> list[tuple[bytes, bytes]]:
    """Commands and answers of the example, as §4.4.5 puts them on the wire."""

    def step(cla: int, sent: bytes, received: bytes) -> tuple[bytes, bytes]:
        command = Command(cla, 0x86, 0, 0, tlv.encode(0x7C, sent), ne=256)
        return command.encode(), tlv.encode(0x7C, received) + b"\x90\x00"

    template = tlv.encode(0x80, example.pace_info[4:14]) + b"\x83\x01\x01"
    return [
        (Command(0x00, 0x22, 0xC1, 0xA4, template).encode(), b"\x90\x00"),
        step(0x10, b"", tlv.encode(0x80, example.encrypted_nonce)),
        step(0x10, tlv.encode(0x81, example.terminal_mapping_public), tlv.encode(0x82, example.chip_mapping_public)),
        step(0x10, tlv.encode(0x83, example.terminal_public), tlv.encode(0x84, example.chip_public)),
        step(
            0x00,
            tlv.encode(0x85, example.terminal_token),
            tlv.encode(0x86, example.chip_token) + example.behind_token,
        ),
    ]


def password_of(example: PaceExample) -> PacePassword:
    """From the zone; H prints only the key that a zone it does not print led to, so its seed stays unknown."""
    return PacePassword(PasswordKind.MRZ, b"") if example.key is None else PacePassword.mrz(example.key)


@pytest.fixture
def nonce_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an empty seed stand for the key printed in appendix H."""
    derive = CipherSuite.derive_key

    def derive_or_printed(suite: CipherSuite, secret: bytes, counter: int) -> bytes:
        return H1.nonce_key if not secret and counter == PASSWORD else derive(suite, secret, counter)

    monkeypatch.setattr(CipherSuite, "derive_key", derive_or_printed)


@pytest.mark.parametrize("example", [one for one in EXAMPLES if one.key], ids=lambda one: one.name)
def test_the_key_for_the_nonce_is_that_of_the_example(example: PaceExample) -> None:
    assert CipherSuite.AES_128.derive_key(password_of(example).seed, PASSWORD) == example.nonce_key


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.name)
@pytest.mark.usefixtures("nonce_keys")
def test_the_terminal_says_what_the_example_says(example: PaceExample) -> None:
    expected = wire(example)
    answers = [answer for _, answer in expected]
    link = DirectLink(lambda _: answers.pop(0), b"")
    rng = Scripted(example, example.terminal_mapping, example.terminal_private)
    session = establish_pace(PlainChannel(link), password_of(example), set_of(example.pace_info), rng)
    assert [command.hex() for command in link.commands] == [command.hex() for command, _ in expected]
    assert session.channel.keys.encryption == example.encryption
    assert session.channel.keys.authentication == example.authentication
    assert session.channel.keys.send_sequence_counter == 0


@pytest.mark.parametrize("example", [one for one in EXAMPLES if one is not I1], ids=lambda one: one.name)
@pytest.mark.usefixtures("nonce_keys")
def test_the_chip_says_what_the_example_says(example: PaceExample) -> None:
    chip_side = [example.nonce, *filter(None, (example.chip_mapping, example.chip_private))]
    profile = PaceProfile(set_of(example.pace_info), (password_of(example),))
    chip = SimulatedPace(profile, Scripted(example, *chip_side))
    for command, answer in wire(dataclasses.replace(example, behind_token=b"")):
        assert chip.answer(Command.parse(command)).encode().hex() == answer.hex()
    keys = chip.take_session()
    assert keys is not None
    assert (keys.encryption, keys.authentication) == (example.encryption, example.authentication)


def test_chip_authentication_mapping_proves_the_key_of_the_example() -> None:
    expected = wire(I1)
    assert expected[-1][1] == I1_FINAL_ANSWER
    answers = [answer for _, answer in expected]
    rng = Scripted(I1, I1.terminal_mapping, I1.terminal_private)
    link = DirectLink(lambda _: answers.pop(0), b"")
    proof = establish_pace(PlainChannel(link), password_of(I1), set_of(I1.pace_info), rng).proof
    assert proof is not None
    assert proof.chip_data == I1_CHIP_DATA
    (key,) = parse_security_infos(set_of(I1_CHIP_KEY_INFO)).chip_keys
    assert key.key_id == 13
    assert proof.shown_by(key.key)
    agreement = agreement_over(key.key.domain)
    other = agreement.power(key.key.element, 2)
    assert other is not None
    assert not proof.shown_by(dataclasses.replace(key.key, element=other))
    assert not dataclasses.replace(proof, chip_data=bytes(32)).shown_by(key.key)
    assert not dataclasses.replace(proof, mapping_key=other).shown_by(key.key)


def test_the_certification_authorities_of_the_example_are_kept() -> None:
    example = next(one for one in EXAMPLES if one.name == "G.2")
    answers = [answer for _, answer in wire(example)]
    rng = Scripted(example, example.terminal_mapping, example.terminal_private)
    link = DirectLink(lambda _: answers.pop(0), b"")
    session = establish_pace(PlainChannel(link), password_of(example), set_of(example.pace_info), rng)
    assert session.authority_references == (b"DETESTCVCA00003",)


def test_the_pseudo_random_numbers_are_those_of_the_examples() -> None:
    curve, group = STANDARD_DOMAINS[13], STANDARD_DOMAINS[0]
    assert isinstance(group, ModularGroup)
    number = pseudo_random_number(CipherSuite.AES_128, H1.nonce, H1.terminal_mapping, curve.p)
    assert f"{number:064X}" == "A2F8FF2DF50E52C6599F386ADCB595D229F6A167ADE2BE5F2C3296ADD5B7430E"
    number = pseudo_random_number(CipherSuite.AES_128, H2.nonce, H2.terminal_mapping, group.p)
    assert f"{number:X}".startswith("A0C7C50C002061A51CC87D254EF38068607417B6EE1B36473CFB800D2D2E5FA2")
    assert integrated_generator(curve, CipherSuite.AES_128, H1.nonce, H1.terminal_mapping) == H1.generator
    assert integrated_generator(group, CipherSuite.AES_128, H2.nonce, H2.terminal_mapping) == H2.generator


@pytest.mark.parametrize("curve", [curve for curve in CURVES if curve.p % 4 == 3], ids=lambda one: one.name)
def test_points_of_integrated_mapping_lie_on_their_curve(curve: Curve) -> None:
    for seed in range(8):
        number = int.from_bytes(seeded(seed)(80), "big") % curve.p
        encoded = agreement_over(curve).encode_field(number)
        assert encoded is not None
        assert curve.decode(encoded) is not None


def test_infos_of_the_examples_are_read() -> None:
    (info,) = parse_security_infos(set_of(G1.pace_info)).pace
    assert info == PaceInfo(
        "0.4.0.127.0.7.2.2.4.2.2", info.agreement, Mapping.GENERIC, CipherSuite.AES_128, version=2, parameter_id=13
    )
