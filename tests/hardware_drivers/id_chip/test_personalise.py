import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.card_file import PersonalisedCard
from hardware_drivers.id_chip.card_protection import (
    ActiveAuthenticationKind,
    ChipAuthenticationKind,
    PaceKind,
    Protection,
)
from hardware_drivers.id_chip.inspection_issuer import InspectionIssuer
from hardware_drivers.id_chip.issuer import KeyKind, TestIssuer
from hardware_drivers.id_chip.lds import parse_dg1
from hardware_drivers.id_chip.personalise import portrait_for_chip
from hardware_drivers.id_chip.portrait import look_at
from hardware_drivers.id_chip.sod import parse_sod
from hardware_drivers.id_chip.trust import TrustStore
from hardware_drivers.id_chip.verify import verify_evidence
from tests.hardware_drivers.cards import NOW, drawn_portrait, evidence_of, make_card, make_issuer, seeded
from tests.hardware_drivers.pcscd_rig import REPOSITORY


@pytest.mark.skipif(shutil.which("openssl") is None, reason="wants openssl as the other implementation")
@pytest.mark.parametrize("kind", list(KeyKind))
def test_openssl_verifies_the_security_object(kind: KeyKind, tmp_path: Path) -> None:
    issuer = make_issuer(kind)
    card = make_card(issuer)
    (tmp_path / "sod").write_bytes(tlv.only(card.files[0x011D], 0x77))
    (tmp_path / "csca").write_bytes(issuer.csca_der)
    run = ["openssl", "x509", "-inform", "DER", "-in", str(tmp_path / "csca"), "-out", str(tmp_path / "csca.pem")]
    subprocess.run(run, check=True)
    run = ["openssl", "cms", "-verify", "-inform", "DER", "-in", str(tmp_path / "sod"), "-purpose", "any"]
    run += ["-attime", str(int(NOW.timestamp())), "-CAfile", str(tmp_path / "csca.pem"), "-out", str(tmp_path / "out")]
    subprocess.run(run, check=True, capture_output=True)
    assert (tmp_path / "out").read_bytes() == parse_sod(card.files[0x011D]).content


EVERYTHING = Protection(
    pace=PaceKind.CHIP_AUTHENTICATION,
    chip=ChipAuthenticationKind.DH_AES128,
    active=ActiveAuthenticationKind.RSA_SHA256,
    inspection_authority=InspectionIssuer.create(seeded(2), NOW).authority,
)


@pytest.mark.parametrize("protection", [Protection(), EVERYTHING], ids=["plain", "everything"])
def test_a_card_file_comes_back_as_it_was(tmp_path: Path, protection: Protection) -> None:
    card = make_card(protection=protection)
    card.save(tmp_path / "card.json")
    assert PersonalisedCard.load(tmp_path / "card.json") == card


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"files": 3}', '{"files": {"xx": ""}, "mrz": []}'])
def test_a_card_file_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "card.json").write_text(content)
    with pytest.raises(MalformedFileError):
        PersonalisedCard.load(tmp_path / "card.json")


def test_an_issuer_kept_is_the_same_issuer(tmp_path: Path) -> None:
    issuer = make_issuer()
    issuer.save(tmp_path / "issuer.json")
    assert (tmp_path / "issuer.json").stat().st_mode & 0o077 == 0
    again = TestIssuer.load(tmp_path / "issuer.json")
    trust = TrustStore.of([issuer.csca_der])
    assert verify_evidence(evidence_of(make_card(again)), trust, NOW).refusals() == ()


def test_a_photograph_is_made_to_fit_a_chip() -> None:
    portrait = look_at(portrait_for_chip(drawn_portrait(900)))
    assert (portrait.width_px, portrait.height_px) == (480, 480)
    with pytest.raises(MalformedFileError):
        portrait_for_chip(b"no picture")


def test_the_command_makes_cards_of_one_state_and_says_what_to_type(tmp_path: Path) -> None:
    (tmp_path / "face.jpg").write_bytes(drawn_portrait())
    command = [sys.executable, "-m", "hardware_drivers.id_chip.personalise", "--portrait", str(tmp_path / "face.jpg")]
    command += ["--name", "ZHANG<<WEI", "--issuer", str(tmp_path / "issuer.json")]
    command += ["--csca-out", str(tmp_path / "csca.der"), "--out"]
    made = {}
    for name, options in {"good": [], "expired": ["--expired"], "foreign": ["--foreign-issuer"]}.items():
        path = tmp_path / f"{name}.json"
        said = subprocess.run(
            [*command, str(path), *options], cwd=REPOSITORY, capture_output=True, text=True, check=True
        )
        made[name] = PersonalisedCard.load(path)
        assert said.stdout.split() == list(made[name].mrz_lines)
        assert parse_dg1(made[name].files[0x0101]).document_number == made[name].key.document_number
    trust = TrustStore.load(tmp_path)
    at = TestIssuer.load(tmp_path / "issuer.json").made_at
    refused = {
        name: [check.code.value for check in verify_evidence(evidence_of(card), trust, at).refusals()]
        for name, card in made.items()
    }
    assert refused == {"good": [], "expired": ["expired"], "foreign": ["unknown_issuer"]}


def test_the_command_says_what_it_cannot_use(tmp_path: Path) -> None:
    (tmp_path / "face.jpg").write_text("no picture")
    command = [sys.executable, "-m", "hardware_drivers.id_chip.personalise", "--portrait", str(tmp_path / "face.jpg")]
    command += ["--name", "ZHANG<<WEI", "--out", str(tmp_path / "card.json")]
    said = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (2, "no card made: portrait: no picture\n")
