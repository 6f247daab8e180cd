import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_drivers.errors import TamperedAnswerError
from hardware_drivers.smartcard.apdu import BadCommandError, Command, Response


@pytest.mark.parametrize(
    ("command", "encoded"),
    [
        # the six shapes of ISO/IEC 7816-4:2020 §5.2; the values are those of Doc 9303-11 appendix D where it has them
        (Command(0x00, 0xA4, 0x04, 0x0C), "00A4040C"),
        (Command(0x00, 0x84, 0x00, 0x00, ne=8), "0084000008"),
        (Command(0x00, 0xB0, 0x00, 0x00, ne=256), "00B0000000"),
        (Command(0x00, 0xA4, 0x02, 0x0C, bytes.fromhex("011E")), "00A4020C02011E"),
        (Command(0x00, 0x86, 0x00, 0x00, b"\x01", 256), "00860000010100"),
        (Command(0x00, 0xB0, 0x00, 0x00, ne=2048), "00B00000000800"),
        (Command(0x00, 0xB0, 0x00, 0x00, ne=65536), "00B00000000000"),
        (Command(0x00, 0xB0, 0x00, 0x00, b"\x01", 2048), "00B00000000001010800"),
        (Command(0x00, 0xD6, 0x00, 0x00, bytes(256)), "00D60000000100" + "00" * 256),
    ],
)
def test_commands_are_encoded_as_the_standard_draws_them(command: Command, encoded: str) -> None:
    assert command.encode().hex().upper() == encoded
    assert Command.parse(bytes.fromhex(encoded)) == command


@pytest.mark.parametrize("raw", ["", "00A404", "00A4040C0511", "00A4040C021122334455", "00B000000000"])
def test_what_is_no_command_is_refused(raw: str) -> None:
    with pytest.raises(BadCommandError):
        Command.parse(bytes.fromhex(raw))


@given(st.binary(max_size=600))
def test_parsing_any_bytes_ends_in_a_command_or_a_refusal(raw: bytes) -> None:
    try:
        command = Command.parse(raw)
    except BadCommandError:
        return
    assert Command.parse(command.encode()) == command


@pytest.mark.parametrize("raw", [b"", b"\x90"])
def test_an_answer_without_status_word_is_refused(raw: bytes) -> None:
    with pytest.raises(TamperedAnswerError):
        Response.parse(raw)
