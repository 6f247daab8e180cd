from collections.abc import Sequence

import pytest

from hardware_drivers.errors import TamperedAnswerError
from hardware_drivers.smartcard.apdu import Command, Response
from hardware_drivers.smartcard.channel import SHORT_LIMITS, PlainChannel
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


def test_long_data_go_in_a_chain_where_only_short_length_passes() -> None:
    link = DirectLink(lambda _: b"\x90\x00", b"", limits=SHORT_LIMITS)
    long = Command(0x0C, 0x22, 0x41, 0xA6, bytes(range(256)) * 2, ne=65_536)
    assert PlainChannel(link).transmit_many([READ, long, READ]) == [Response(b"", 0x9000)] * 3
    parts = [Command.parse(raw) for raw in link.commands[1:-1]]
    assert [part.cla for part in parts] == [0x1C, 0x1C, 0x0C]
    assert b"".join(part.data for part in parts) == long.data
    assert [part.ne for part in parts] == [0, 0, 256]
    assert link.commands[-1] == READ.encode()


def test_a_chain_ends_where_the_card_refuses_a_part() -> None:
    link = scripted("9000", "6A80")
    link.limits = SHORT_LIMITS
    assert PlainChannel(link).transmit(Command(0, 0x22, 0, 0, bytes(600))).sw == 0x6A80
    assert len(link.commands) == 2


def test_data_that_fit_an_extended_command_go_in_one() -> None:
    link = scripted("9000")
    PlainChannel(link).transmit(Command(0, 0x22, 0, 0, bytes(600)))
    assert len(link.commands) == 1


def test_a_batch_is_one_journey_and_goes_on_behind_an_announcement() -> None:
    link = scripted("019000", "0261 01".replace(" ", ""), "039000", "049000")
    answers = PlainChannel(link).transmit_many([READ] * 3)
    assert [answer.data for answer in answers] == [b"\x01", b"\x02\x03", b"\x04"]
    assert link.journeys == 3


def test_a_batch_stops_at_the_first_refusal_even_if_the_link_does_not() -> None:
    link = scripted("9000", "6982", "9000")
    assert [answer.sw for answer in PlainChannel(link).transmit_many([READ] * 3)] == [0x9000, 0x6982]


@pytest.mark.parametrize("count", [0, 3])
def test_another_number_of_answers_is_none(count: int) -> None:
    class Miscounting(DirectLink):
        def transmit_many(self, commands: Sequence[bytes]) -> list[bytes]:
            return [b"\x90\x00"] * count

    with pytest.raises(TamperedAnswerError):
        PlainChannel(Miscounting(lambda _: b"", b"")).transmit_many([READ] * 2)
