"""Oracle: the worked example of Doc 9303-11 appendix D.2 and D.3."""

from datetime import date

import pytest

from hardware_drivers.errors import AccessDeniedError, StatusError, TamperedAnswerError
from hardware_drivers.id_chip.bac import access_keys, open_by_bac
from hardware_drivers.id_chip.mrz import MrzKey
from hardware_drivers.smartcard.channel import PlainChannel
from tests.hardware_drivers.cards import DirectLink, make_card, make_chip

KEY = MrzKey("L898902C", date(1969, 8, 6), date(1994, 6, 23))
RND_IC, RND_IFD = "4608F91988702212", "781723860C06C226"
K_IFD = "0B795240CB7049B01C19B33E32804F0B"
COMMAND = "008200002872C29C2371CC9BDB65B779B8E8D37B29ECC154AA56A8799FAE2F498F76ED92F25F1448EEA8AD90A728"
ANSWER = "46B9342A41396CD7386BF5803104D7CEDC122B9132139BAF2EEDC94EE178534F2F2D235D074D7449"


def worked_example(answer: str) -> tuple[DirectLink, list[bytes]]:
    nonces = [bytes.fromhex(RND_IFD), bytes.fromhex(K_IFD)]
    answers = [bytes.fromhex(RND_IC + "9000"), bytes.fromhex(answer)]
    return DirectLink(lambda _: answers.pop(0), b""), nonces


def test_the_access_keys_are_those_of_the_example() -> None:
    keys = access_keys(KEY)
    assert keys.encryption.hex().upper() == "AB94FDECF2674FDFB9B391F85D7F76F2"
    assert keys.authentication.hex().upper() == "7962D9ECE03D1ACD4C76089DCE131543"


def test_the_exchange_and_session_keys_are_those_of_the_example() -> None:
    link, nonces = worked_example(ANSWER + "9000")
    secure = open_by_bac(PlainChannel(link), KEY, lambda _: nonces.pop(0))
    assert [command.hex().upper() for command in link.commands] == ["0084000008", COMMAND]
    assert secure.keys.encryption.hex().upper() == "979EC13B1CBFE9DCD01AB0FED307EAE5"
    assert secure.keys.authentication.hex().upper() == "F1CB1F1FB5ADF208806B89DC579DC1F8"
    assert f"{secure.keys.send_sequence_counter:016X}" == "887022120C06C226"


@pytest.mark.parametrize("bit", [0, 100, 255, 256, 319])
def test_one_wrong_bit_in_the_chips_half_is_noticed(bit: int) -> None:
    forged = (int(ANSWER, 16) ^ 1 << bit).to_bytes(40, "big").hex()
    link, nonces = worked_example(forged + "9000")
    with pytest.raises(TamperedAnswerError):
        open_by_bac(PlainChannel(link), KEY, lambda _: nonces.pop(0))


@pytest.mark.parametrize("sw", ["6300", "6982", "63C1"])
def test_a_refused_key_is_access_denied(sw: str) -> None:
    link, nonces = worked_example(sw)
    with pytest.raises(AccessDeniedError):
        open_by_bac(PlainChannel(link), KEY, lambda _: nonces.pop(0))


@pytest.mark.parametrize("answer", ["", ANSWER[:-2], ANSWER + "00"])
def test_a_half_of_another_size_is_noticed(answer: str) -> None:
    link, nonces = worked_example(answer + "9000")
    with pytest.raises(TamperedAnswerError):
        open_by_bac(PlainChannel(link), KEY, lambda _: nonces.pop(0))


def test_the_simulated_chip_answers_the_example_as_the_standards_chip_does() -> None:
    card = make_card()
    nonces = [bytes.fromhex(RND_IC), bytes.fromhex("0B4F80323EB3191CB04970CB4052790B")]
    chip = make_chip(card)
    chip._access, chip._rng = access_keys(KEY), lambda _: nonces.pop(0)
    chip.answer(bytes.fromhex("00A4040C07A0000002471001"))
    assert chip.answer(bytes.fromhex("0084000008")).hex().upper() == RND_IC + "9000"
    assert chip.answer(bytes.fromhex(COMMAND)).hex().upper() == ANSWER + "9000"


def test_a_chip_that_gives_no_challenge_is_a_status() -> None:
    link = DirectLink(lambda _: bytes.fromhex("6985"), b"")
    with pytest.raises(StatusError) as refused:
        open_by_bac(PlainChannel(link), KEY, bytes)
    assert refused.value.sw == 0x6985
