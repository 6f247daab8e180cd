"""From a committed leaf to a proof, whatever comes in between: rollbacks, crashes, backups, forgers."""

import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, update

from counter_server.records.errors import RecordUnknownError, StoreError
from counter_server.records.log import ledger
from counter_server.records.log.audit import Auditor
from counter_server.records.log.errors import LogForkError, NotPublishedError
from counter_server.records.log.examine import LogEvidence
from counter_server.records.log.merkle import Place, Tree, leaf_hash, root_of
from counter_server.records.log.note import Note
from counter_server.records.log.policy import Policy
from counter_server.records.log.proof import Proof
from counter_server.records.log.publishing import consistency_since
from counter_server.records.log.tables import log_checkpoint, log_hash, log_leaf
from counter_server.records.log.tiles import Tile, TileReader, tiles_between
from counter_server.records.openings import note_opening, read_openings
from counter_server.records.record import MANIFEST_FILE
from counter_server.records.service import append_missing_leaves, inclusion_proof, insert_record
from counter_server.records.tables import record
from counter_server.records.verify import verify_record
from tests.counter_server.records import builders
from tests.counter_server.records.builders import NOW
from tests.counter_server.records.log.builders import Log, add_events, build_log, publish, seal, witness_key


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return build_log(tmp_path / "home")


def audit(log: Log, since: Note | None = None) -> str | None:
    """The name of the first thing an audit finds broken."""
    openings = read_openings(log.files.home / "openings.jsonl")
    with log.safe.engine.connect() as conn:
        broken = Auditor(conn, log.files, log.policy, log.safe.store, openings).audit(since).first_broken
    return None if broken is None else broken.name


def test_a_record_and_its_leaf_are_committed_together_or_not_at_all(log: Log) -> None:
    _, sealed = builders.seal_visit(log.safe, segments=0)
    with log.safe.engine.connect() as conn:
        with conn.begin() as transaction:
            insert_record(conn, sealed)
            transaction.rollback()
        with conn.begin():
            assert ledger.size_of(conn) == 0
            insert_record(conn, sealed)
            insert_record(conn, sealed)  # a second submission of the same seal
        assert ledger.size_of(conn) == 1
        manifest = (sealed.folder / MANIFEST_FILE).read_bytes()
        assert ledger.read_hashes(conn, (Place(0, 0),)) == (leaf_hash(manifest),)
        with pytest.raises(NotPublishedError):
            inclusion_proof(conn, sealed.record_id)
        with pytest.raises(RecordUnknownError):
            inclusion_proof(conn, "R-20261121-00000000")


def test_the_database_holds_the_same_tree_as_memory(log: Log) -> None:
    add_events(log, 77)
    tree = Tree()
    with log.safe.engine.connect() as conn:
        for leaf in ledger.read_leaves(conn, 0, 77):
            tree.append(leaf_hash(leaf.entry or b""))
        for size in range(78):
            assert root_of(lambda places: ledger.read_hashes(conn, places), size) == root_of(tree.read, size)


def test_a_published_record_is_proven_offline(log: Log) -> None:
    add_events(log, 5)
    sealed = seal(log)
    add_events(log, 300)
    assert publish(log)
    assert not publish(log)  # nothing new
    with log.safe.engine.connect() as conn:
        proof = inclusion_proof(conn, sealed.record_id)
    assert Proof.parse(proof.spelling().encode()) == proof
    evidence = LogEvidence(proof.spelling().encode(), log.policy)
    verification = verify_record(sealed.folder, log.safe.trust, None, evidence)
    assert verification.first_broken is None
    assert [(check.number, check.name, check.why) for check in verification.checks[-3:]] == [
        (14, "log_includes_record", "leaf 5 of 306"),
        (15, "log_signed_checkpoint", f"signed by {log.publisher.key.name}"),
        (16, "log_is_witnessed", "cosigned by 0 of 0 witnesses, quorum none"),
    ]


