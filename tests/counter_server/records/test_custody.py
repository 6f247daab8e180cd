"""`counter record erase-customer | keep | rotate | hold | escrow | release`, as an operator types them."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from counter_server.db import Database
from counter_server.records import slots
from counter_server.records.agefile import AgeIdentity
from counter_server.records.errors import WrongKeyError
from counter_server.records.keeping import DEFAULT_KEEPING, keep_until
from counter_server.records.keys import read_keyring
from counter_server.records.masters import FileMasterKeys
from counter_server.records.openings import read_openings
from counter_server.records.seal import SealedRecord
from counter_server.records.service import insert_record
from counter_server.records.verify import verify_record
from tests.counter_server.records import builders
from tests.counter_server.records.builders import NOW, Safe
from tests.counter_server.records.test_commands import counter

CUSTOMER = "C-anna"
UNUSABLE = 2


@pytest.fixture
def safe(tmp_path: Path) -> Safe:
    return builders.build_safe(tmp_path / "home")


@pytest.fixture
def sealed(safe: Safe) -> SealedRecord:
    _, sealed = builders.seal_visit(safe)
    with safe.engine.begin() as conn:
        insert_record(conn, sealed)
        slots.give_to_customer(conn, safe.master, sealed.record_id, CUSTOMER, keep_until(DEFAULT_KEEPING, NOW), NOW)
    return sealed


def test_a_customer_is_erased_by_the_number_on_the_receipt(
    safe: Safe, sealed: SealedRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    assert counter(safe.home, "hold", CUSTOMER, "--case", "case 7") == 0
    assert counter(safe.home, "erase-customer", sealed.record_id) == UNUSABLE
    assert "legal hold" in capsys.readouterr().err
    assert counter(safe.home, "lift-hold", CUSTOMER, "--case", "case 7") == 0
    before = FileMasterKeys.load(safe.home / "keys").key_id
    capsys.readouterr()
    assert counter(safe.home, "erase-customer", sealed.record_id, "--json", "-") == 0
    told = json.loads(capsys.readouterr().out)
    assert sorted(told["erased"]) == [f"{sealed.record_id} {each}" for each in ("biometric", "finger", "recording")]
    assert len(told["kept"]) == 1
    assert FileMasterKeys.load(safe.home / "keys").key_id != before
    assert counter(safe.home, "verify", sealed.record_id, "--content") == 0


def test_a_rotation_keeps_everything_readable_and_changes_no_object(safe: Safe, sealed: SealedRecord) -> None:
    objects = {path: path.read_bytes() for path in sealed.folder.rglob("*") if path.is_file()}
    for _ in range(2):
        assert counter(safe.home, "rotate") == 0
    assert counter(safe.home, "verify", sealed.record_id, "--content") == 0
    assert {path: path.read_bytes() for path in sealed.folder.rglob("*") if path.is_file()} == objects
    with safe.engine.connect() as conn, pytest.raises(WrongKeyError):
        slots.read_slots(conn, sealed.record_id).open(safe.master)  # the key of two generations ago


def test_nothing_is_erased_beside_a_running_counter(safe: Safe, sealed: SealedRecord) -> None:
    running = Database(safe.home / "counter.sqlite3")
    running.open()
    try:
        assert counter(safe.home, "erase-customer", sealed.record_id) == UNUSABLE
    finally:
        running.close()


@pytest.mark.skipif(shutil.which("age") is None, reason="wants the age command line tool (apt install age)")
def test_two_people_open_what_neither_opens_alone(safe: Safe, sealed: SealedRecord, tmp_path: Path) -> None:
    people = [AgeIdentity.of(bytes([number]) * 32) for number in (1, 2)]
    for number, person in enumerate(people):
        (tmp_path / f"{number}.key").write_text(person.spelling() + "\n")
    named = [f"--person=person {number}={person.recipient()}" for number, person in enumerate(people)]
    assert counter(safe.home, "escrow", named[0], named[0]) == UNUSABLE
    assert counter(safe.home, "escrow", *named) == 0
    alone = ("--out", str(tmp_path / "alone"), "--reason", "curiosity of one")
    assert counter(safe.home, "open", sealed.record_id, *alone) == UNUSABLE
    assert counter(safe.home, "export-key", sealed.record_id, *alone) == UNUSABLE
    out = ("--out", str(tmp_path / "slot"), "--reason", "court order 12")
    assert counter(safe.home, "release", sealed.record_id, *out) == 0
    assert [line.event for line in read_openings(safe.home / "openings.jsonl")] == ["key_released"]
    for key, source, target in (("1.key", "slot", "x"), ("0.key", "slot", "half"), ("1.key", "half", "record.key")):
        words = ["age", "--decrypt", "--identity", key, "--output", target, source]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, check=False)
        assert (done.returncode == 0) == (target != "x")
    keyring = read_keyring((tmp_path / "record.key").read_text())
    assert verify_record(sealed.folder, safe.trust, keyring).intact
