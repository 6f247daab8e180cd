"""Oracles: the worked example of Doc 9303-11 appendix D.4, and OpenPACE's of TR-03110 for AES.

Whole exchanges under AES are held against libeac in `test_pace_libeac`.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_drivers.errors import StatusError, TamperedAnswerError
from hardware_drivers.id_chip.cipher_suites import CipherSuite
from hardware_drivers.id_chip.keys import AUTHENTICATION, ENCRYPTION
from hardware_drivers.id_chip.secure_messaging import SecureChannel, SessionKeys
from hardware_drivers.smartcard.apdu import Command, Response
from hardware_drivers.smartcard.channel import PlainChannel
from tests.hardware_drivers.cards import DirectLink

EXAMPLE = [
    (
        Command(0x00, 0xA4, 0x02, 0x0C, bytes.fromhex("011E")),
        "0CA4020C158709016375432908C044F68E08BF8B92D635FF24F800",
        "990290008E08FA855A5D4C50A8ED9000",
        "",
    ),
    (
        Command(0x00, 0xB0, 0x00, 0x00, ne=4),
        "0CB000000D9701048E08ED6705417E96BA5500",
        "8709019FF0EC34F9922651990290008E08AD55CC17140B2DED9000",
        "60145F01",
    ),
    (
        Command(0x00, 0xB0, 0x00, 0x04, ne=0x12),
        "0CB000040D9701128E082EA28A70F3C7B53500",
        "871901FB9235F4E4037F2327DCC8964F1F9B8C30F42C8E2FFF224A990290008E08C8B2787EAEA07D749000",
        "04303130365F36063034303030305C026175",
    ),
]


def keys() -> SessionKeys:
    return SessionKeys(
        bytes.fromhex("979EC13B1CBFE9DCD01AB0FED307EAE5"),
        bytes.fromhex("F1CB1F1FB5ADF208806B89DC579DC1F8"),
        0x887022120C06C226,
    )


def test_the_whole_exchange_is_that_of_the_example() -> None:
    answers = [bytes.fromhex(answer) for _, _, answer, _ in EXAMPLE]
    link = DirectLink(lambda _: answers.pop(0), b"")
    channel = SecureChannel(PlainChannel(link), keys())
    for command, protected, _, plain in EXAMPLE:
        assert channel.transmit(command) == Response(bytes.fromhex(plain), 0x9000)
        assert link.commands[-1].hex().upper() == protected


def test_every_single_bit_of_an_answer_is_covered() -> None:
    answer = bytes.fromhex(EXAMPLE[0][2])[:-2]  # the outer status is not protected, and not used
    for bit in range(len(answer) * 8):
        forged = (int.from_bytes(answer, "big") ^ 1 << bit).to_bytes(len(answer), "big")
        session = keys()
        session.protect(EXAMPLE[0][0])
        with pytest.raises(TamperedAnswerError):
            session.open(Response(forged, 0x9000))


def test_an_answer_out_of_turn_is_noticed() -> None:
    session = keys()
    session.protect(EXAMPLE[0][0])
    session.protect(EXAMPLE[0][0])
    with pytest.raises(TamperedAnswerError):
        session.open(Response(bytes.fromhex(EXAMPLE[0][2])[:-2], 0x9000))


def test_a_bare_success_is_never_believed() -> None:
    with pytest.raises(TamperedAnswerError):
        keys().open(Response(b"", 0x9000))


def test_a_bare_refusal_is_a_status() -> None:
    with pytest.raises(StatusError) as refused:
        keys().open(Response(b"", 0x6700))
    assert refused.value.sw == 0x6700


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(answer: bytes) -> None:
    with pytest.raises(TamperedAnswerError):
        keys().open(Response(answer, 0x9000))


# OpenPACE 1.1.3 test/eactest.c, tc_ecdh: K of the worked example of TR-03110, and what its keys make of one answer.
K = "6E7D077CCD367C2EAA683F1E8EC534302E2D00B6ADAF8A87A6EDA78740F17606"
K_ENC, K_MAC = "68406B4162100563D9C901A6154D2901", "73FF268784F72AF833FDC9464049AFC9"
PLAIN, ENCRYPTED = "830D44454356434141543030303031", "be90237eeb4ba0ff253ea246ae31c8b8"
STATUS, STATUS_MAC = "99029000", "A89570A68664A7D6"


def test_the_keys_of_aes_are_those_of_the_example() -> None:
    suite = CipherSuite.AES_128
    assert suite.derive_key(bytes.fromhex(K), ENCRYPTION).hex().upper() == K_ENC
    assert suite.derive_key(bytes.fromhex(K), AUTHENTICATION).hex().upper() == K_MAC


def test_the_first_command_and_answer_under_aes_are_those_of_the_example() -> None:
    session = SessionKeys(bytes.fromhex(K_ENC), bytes.fromhex(K_MAC), 0, CipherSuite.AES_128)
    protected = session.protect(Command(0x00, 0x22, 0x81, 0xB6, bytes.fromhex(PLAIN)))
    assert protected.data[:19].hex() == "871101" + ENCRYPTED
    answer = session.open(Response(bytes.fromhex(STATUS + "8E08" + STATUS_MAC), 0x9000))
    assert answer == Response(b"", 0x9000)


@pytest.mark.parametrize(
    ("suite", "length", "block"),
    [
        (CipherSuite.TDES, 16, 8),
        (CipherSuite.AES_128, 16, 16),
        (CipherSuite.AES_192, 24, 16),
        (CipherSuite.AES_256, 32, 16),
    ],
)
def test_keys_and_counters_have_their_ciphers_length(suite: CipherSuite, length: int, block: int) -> None:
    assert len(suite.derive_key(bytes(32), ENCRYPTION)) == suite.key_length == length
    assert suite.block == block
    session = SessionKeys(bytes(length), bytes(length), 0, suite)
    protected = session.protect(Command(0x00, 0xA4, 0x02, 0x0C, b"\x01\x1e"))
    assert protected.data[:2] == bytes((0x87, block + 1))
    assert session.send_sequence_counter == 1


@pytest.mark.parametrize("suite", list(CipherSuite))
def test_every_bit_of_an_answer_is_covered_under_any_cipher(suite: CipherSuite) -> None:
    chip = SessionKeys(bytes(suite.key_length), b"\x01" * suite.key_length, 1, suite)
    body = bytes.fromhex("99029000")
    counter = (2).to_bytes(suite.block, "big")
    answer = body + b"\x8e\x08" + suite.mac(chip.authentication, suite.pad(counter + body))
    session = SessionKeys(chip.encryption, chip.authentication, 1, suite)
    assert session.open(Response(answer, 0x9000)) == Response(b"", 0x9000)
    for bit in range(len(answer) * 8):
        forged = (int.from_bytes(answer, "big") ^ 1 << bit).to_bytes(len(answer), "big")
        with pytest.raises(TamperedAnswerError):
            SessionKeys(chip.encryption, chip.authentication, 1, suite).open(Response(forged, 0x9000))


def test_a_bare_header_is_padded_once() -> None:
    """ISO/IEC 7816-4 §10.2.3.1: no data objects, so no second padding block."""
    suite = CipherSuite.AES_128
    session = SessionKeys(bytes(16), b"\x01" * 16, 0, suite)
    covered = (1).to_bytes(16, "big") + bytes.fromhex("0C440000") + b"\x80" + bytes(11)
    assert session.protect(Command(0x00, 0x44, 0x00, 0x00)).data[2:] == suite.mac(b"\x01" * 16, covered)