def test_verification_names_what_is_wrong_with_a_proof(log: Log) -> None:
    first = seal(log)
    add_events(log, 9)
    publish(log)
    with log.safe.engine.connect() as conn:
        proof = inclusion_proof(conn, first.record_id)
    vkey, witness = log.publisher.key.verifier.spelling(), witness_key("w1").verifier.spelling()
    stranger = Policy.parse(f"log {vkey.replace(vkey, witness_log())}\nquorum none\n")
    demanding = Policy.parse(f"log {vkey}\nwitness w1 {witness}\nquorum w1\n")

    def broken(proof: Proof | bytes, policy: Policy) -> str:
        stored = proof if isinstance(proof, bytes) else proof.spelling().encode()
        found = verify_record(first.folder, log.safe.trust, None, LogEvidence(stored, policy)).first_broken
        assert found is not None
        return found.name

    assert broken(b"c2sp.org/tlog-proof@v1\n", log.policy) == "log_includes_record"
    assert broken(Proof(1, proof.path, proof.note), log.policy) == "log_includes_record"
    assert broken(Proof(0, proof.path[:-1], proof.note), log.policy) == "log_includes_record"
    assert broken(proof, stranger) == "log_signed_checkpoint"
    assert broken(proof, demanding) == "log_is_witnessed"


def witness_log() -> str:
    """Another log's key."""
    from_seed = witness_key("other")
    return type(from_seed)("other.example/log", type(from_seed.algorithm)(1), from_seed.seed).verifier.spelling()


def test_tiles_carry_the_whole_tree(log: Log) -> None:
    add_events(log, 300)
    publish(log)
    add_events(log, 300)
    publish(log)
    reader = TileReader(log.files.folder, 600)
    with log.safe.engine.connect() as conn:
        (note,) = [ledger.newest_note(conn)]
        assert note is not None
        assert root_of(reader.read, 600) == log.policy.open(note).root
        assert root_of(reader.read, 300) == root_of(lambda places: ledger.read_hashes(conn, places), 300)
    assert not (log.files.folder / "tile/0/001.p").exists()  # full by now
    assert Tile(0, 1_234_067, 256).path() == "tile/0/x001/x234/067"  # tlog-tiles' own example
    assert Tile(1, 1, 7).path() == "tile/1/001.p/7"
    seventy = list(tiles_between(0, 70_000))  # tlog-tiles' other example
    assert (len(seventy), seventy[273:]) == (277, [Tile(0, 273, 112), Tile(1, 0, 256), Tile(1, 1, 17), Tile(2, 0, 1)])


@pytest.mark.parametrize("survives", range(8))
def test_a_publication_that_broke_off_is_made_good(log: Log, monkeypatch: pytest.MonkeyPatch, survives: int) -> None:
    """The disk refuses at the n-th sync; the next publication completes it, and nobody saw a checkpoint too early."""
    add_events(log, 260)
    publish(log)
    before = log.files.checkpoint.read_bytes()
    add_events(log, 260)
    real, done = os.fsync, 0

    def refuse(handle: int) -> None:
        nonlocal done
        done += 1
        if done > survives:
            raise OSError(28, "No space left on device")
        real(handle)

    with monkeypatch.context() as full_disk:
        full_disk.setattr("counter_server.records.durable.os.fsync", refuse)
        with pytest.raises(StoreError):
            publish(log)
    # at the eighth only the folder's sync failed: the new checkpoint may be there, and its tiles are
    assert (log.files.checkpoint.read_bytes() == before) or survives == 7
    publish(log)
    assert audit(log) is None


def test_an_older_database_may_not_speak_for_the_log(log: Log) -> None:
    """Somebody puts back yesterday's backup, and the counter goes on with other leaves."""
    add_events(log, 10)
    publish(log)
    log.safe.engine.dispose()
    backup = log.files.home / "backup"
    shutil.copy(log.files.home / "counter.sqlite3", backup)
    add_events(log, 10)
    publish(log)
    log.safe.engine.dispose()
    shutil.copy(backup, log.files.home / "counter.sqlite3")
    with pytest.raises(LogForkError):
        publish(log)
    with log.safe.engine.begin() as conn:
        for number in range(30):
            ledger.append_event(conn, kind="other", subject=str(number), at=NOW)
    with pytest.raises(LogForkError):
        publish(log)
    assert audit(log) == "tiles_lead_to_checkpoint"


def test_records_from_before_the_log_get_their_leaves_once(log: Log) -> None:
    sealed = seal(log)
    with log.safe.engine.begin() as conn:
        for table in (log_leaf, log_hash):
            conn.execute(delete(table))
        assert append_missing_leaves(conn) == 1
        assert append_missing_leaves(conn) == 0
        assert ledger.index_of(conn, sealed.record_id) == 0
    assert publish(log)
    assert audit(log) is None


