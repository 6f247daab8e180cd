from pathlib import Path

import pytest

from hardware_drivers.errors import (
    AccessDeniedError,
    CardError,
    CardMuteError,
    MalformedFileError,
    RecordingDiffersError,
)
from hardware_drivers.recording import FORMAT, Recorder, Replayer, error_named, masked_answer, masked_command
from hardware_drivers.smartcard.apdu import Command
from tests.hardware_drivers.cards import DirectLink, link_to, make_card, make_chip

SELECT = bytes.fromhex("00A4040C07A0000002471001")
CHALLENGE = bytes.fromhex("0084000008")


def record(link: DirectLink, tmp_path: Path, *batches: list[bytes]) -> Path:
    path = tmp_path / "recording.jsonl"
    with path.open("w", encoding="ascii") as out:
        recorder = Recorder(link, out, "Kiosk A 00 00")
        for batch in batches:
            recorder.transmit_many(batch)
        recorder.close()
    return path


def test_what_was_recorded_answers_again(tmp_path: Path) -> None:
    path = record(link_to(make_chip(make_card())), tmp_path, [SELECT], [CHALLENGE])
    replayer = Replayer.load(path)
    assert replayer.atr == make_chip(make_card()).atr
    assert replayer.transmit_many([SELECT]) == [b"\x90\x00"]
    (challenge,) = replayer.transmit_many([CHALLENGE])
    assert len(challenge) == 10
    with pytest.raises(RecordingDiffersError):
        replayer.transmit_many([CHALLENGE])


def test_nothing_of_the_card_is_written(tmp_path: Path) -> None:
    secret = bytes(range(100, 130))
    link = DirectLink(lambda _: secret + b"\x90\x00", b"\x3b\x80")
    text = record(link, tmp_path, [Command(0x0C, 0xB0, 0x81, 0, secret, ne=256).encode()]).read_text()
    assert FORMAT in text
    assert secret[:4].hex() not in text
    assert "a5" * len(secret) + "9000" in text


def test_a_recorded_error_comes_again_and_ends_the_session(tmp_path: Path) -> None:
    def mute(_: bytes) -> bytes:
        raise CardMuteError("silent")

    path = tmp_path / "recording.jsonl"
    with path.open("w", encoding="ascii") as out, pytest.raises(CardMuteError):
        Recorder(DirectLink(mute, b"\x3b\x80"), out).transmit_many([SELECT])
    replayer = Replayer.load(path)
    with pytest.raises(CardMuteError):
        replayer.transmit_many([SELECT])
    with pytest.raises(CardError):
        replayer.transmit_many([SELECT])


def test_another_command_is_not_answered(tmp_path: Path) -> None:
    replayer = Replayer.load(record(link_to(make_chip(make_card())), tmp_path, [SELECT]))
    with pytest.raises(RecordingDiffersError):
        replayer.transmit_many([CHALLENGE])


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"format":"other"}', f'{{"format":"{FORMAT}","atr":"3b80"}}\n{{"c":"zz"}}']
)
def test_what_is_no_recording_is_said_to_be_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "no.jsonl").write_text(text)
    with pytest.raises(MalformedFileError):
        Replayer.load(tmp_path / "no.jsonl")


def test_masks_keep_lengths_headers_and_status() -> None:
    raw = Command(0, 0x82, 0, 0, bytes(40), ne=40).encode()
    assert masked_command(raw)[:5] == raw[:5]
    assert masked_command(raw)[5:45] == b"\xa5" * 40
    assert masked_command(raw)[45:] == raw[45:]
    long = Command(0x0C, 0xB0, 0, 0, bytes(300), ne=65_536).encode()
    assert len(masked_command(long)) == len(long)
    assert masked_command(long)[:7] == long[:7]
    assert masked_command(b"\x00\x01") == b"\xa5\xa5"
    assert masked_command(SELECT) == SELECT
    assert masked_answer(b"abc\x90\x00") == b"\xa5\xa5\xa5\x90\x00"


def test_errors_are_found_by_name_and_others_become_the_family() -> None:
    assert error_named("CardMuteError") is CardMuteError
    assert error_named("StatusError")("x").args == ("x",)
    assert isinstance(error_named("SomethingElse")("x"), Exception)
    assert AccessDeniedError("x").args == ("x",)
