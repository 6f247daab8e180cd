import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from counter_server import card_words
from counter_server.__main__ import main
from counter_server.card_table import cells, columns
from counter_server.card_words import check_words
from hardware_drivers import errors
from hardware_drivers.id_chip.card_protection import (
    ActiveAuthenticationKind,
    ChipAuthenticationKind,
    PaceKind,
    Protection,
)
from hardware_drivers.id_chip.checks import CheckName, Code, Outcome
from hardware_drivers.id_chip.personalise import NO_PROTECTION, Defect
from hardware_drivers.smartcard.cable import CableReaders
from tests.hardware_drivers.cards import NOW, make_card, make_chip, make_issuer
from tests.hardware_drivers.pcscd_rig import REPOSITORY, PrivatePcscd, ThreadCard, why_not
from webrtc.wire.message import Language

AT = NOW.isoformat()
ZONE = ("--number", "VC1234567", "--birth", "1990-05-17", "--expiry", "2031-01-01")


PROTECTED = Protection(
    pace=PaceKind.GENERIC, chip=ChipAuthenticationKind.ECDH_AES128, active=ActiveAuthenticationKind.ECDSA
)


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    """A folder that believes the state which `make_card` asks."""
    folder = tmp_path / "trust"
    folder.mkdir()
    (folder / "csca.der").write_bytes(make_issuer().csca_der)
    return folder


def free_port() -> int:
    reader = CableReaders()
    reader.start()
    reader.stop()
    return reader.port


@contextlib.contextmanager
def card_joining(port: int, card: Path) -> Iterator[None]:
    """The simulated card, which comes to the reader as soon as the command listens."""
    command = [sys.executable, "-m", "hardware_drivers.smartcard.simulated", "--port", str(port), "--card", str(card)]
    process = subprocess.Popen(command, cwd=REPOSITORY)
    try:
        yield
    finally:
        process.terminate()
        process.wait(5)


def run(*arguments: str | Path) -> int:
    return main(["card", *map(str, arguments)])


def read_card(
    tmp_path: Path,
    trust: Path,
    *more: str | Path,
    defects: Sequence[Defect] = (),
    protection: Protection = NO_PROTECTION,
) -> int:
    make_card(make_issuer(), defects=defects, protection=protection).save(tmp_path / "card.json")
    port = free_port()
    with card_joining(port, tmp_path / "card.json"):
        return run("read", "--cable", str(port), "--trust", trust, "--at", AT, *more)


