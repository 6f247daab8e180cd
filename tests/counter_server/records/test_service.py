"""Rows and receipts."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from counter_server.records.errors import RecordExistsError, RecordUnknownError
from counter_server.records.seal import seal_record
from counter_server.records.service import check_receipt, find_record, insert_record, list_records
from counter_server.records.slots import read_slots
from tests.counter_server.records import builders
from tests.counter_server.records.builders import NOW, Safe


@pytest.fixture
def safe(tmp_path: Path) -> Safe:
    return builders.build_safe(tmp_path)


def test_a_receipt_says_whether_the_record_is_whole(safe: Safe) -> None:
    _, sealed = builders.seal_visit(safe)
    with safe.engine.begin() as conn:
        insert_record(conn, sealed)
        typed = f" {sealed.check_code[:4].lower()}-{sealed.check_code[4:]} "
        found = check_receipt(conn, safe.store, sealed.record_id.lower(), typed)
        assert (found.known, found.intact, found.outcome) == (True, True, "done")
        assert (found.service_id, found.sealed_at) == ("replace-card", NOW)
        assert found.manifest_sha256 == sealed.manifest_sha256

        item = sorted((sealed.folder / "objects").iterdir())[0]
        item.write_bytes(item.read_bytes()[:-1] + b"\0")
        broken = check_receipt(conn, safe.store, sealed.record_id, sealed.check_code)
        assert (broken.known, broken.intact, broken.first_broken) == (True, False, "object_hashes_hold")
        shutil.rmtree(sealed.folder)
        gone = check_receipt(conn, safe.store, sealed.record_id, sealed.check_code)
        assert (gone.known, gone.intact, gone.first_broken) == (True, False, "files_are_there")


def test_a_wrong_code_and_an_unknown_number_look_alike(safe: Safe) -> None:
    _, sealed = builders.seal_visit(safe)
    with safe.engine.begin() as conn:
        insert_record(conn, sealed)
        wrong = check_receipt(conn, safe.store, sealed.record_id, "00000000")
        unknown = check_receipt(conn, safe.store, "R-20261121-00000000", sealed.check_code)
        nonsense = check_receipt(conn, safe.store, "../../etc/passwd", "")
    assert replace(wrong, record_id="") == replace(unknown, record_id="") == replace(nonsense, record_id="")
    assert not wrong.known
    assert wrong.outcome is None


def test_an_exchanged_folder_is_seen_even_with_a_valid_seal(safe: Safe) -> None:
    """Somebody who holds the server's key reseals a changed visit under the same number."""
    keys, sealed = builders.seal_visit(safe, segments=0)
    with safe.engine.begin() as conn:
        insert_record(conn, sealed)
    shutil.rmtree(sealed.folder)
    changed = replace(builders.build_draft(safe, keys), outcome="refused")
    seal_record(changed, keys, safe.sealing, safe.store, NOW)
    with safe.engine.connect() as conn:
        found = check_receipt(conn, safe.store, sealed.record_id, sealed.check_code)
    assert (found.intact, found.first_broken) == (False, "manifest_is_the_registered_one")


def test_a_visit_has_one_record_however_often_it_is_submitted(safe: Safe) -> None:
    _, sealed = builders.seal_visit(safe)
    _, second = builders.seal_visit(safe)
    with safe.engine.begin() as conn:
        insert_record(conn, sealed)
        insert_record(conn, sealed)
        with pytest.raises(RecordExistsError):
            insert_record(conn, second)
        assert [row.record_id for row in list_records(conn)] == [sealed.record_id]


def test_the_row_and_the_folder_hold_neither_code_nor_key(safe: Safe) -> None:
    keys, sealed = builders.seal_visit(safe)
    with safe.engine.begin() as conn:
        insert_record(conn, sealed)
    safe.engine.dispose()
    secrets = (
        sealed.check_code.encode(),
        *(identity.encode() for identity in keys.identities.values()),
        builders.DOCUMENT,
        builders.HOLDER.encode(),
    )
    for path in [path for path in safe.home.rglob("*") if path.is_file()]:
        stored = path.read_bytes()
        assert not [secret for secret in secrets if secret in stored], path.name


def test_a_record_without_slot_cannot_be_opened(safe: Safe) -> None:
    with safe.engine.connect() as conn, pytest.raises(RecordUnknownError):
        read_slots(conn, "R-20261121-00000000")
    with safe.engine.connect() as conn:
        assert find_record(conn, "R-20261121-00000000") is None
