import pytest

from hardware_drivers.errors import TamperedAnswerError
from hardware_drivers.smartcard.apdu import Command, Response
from hardware_drivers.smartcard.channel import PlainChannel
from tests.hardware_drivers.cards import DirectLink

READ = Command(0x00, 0xB0, 0x00, 0x00, ne=256)


def scripted(*answers: str) -> DirectLink:
    waiting = [bytes.fromhex(answer) for answer in answers]
    return DirectLink(lambda _: waiting.pop(0), b"")


def test_61xx_is_fetched_until_all_is_there() -> None:
    link = scripted("01026102", "03046101", "059000")
    assert PlainChannel(link).transmit(READ) == Response(bytes(range(1, 6)), 0x9000)
    assert [command.hex() for command in link.commands[1:]] == ["00c0000002", "00c0000001"]


def test_6cxx_repeats_once_with_the_length_the_card_wants() -> None:
    link = scripted("6C04", "010203049000")
    assert PlainChannel(link).transmit(READ).data == bytes((1, 2, 3, 4))
    assert link.commands[1].hex() == "00b0000004"


def test_6cxx_for_ever_is_handed_up_after_one_repetition() -> None:
    link = DirectLink(lambda _: bytes.fromhex("6C04"), b"")
    assert PlainChannel(link).transmit(READ).sw == 0x6C04
    assert len(link.commands) == 2


@pytest.mark.parametrize("answer", ["6110", "01026110"])
def test_61xx_for_ever_is_cut_off(answer: str) -> None:
    link = DirectLink(lambda _: bytes.fromhex(answer), b"")
    with pytest.raises(TamperedAnswerError):
        PlainChannel(link).transmit(READ)
    assert len(link.commands) < 400