def test_every_opening_has_a_leaf_that_tells_nobody_who_or_why(log: Log) -> None:
    sealed, path = seal(log), log.files.home / "openings.jsonl"
    for number in range(3):
        details = {"record_id": sealed.record_id, "reason": f"complaint {number}"}
        note_opening(path, at=NOW + timedelta(seconds=number), actor="ann", event="record_opened", details=details)
        with log.safe.engine.begin() as conn:
            assert ledger.append_openings(conn, read_openings(path)) == 1
            assert ledger.append_openings(conn, read_openings(path)) == 0
    publish(log)
    with log.safe.engine.connect() as conn:
        opened = [leaf for leaf in ledger.read_leaves(conn, 0, 9) if leaf.kind == ledger.OPENING]
    assert [leaf.subject for leaf in opened] == [sealed.record_id] * 3
    assert not [leaf for leaf in opened if b"ann" in (leaf.entry or b"") or b"complaint" in (leaf.entry or b"")]
    assert audit(log) is None
    path.unlink()  # somebody rewrites the list: the chain in it holds again, the log does not
    for number in range(3):
        details = {"record_id": sealed.record_id, "reason": f"complaint {number}"}
        note_opening(path, at=NOW + timedelta(seconds=number), actor="bob", event="record_opened", details=details)
    assert audit(log) == "openings_have_leaves"


def test_an_audit_names_what_was_changed(log: Log) -> None:
    sealed = seal(log)
    add_events(log, 300)
    publish(log)
    with log.safe.engine.connect() as conn:
        kept = ledger.newest_note(conn)
    add_events(log, 3)
    publish(log)
    assert audit(log, kept) is None

    def after(statement: object) -> str | None:
        with log.safe.engine.connect() as conn, conn.begin() as transaction:
            conn.execute(statement)  # type: ignore[call-overload]
            found = Auditor(conn, log.files, log.policy, log.safe.store, ()).audit(kept).first_broken
            transaction.rollback()
        return None if found is None else found.name

    here = log_leaf.c.leaf_index
    assert after(update(log_leaf).where(here == 7).values(entry=b"{}")) == "leaves_lead_to_hashes"
    assert after(delete(log_leaf).where(here == 150)) == "leaves_lead_to_hashes"
    assert after(update(log_hash).where(log_hash.c.number == 1).values(hash=bytes(32))) == "leaves_lead_to_hashes"
    assert after(update(record).values(leaf_hash=bytes(32))) == "records_have_leaves"
    assert after(delete(record)) == "records_have_leaves"
    assert after(update(log_leaf).where(here == 0).values(subject="R-20261121-00000000")) == "leaves_lead_to_hashes"
    forged = {"size": 5, "note": kept.spelling() if kept else "", "witnessed": False}
    assert after(insert(log_checkpoint).values({**forged, "note": forged["note"].replace("\n301\n", "\n5\n")})) == (  # type: ignore[attr-defined]
        "checkpoints_continue_each_other"
    )
    tile = log.files.folder / "tile/0/000"
    content = tile.read_bytes()
    tile.write_bytes(bytes(32) + content[32:])
    assert audit(log, kept) == "tiles_lead_to_checkpoint"
    tile.write_bytes(content)
    manifest = sealed.folder / MANIFEST_FILE
    manifest.write_bytes(manifest.read_bytes().replace(b"done", b"gone"))
    assert audit(log, kept) == "leaves_lead_to_hashes"


def test_a_log_that_took_something_back_is_caught_by_what_somebody_kept(log: Log, tmp_path: Path) -> None:
    """The operator rewrites everything: database, tiles, checkpoint, all with the log's own key."""
    add_events(log, 8)
    publish(log)
    kept = Note.parse(log.files.checkpoint.read_bytes())
    again = build_log(tmp_path / "rewritten")
    shutil.copy(log.files.key, again.files.key)
    shutil.copy(log.files.policy, again.files.policy)
    rewritten = Log(again.safe, again.files, type(again.publisher)(again.files, log.publisher.key))
    with rewritten.safe.engine.begin() as conn:
        for number in range(12):
            ledger.append_event(conn, kind="another history", subject=str(number), at=NOW)
        assert len(consistency_since(conn, 8, 12)) > 0
    publish(rewritten)
    assert audit(rewritten) is None
    assert audit(rewritten, kept) == "continues_what_was_kept"
