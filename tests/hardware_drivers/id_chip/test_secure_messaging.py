"""Oracle: the worked example of Doc 9303-11 appendix D.4."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_drivers.errors import StatusError, TamperedAnswerError
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