def test_a_document_is_read_and_judged_in_plain_words(
    tmp_path: Path, trust: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    portrait, recording = tmp_path / "face.jpg", tmp_path / "cable.jsonl"
    assert read_card(tmp_path, trust, *ZONE, "--language", "en", "--portrait", portrait, "--record", recording) == 0
    shown = capsys.readouterr()
    assert "ZHANG WEI" in shown.out
    assert "✓ yes" in shown.out
    assert "Result: " in shown.out
    assert "Put the document on the reader" in shown.err
    assert "Reading the portrait" in shown.err
    assert portrait.read_bytes().startswith(b"\xff\xd8\xff")
    assert portrait.stat().st_mode & 0o077 == 0
    assert "a0000002471001" in recording.read_text()


@pytest.mark.pcsc
def test_a_document_on_a_real_reader_is_read(tmp_path: Path, trust: Path) -> None:
    lacking = why_not()
    if lacking is not None:
        pytest.skip(lacking)
    card = make_card(make_issuer(), protection=PROTECTED)
    with PrivatePcscd() as daemon, ThreadCard(daemon.ports[0], make_chip(card)):
        command = [sys.executable, "-m", "counter_server", "card", "read", "--reader", "Kiosk A", "--can", "123456"]
        done = subprocess.run(
            [*command, "--trust", str(trust), "--at", AT, "--json", "-"],
            cwd=REPOSITORY,
            env=os.environ | {"PCSCLITE_CSOCK_NAME": str(daemon.socket)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["verdict"], document["access"], document["reader"]) == ("genuine", "PACE", "Kiosk A 00 00")


def test_what_was_not_given_is_asked_for(
    tmp_path: Path, trust: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("vc1234567\n1990-05-17\n2031-01-01\n"))
    assert read_card(tmp_path, trust) == 0
    shown = capsys.readouterr()
    assert "证件号码" in shown.err
    assert "结论" in shown.out


def test_a_changed_portrait_is_refused_by_name(tmp_path: Path, trust: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert read_card(tmp_path, trust, *ZONE, "--json", "-", defects=[Defect.TAMPERED_DG2]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["verdict"] == "refused"
    assert document["refused_by"] == ["dg_hash_2"]
    assert document["holder"]["document_number"] == "VC1234567"
    assert {"machine", "versions", "at"} <= document.keys()


def test_the_six_digits_on_the_front_open_a_chip_that_proves_itself(
    tmp_path: Path, trust: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("123456\n"))
    evidence = tmp_path / "evidence.json"
    assert read_card(tmp_path, trust, "--json", "-", "--evidence", evidence, protection=PROTECTED) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["verdict"], document["access"]) == ("genuine", "PACE")
    later = ("verify", evidence, "--trust", trust, "--at", AT, "--json", "-", "--challenge")
    assert run(*later, document["challenge"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "genuine"
    assert run(*later, "00" * 8) == 1
    assert json.loads(capsys.readouterr().out)["refused_by"] == ["clone_protection"]


def test_a_copy_is_refused_in_plain_words(tmp_path: Path, trust: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert read_card(tmp_path, trust, *ZONE, defects=[Defect.COPIED], protection=PROTECTED) == 1
    shown = capsys.readouterr().out
    assert "可能是复制品" in shown
    assert "不可采信" in shown


def test_the_wrong_number_says_what_to_check(tmp_path: Path, trust: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = ("--number", "VC1234568", *ZONE[2:])
    assert read_card(tmp_path, trust, *wrong, "--language", "en") == 2
    assert "check the number and the dates" in capsys.readouterr().err


def test_no_document_in_time_says_so(trust: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("read", "--cable", "0", "--trust", trust, *ZONE, "--wait", "0.1") == 2
    assert "没有放上证件" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("--can", "12345"), ("--can", "12345a")])
def test_a_can_has_six_digits(arguments: tuple[str, ...], trust: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("read", "--cable", "0", "--trust", trust, *arguments) == 2
    assert "6 digits" in capsys.readouterr().err


def test_evidence_is_judged_again_elsewhere(tmp_path: Path, trust: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evidence = tmp_path / "evidence.json"
    assert read_card(tmp_path, trust, *ZONE, "--evidence", evidence) == 0
    capsys.readouterr()
    assert run("verify", evidence, "--trust", trust, "--at", AT, "--json", "-") == 0
    assert json.loads(capsys.readouterr().out)["refused_by"] == []
    (tmp_path / "nobody").mkdir()
    assert run("verify", evidence, "--trust", tmp_path / "nobody", "--at", AT, "--json", "-") == 1
    assert "signer_certificate_chain" in json.loads(capsys.readouterr().out)["refused_by"]


def test_evidence_that_is_none_is_said_to_be_none(tmp_path: Path, trust: Path) -> None:
    (tmp_path / "no.json").write_text("[]")
    assert run("verify", tmp_path / "no.json", "--trust", trust) == 2
    assert run("verify", tmp_path / "nowhere.json", "--trust", trust) == 2
    assert run("verify", tmp_path / "no.json", "--trust", tmp_path / "nowhere") == 2


def test_files_are_judged_without_a_chip(tmp_path: Path, trust: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = make_card(make_issuer()).files
    for fid in (0x011D, 0x0101, 0x0102):
        (tmp_path / f"{fid:04X}").write_bytes(files[fid])
    groups = ("--dg", f"1={tmp_path / '0101'}", "--dg", f"2={tmp_path / '0102'}")
    assert run("sod", tmp_path / "011D", *groups, "--trust", trust, "--at", AT, "--json", "-") == 0
    document = json.loads(capsys.readouterr().out)
    assert {check["name"] for check in document["checks"]} >= {"sod_signature", "dg_hash_1", "dg_hash_2"}
    (tmp_path / "0102").write_bytes(files[0x0102] + b"\x00")
    assert run("sod", tmp_path / "011D", *groups, "--trust", trust, "--at", AT, "--json", "-") == 1
    assert json.loads(capsys.readouterr().out)["refused_by"] == ["dg_hash_2"]


@pytest.mark.parametrize("named", ["2", "0=x", "17=x", "a=x", "1="])
def test_a_data_group_is_named_by_number_and_file(named: str, tmp_path: Path, trust: Path) -> None:
    (tmp_path / "sod").write_bytes(b"")
    assert run("sod", tmp_path / "sod", "--dg", named, "--trust", trust) == 2


def test_a_short_campaign_prints_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("fuzz", "--answers", "50", "--seed", "3", "--json", "-") == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["answers"] >= 50
    assert (figures["crashes"], figures["hangs"], figures["false_genuine"]) == (0, 0, 0)
    assert 10 < figures["peak_mb"] <= 64


@pytest.mark.parametrize("name", CheckName)
def test_every_check_has_words_in_both_languages(name: CheckName) -> None:
    for language in Language:
        words = check_words(name, language)
        assert words
        assert words != name.value


def test_every_reason_and_failure_has_words() -> None:
    assert {code.value for code in Code} <= card_words.REASONS.keys()
    assert set(card_words.OUTCOMES) == set(Outcome)
    family = [errors.DeviceError]
    for kind in family:
        family += kind.__subclasses__()
    # what SAM_V readers add is told by their own program, whichever tests have loaded it before this one
    ours = [kind for kind in family if kind.__module__ == errors.__name__]
    fingers = {kind.__name__ for kind in ours if "Scanner" in kind.__name__ or issubclass(kind, errors.FingerError)}
    told = {kind.__name__ for kind in ours} - {"DeviceError", "CardError", "BlockTooLargeError"} - fingers
    assert told <= card_words.FAILURES.keys()


def test_columns_stand_under_each_other_in_chinese() -> None:
    assert cells("证件") == 4
    assert columns([("证件", "x"), ("ab", "y")]) == ["证件   x", "ab     y"]
