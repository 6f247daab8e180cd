"""Erasing: what it reaches, what it must leave, and that no copy made before opens what was erased."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine

from counter_server.records import erasure, slots
from counter_server.records.agefile import AgeKeyring
from counter_server.records.errors import KeepingError, RecordUnknownError, WrongKeyError
from counter_server.records.keeping import DEFAULT_KEEPING, KeepClass, Span, keep_until, read_keeping
from counter_server.records.keys import RecordKeys
from counter_server.records.log import ledger
from counter_server.records.log.checkpoint import Checkpoint
from counter_server.records.log.merkle import Place
from counter_server.records.log.note import Algorithm, SignerKey
from counter_server.records.masters import FileMasterKeys
from counter_server.records.seal import SealedRecord, seal_record
from counter_server.records.service import insert_record
from counter_server.records.verify import verify_record
from tests.counter_server.records import builders
from tests.counter_server.records.builders import NOW, Safe

WHOLE = 9  # objects of a sample record, 3 of them recorded
ANNA, BERT = "C-anna", "C-bert"
LATER = NOW + timedelta(days=20 * 366)
SHORTEST = {kept: Span(timedelta(), timedelta(days=30)) for kept in KeepClass}


@pytest.fixture
def safe(tmp_path: Path) -> Safe:
    return builders.build_safe(tmp_path / "home")


def seal_for(safe: Safe, customer_id: str, number: int, keeping: dict[KeepClass, Span]) -> RecordKeys:
    """A sealed, registered record of this customer."""
    with safe.engine.begin() as conn:
        keys = builders.begin_recording(safe, conn)
    adopted = builders.record_segments(safe, keys)
    draft = builders.of_visit(safe, keys, builders.build_draft(safe, keys, adopted), f"visit-{customer_id}-{number}")
    sealed = seal_record(draft, keys, safe.sealing, safe.store, NOW)
    with safe.engine.begin() as conn:
        register(conn, safe, sealed, customer_id, keeping)
    return keys


def register(
    conn: Connection, safe: Safe, sealed: SealedRecord, customer_id: str, keeping: dict[KeepClass, Span]
) -> None:
    insert_record(conn, sealed)
    slots.give_to_customer(conn, safe.master, sealed.record_id, customer_id, keep_until(keeping, NOW), NOW)


def finish(safe: Safe) -> None:
    with safe.engine.begin() as conn:
        assert erasure.needs_finish(conn, safe.master)
    safe.master.promote()


def opens(home: Path, masters: FileMasterKeys, record_id: str) -> int:
    """How many objects of a record open with every slot of this home and these master keys."""
    engine = create_engine(f"sqlite:///{home / 'counter.sqlite3'}")
    try:
        with engine.connect() as conn:
            keyring = slots.read_slots(conn, record_id).open(masters).keyring()
    except (RecordUnknownError, WrongKeyError):
        return 0
    finally:
        engine.dispose()
    return sum(opens_one(keyring, path) for path in (home / "records" / record_id[2:6] / record_id).rglob("*.age"))


def opens_one(keyring: AgeKeyring, path: Path) -> bool:
    try:
        keyring.open(path.read_bytes())
    except WrongKeyError:
        return False
    return True


def test_an_erased_customer_opens_nowhere_and_every_proof_still_holds(safe: Safe, tmp_path: Path) -> None:
    annas = [seal_for(safe, ANNA, number, SHORTEST) for number in range(2)]
    berts = seal_for(safe, BERT, 0, SHORTEST)
    log_key = SignerKey("example.invalid/log", Algorithm.ED25519, bytes(32))
    with safe.engine.begin() as conn:
        ledger.sign_checkpoint(conn, log_key, 100)
        before = {keys.record_id: ledger.prove_record(conn, keys.record_id).spelling() for keys in (*annas, berts)}
    shutil.copytree(safe.home, backup := tmp_path / "backup")
    assert all(opens(backup, FileMasterKeys.load(backup / "keys"), keys.record_id) == WHOLE for keys in (*annas, berts))

    with safe.engine.begin() as conn:
        erased = erasure.erase_customer(conn, safe.master, ANNA, NOW)
    finish(safe)

    assert (len(erased.erased), erased.kept, erased.customers_gone) == (2 * len(KeepClass), (), (ANNA,))
    now_held = FileMasterKeys.load(safe.home / "keys")
    assert [opens(safe.home, now_held, keys.record_id) for keys in annas] == [0, 0]
    # the backup of the safe, with the keys that exist now: whoever restores it opens nothing of anybody's old slots
    assert [opens(backup, now_held, keys.record_id) for keys in annas] == [0, 0]
    assert opens(safe.home, now_held, berts.record_id) == WHOLE
    with safe.engine.begin() as conn:
        ledger.sign_checkpoint(conn, log_key, 100)
        for record_id, proof in before.items():
            assert ledger.prove_record(conn, record_id, ledger.note_of_size(conn, 3)).spelling() == proof
            again = ledger.prove_record(conn, record_id)
            again.check_path(ledger.read_hashes(conn, (Place(0, again.index),))[0], Checkpoint.parse(again.note.text))
        assert ledger.count_of(conn, erasure.ERASED) == 2 * len(KeepClass)
    for keys in annas:
        assert verify_record(safe.store.folder_of(keys.record_id), safe.trust).intact  # the proof outlives the content


def test_one_class_goes_and_the_others_stay_also_against_a_backup(safe: Safe, tmp_path: Path) -> None:
    keeping = {**DEFAULT_KEEPING, KeepClass.RECORDING: Span(timedelta(), timedelta(days=30))}
    keys = seal_for(safe, ANNA, 0, keeping)
    shutil.copytree(safe.home, backup := tmp_path / "backup")
    with safe.engine.begin() as conn:
        done = erasure.enforce_retention(conn, safe.master, NOW + timedelta(days=31))
    finish(safe)
    assert done.erased == ((keys.record_id, KeepClass.RECORDING),)
    held = FileMasterKeys.load(safe.home / "keys")
    assert opens(safe.home, held, keys.record_id) == WHOLE - 3
    assert opens(backup, held, keys.record_id) == 0
    with safe.engine.connect() as conn:
        left = slots.read_slots(conn, keys.record_id).open(held)
    judged = verify_record(safe.store.folder_of(keys.record_id), safe.trust, left.keyring())
    assert judged.intact
    assert "3 without their key" in next(check.why for check in judged.checks if check.name == "objects_open")


def test_a_law_and_a_hold_outrank_a_wish(safe: Safe) -> None:
    keys = seal_for(safe, ANNA, 0, DEFAULT_KEEPING)
    with safe.engine.begin() as conn:
        wished = erasure.erase_customer(conn, safe.master, ANNA, NOW)
    finish(safe)
    assert {kept for _, kept in wished.erased} == {KeepClass.RECORDING, KeepClass.BIOMETRIC, KeepClass.FINGER}
    assert [(each.keep_class, each.why[:13]) for each in wished.kept] == [(KeepClass.CONTRACT, "to be kept un")]
    with safe.engine.begin() as conn, pytest.raises(KeepingError, match="to be kept until 2036"):
        erasure.erase_customer(conn, safe.master, ANNA, NOW)
    with safe.engine.begin() as conn:
        erasure.place_hold(conn, ANNA, "case 7", "clerk-1", NOW)
        assert erasure.enforce_retention(conn, safe.master, LATER).erased == ()
    with safe.engine.begin() as conn:
        erasure.lift_hold(conn, ANNA, "case 7", "clerk-2", LATER)
        assert erasure.enforce_retention(conn, safe.master, LATER).customers_gone == (ANNA,)
    finish(safe)
    assert opens(safe.home, safe.master, keys.record_id) == 0
    with safe.engine.connect() as conn:
        kinds = [leaf.kind for leaf in ledger.read_leaves(conn, 0, 100)]
        entries = b"".join(leaf.entry or b"" for leaf in ledger.read_leaves(conn, 0, 100))
    assert kinds.count(erasure.HELD) == kinds.count(erasure.LIFTED) == 1
    assert b"case 7" not in entries


def test_nothing_is_erased_when_the_transaction_fails(safe: Safe) -> None:
    keys = seal_for(safe, ANNA, 0, SHORTEST)
    with safe.engine.connect() as conn:  # never committed: the power went
        assert erasure.erase_customer(conn, safe.master, ANNA, NOW).customers_gone == (ANNA,)
    with safe.engine.begin() as conn:
        assert not erasure.needs_finish(conn, FileMasterKeys.load(safe.home / "keys"))
    assert opens(safe.home, FileMasterKeys.load(safe.home / "keys"), keys.record_id) == WHOLE


def test_a_crash_between_commit_and_destruction_is_finished_at_the_next_start(safe: Safe) -> None:
    keys, waiting = seal_for(safe, ANNA, 0, SHORTEST), None
    with safe.engine.begin() as conn:
        waiting = builders.begin_recording(safe, conn)  # a visit that is open while the key changes
        erasure.rotate_master(conn, safe.master, NOW)
    old_id = safe.master.key_id
    masters = FileMasterKeys.load(safe.home / "keys")
    assert opens(safe.home, masters, keys.record_id) == WHOLE
    with safe.engine.begin() as conn:
        assert erasure.needs_finish(conn, masters)
    masters.promote()
    assert masters.key_id != old_id
    again = FileMasterKeys.load(safe.home / "keys")
    assert opens(safe.home, again, keys.record_id) == WHOLE
    with safe.engine.begin() as conn:
        assert slots.read_slots(conn, waiting.record_id).open(again) == waiting
        assert not erasure.needs_finish(conn, again)


def test_a_slot_of_another_customer_or_class_does_not_open(safe: Safe) -> None:
    anna, bert = seal_for(safe, ANNA, 0, SHORTEST), seal_for(safe, BERT, 0, SHORTEST)
    with safe.engine.connect() as conn:
        of_anna, of_bert = slots.read_slots(conn, anna.record_id), slots.read_slots(conn, bert.record_id)
    for swapped in (
        slots.RecordSlots(anna.record_id, ANNA, of_anna.customer, of_bert.kept),
        slots.RecordSlots(anna.record_id, ANNA, of_bert.customer, of_anna.kept),
        slots.RecordSlots(
            anna.record_id,
            ANNA,
            of_anna.customer,
            tuple((kept, of_anna.kept[index - 1][1]) for index, (kept, _) in enumerate(of_anna.kept)),
        ),
    ):
        with pytest.raises(WrongKeyError):
            swapped.open(safe.master)


def test_a_document_names_its_customer_only_to_the_safe(safe: Safe, tmp_path: Path) -> None:
    other = builders.build_safe(tmp_path / "other")
    with safe.engine.begin() as conn, other.engine.begin() as elsewhere:
        name = slots.name_customer(conn, safe.master, "CHN", "E12345678")
        assert name == slots.name_customer(conn, safe.master, "CHN", "E12345678")
        assert name != slots.name_customer(conn, safe.master, "CHN", "E12345679")
        assert name != slots.name_customer(elsewhere, other.master, "CHN", "E12345678")


@pytest.mark.parametrize("bad", ["[contract]\nat_least = 9\nat_most = 8", "[film]\nat_least = 1\nat_most = 2", "x"])
def test_spans_that_contradict_themselves_stop_the_start(tmp_path: Path, bad: str) -> None:
    assert read_keeping(tmp_path) == DEFAULT_KEEPING
    (tmp_path / "retention.toml").write_text(bad)
    with pytest.raises(KeepingError):
        read_keeping(tmp_path)


def test_an_operator_states_other_spans(tmp_path: Path) -> None:
    (tmp_path / "retention.toml").write_text("[recording]\nat_least = 1\nat_most = 2\n")
    until = keep_until(read_keeping(tmp_path), datetime(2026, 1, 1, tzinfo=UTC))
    assert until[KeepClass.RECORDING].at_most == datetime(2026, 1, 3, tzinfo=UTC)
    assert until[KeepClass.CONTRACT].at_least > datetime(2036, 1, 1, tzinfo=UTC)
