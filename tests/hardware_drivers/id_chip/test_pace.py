"""Oracles: the worked examples of Doc 9303-11; the simulated chip is the second peer, and the liar."""

import dataclasses
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_drivers.errors import AccessDeniedError, CardError, MalformedFileError, StatusError, TamperedAnswerError
from hardware_drivers.id_chip import der, tlv
from hardware_drivers.id_chip.bac import access_keys
from hardware_drivers.id_chip.cipher_suites import PASSWORD, CipherSuite
from hardware_drivers.id_chip.curves import CURVES, Curve
from hardware_drivers.id_chip.domain_parameters import STANDARD_DOMAINS
from hardware_drivers.id_chip.files import ID_APPLICATION
from hardware_drivers.id_chip.key_agreement import agreement_over
from hardware_drivers.id_chip.modular_groups import ModularGroup
from hardware_drivers.id_chip.pace import PaceSession, choose, establish_pace
from hardware_drivers.id_chip.pace_mapping import integrated_generator, pseudo_random_number
from hardware_drivers.id_chip.pace_password import PacePassword, PasswordKind
from hardware_drivers.id_chip.security_infos import Mapping, PaceInfo, parse_security_infos
from hardware_drivers.id_chip.simulated_chip import SimulatedChip
from hardware_drivers.id_chip.simulated_pace import PaceProfile, SimulatedPace
from hardware_drivers.smartcard.apdu import Command, Response
from hardware_drivers.smartcard.channel import PlainChannel
from tests.hardware_drivers.cards import DirectLink, make_card, seeded
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

CAN = PacePassword.can("123456")
PIN = PacePassword.pin("246810")
CARD_SECURITY = bytes.fromhex("3003020101")


def set_of(*infos: bytes) -> bytes:
    return tlv.encode(der.SET, b"".join(infos))


def pace_info(family: int, suite: int, parameter_id: int, version: int = 2) -> bytes:
    oid = der.encode_object_identifier(f"0.4.0.127.0.7.2.2.4.{family}.{suite}")
    numbers = der.encode_unsigned(version) + der.encode_unsigned(parameter_id)
    return tlv.encode(der.SEQUENCE, tlv.encode(der.OBJECT_IDENTIFIER, oid) + numbers)


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


def make_pace(card_access: bytes, *, static_key: int | None = None, seed: int = 3) -> SimulatedPace:
    passwords = (PacePassword.mrz(make_card().key), CAN, PIN)
    return SimulatedPace(PaceProfile(card_access, passwords, CARD_SECURITY, static_key), seeded(seed))


def make_pace_chip(card_access: bytes, *, static_key: int | None = None, seed: int = 3) -> SimulatedChip:
    card = make_card()
    pace = make_pace(card_access, static_key=static_key, seed=seed)
    return SimulatedChip(card.files, access_keys(card.key), seeded(9), pace=pace)


def open_chip(
    chip: SimulatedChip, card_access: bytes, password: PacePassword = CAN, *, spend_last_try: bool = False
) -> PaceSession:
    link = DirectLink(chip.answer, chip.atr)
    return establish_pace(PlainChannel(link), password, card_access, seeded(5), spend_last_try=spend_last_try)


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


def chip_key_info(parameter_id: int, point: bytes) -> bytes:
    standardized = tlv.encode(0x06, der.encode_object_identifier("0.4.0.127.0.7.1.2")) + der.encode_unsigned(
        parameter_id
    )
    spki = tlv.encode(0x30, tlv.encode(0x30, standardized) + tlv.encode(0x03, b"\x00" + point))
    return tlv.encode(0x30, tlv.encode(0x06, der.encode_object_identifier("0.4.0.127.0.7.2.2.1.2")) + spki)


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


def test_infos_of_the_examples_are_read() -> None:
    (info,) = parse_security_infos(set_of(G1.pace_info)).pace
    assert info == PaceInfo(
        "0.4.0.127.0.7.2.2.4.2.2", info.agreement, Mapping.GENERIC, CipherSuite.AES_128, version=2, parameter_id=13
    )
