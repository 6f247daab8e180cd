"""The command a newcomer types."""

import json
import sys
from pathlib import Path

import pytest

from hardware_drivers import errors
from hardware_drivers.samv import __main__ as command
from hardware_drivers.samv.emulator import Fault, SamvEmulator
from hardware_drivers.samv.errors import PluginError, PluginFault, ReaderRefusedError
from hardware_drivers.samv.people import generated_card
from hardware_drivers.samv.present import CHECKS, KINDS, OUTCOMES, WHY_IN_CHINESE, Language, trouble
from hardware_drivers.samv.status import SENTENCES, Status
from hardware_drivers.samv.text import CardKind
from hardware_drivers.samv.verify import CheckName, Code

Output = pytest.CaptureFixture[str]


@pytest.mark.parametrize("kind", CardKind)
def test_an_emulated_card_shows_person_and_checks(kind: CardKind, capsys: Output) -> None:
    assert command.main(["--emulate", kind.name.lower(), "--fingerprints"]) == 0
    shown = capsys.readouterr()
    assert KINDS[kind].en in shown.out
    for sentence in CHECKS.values():
        assert sentence.en in shown.out
    assert "FAILED" not in shown.out
    assert "rests on the reader's security module" in shown.out
    assert "emulated reader, card of nobody" in shown.err


def test_chinese_is_chinese(capsys: Output) -> None:
    assert command.main(["--emulate", "--language", "zh"]) == 0
    shown = capsys.readouterr().out
    assert "居民身份证" in shown
    assert "无法判断" in shown
    assert "not possible" not in shown


def test_json_holds_every_check(capsys: Output) -> None:
    assert command.main(["--emulate", "--json", "-"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [check["name"] for check in said["checks"]] == list(CheckName)
    assert said["person"]["kind"] == "citizen"
    assert said["module"] == "05.03-20180101-0000012345-0123456789"
    authenticity = said["checks"][-1]
    assert (authenticity["outcome"], authenticity["code"]) == ("not_possible", "rests_on_reader")


def test_a_device_path_reads_like_a_real_line(tmp_path: Path, capsys: Output) -> None:
    with SamvEmulator(generated_card(CardKind.CITIZEN, 5)) as emulator:
        code = command.main(["--device", str(emulator.path), "--json", str(tmp_path / "read.json")])
    assert code == 0
    assert json.loads((tmp_path / "read.json").read_text(encoding="utf-8"))["person"]["long_term"] is False
    assert "Document" in capsys.readouterr().out


def test_a_failed_check_shows_in_table_and_exit_code(capsys: Output) -> None:
    assert command.main(["--emulate", "--enrolled", "00" * 16]) == 1
    assert "FAILED" in capsys.readouterr().out


def test_an_operators_program_gives_the_portrait(tmp_path: Path, capsys: Output) -> None:
    script = tmp_path / "decoder.py"
    script.write_text(
        "import sys,struct\n"
        "sys.stdin.buffer.read(5+1024)\n"
        "p=struct.pack('>HH',102,126)+bytes(102*126*3)\n"
        "sys.stdout.buffer.write(b'R'+struct.pack('>I',len(p))+p)\n"
    )
    assert command.main(["--emulate", "--maker-program", f"{sys.executable} {script}"]) == 0
    assert "decoded by the maker's library, 102 x 126 pixels" in capsys.readouterr().out
    assert command.main(["--emulate", "--maker-library", str(tmp_path / "missing.so")]) == 0
    assert "gave no picture: crashed" in capsys.readouterr().out


def test_no_reader_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    monkeypatch.setattr(command, "READER_WAIT_S", 0.0)
    assert command.main(["--device", "/dev/null"]) == 2
    assert capsys.readouterr().err == "No card reader can be used (this device is not a serial line)\n"


def test_a_status_is_said_as_its_sentence(capsys: Output) -> None:
    with SamvEmulator(generated_card(CardKind.CITIZEN, 5)) as emulator:
        emulator.fail_next(Fault.STATUS, times=9, status=Status.NOT_AUTHORISED)
        assert command.main(["--device", str(emulator.path), "--language", "zh"]) == 2
    assert SENTENCES[Status.NOT_AUTHORISED].zh in capsys.readouterr().err


@pytest.mark.parametrize("language", Language)
def test_every_trouble_has_words(language: Language) -> None:
    troubles = [
        errors.NoReaderError("why"),
        errors.ReaderBusyError("why"),
        errors.DeviceGoneError("why"),
        errors.DeviceTimeoutError("why"),
        errors.NoCardError("why"),
        errors.CardRemovedError("why"),
        errors.TamperedAnswerError("why"),
        PluginError(PluginFault.CRASHED),
        ReaderRefusedError(Status.SELF_TEST_FAILED, "something"),
    ]
    said = [trouble(error, language) for error in troubles]
    assert len(set(said)) == len(troubles)
    assert all(len(words) > len("why") + 3 for words in said)


def test_every_name_has_words_in_both_languages() -> None:
    assert set(CHECKS) == set(CheckName)
    assert set(WHY_IN_CHINESE) == set(Code)
    assert len(OUTCOMES) == 3
