"""A whole small visit and the safe it goes into, with real keys and real encryption."""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine

from counter_server.db import metadata
from counter_server.records.agefile import AgeKeyring
from counter_server.records.authority import SealingIdentity, load_or_create_sealing_identity
from counter_server.records.journal import JournalEntry, instant, next_entry
from counter_server.records.keys import RecordKeys, new_record_keys
from counter_server.records.masters import FileMasterKeys
from counter_server.records.record import (
    CheckEntry,
    FaceEntry,
    ObjectClass,
    Participant,
    RecordedTrack,
    RecordingSegment,
    SignatureEntry,
)
from counter_server.records.seal import PlainObject, RecordDraft, SealedObject, SealedRecord, encrypt, seal_record
from counter_server.records.slots import store_keys
from counter_server.records.statement import STATEMENT_FORMAT, SignedStatement, Statement
from counter_server.records.store import RecordStore

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
HOLDER = "安娜·李𠮷"
DOCUMENT = f"%PDF- a contract of {HOLDER}".encode()
STROKES = b'{"strokes":[[[0.1,0.2,0]]]}'


@dataclass(slots=True)
class Safe:
    """One installation in a folder."""

    home: Path
    engine: Engine
    master: FileMasterKeys
    sealing: SealingIdentity
    store: RecordStore

    @property
    def trust(self) -> bytes:
        return self.sealing.trust_root.read_bytes()


def build_safe(home: Path) -> Safe:
    master = FileMasterKeys.load_or_create(home / "keys")
    sealing = load_or_create_sealing_identity(home / "keys", NOW - timedelta(days=1))
    engine = create_engine(f"sqlite:///{home / 'counter.sqlite3'}")
    metadata.create_all(engine)
    return Safe(home, engine, master, sealing, RecordStore(home / "records", sealing.trust_root))


def begin_recording(safe: Safe, conn: Connection, *, post_quantum: bool = False) -> RecordKeys:
    keys = new_record_keys(NOW, post_quantum=post_quantum)
    store_keys(conn, keys, safe.master, NOW)
    return keys


def record_segments(safe: Safe, keys: RecordKeys, count: int = 3) -> tuple[SealedObject, ...]:
    """What the media worker leaves behind: age files under its own names."""
    folder = safe.store.recording_folder(keys.record_id)
    segments = []
    for index in range(count):
        path = folder / f"customer-{index:04d}.mkv.age"
        path.write_bytes(encrypt(piece(index), keys.recipient))
        name = f"recording/customer-{index:04d}.mkv"
        segments.append(SealedObject.adopt(path, name, ObjectClass.RECORDING, "video/x-matroska"))
    return tuple(segments)


def piece(index: int, at_ms: int | None = None) -> bytes:
    """A piece of a Matroska stream: header in the first, then a cluster with its time and some frames."""
    at_ms = index * 4000 if at_ms is None else at_ms
    cluster = b"\x1f\x43\xb6\x75\x01" + (70_000).to_bytes(7, "big") + b"\xe7\x84" + at_ms.to_bytes(4, "big")
    return (b"\x1a\x45\xdf\xa3\x80" if index == 0 else b"") + cluster + bytes([index]) * (70_000 if index == 0 else 500)


def statement(
    safe: Safe, keys: RecordKeys, role: str, actor: str, *, document: bytes = DOCUMENT, strokes: bytes | None = None
) -> SignedStatement:
    said = Statement(
        STATEMENT_FORMAT,
        keys.record_id,
        "visit-1",
        role,
        actor,
        hashlib.sha256(document).hexdigest(),
        None if strokes is None else hashlib.sha256(strokes).hexdigest(),
        instant(NOW),
    )
    pem_hash = hashlib.sha256(safe.sealing.certificate_pem()).hexdigest()
    return SignedStatement(said, safe.sealing.sign(said.signed_bytes()).hex(), pem_hash)


def build_journal() -> tuple[JournalEntry, ...]:
    first = next_entry(None, at=NOW, actor_role="customer", actor_id="holder", event="visit_opened")
    second = next_entry(
        first, at=NOW, actor_role="clerk", actor_id="clerk-7", event="ticket_taken", details={"ticket": "A017"}
    )
    return first, second


def build_draft(safe: Safe, keys: RecordKeys, adopted: tuple[SealedObject, ...] = ()) -> RecordDraft:
    def signed(role: str, actor: str, strokes: str | None) -> SignatureEntry:
        return SignatureEntry(role, actor, instant(NOW), "contract.pdf", f"statements/{role}.json", strokes)

    customer = statement(safe, keys, "customer", "holder", strokes=STROKES).to_bytes()
    clerk = statement(safe, keys, "clerk", "clerk-7").to_bytes()
    segments = tuple(RecordingSegment(item.name, i, i * 4000, 4000) for i, item in enumerate(adopted))
    track = RecordedTrack("customer", "both", instant(NOW), 300, 24_970, 12_000, (), segments)
    return RecordDraft(
        visit_id="visit-1",
        service_id="replace-card",
        outcome="done",
        reason=None,
        channel="kiosk",
        language="zh",
        assurance="chip_and_face",
        opened_at=NOW - timedelta(minutes=9),
        checks=(CheckEntry("sod_signature", "passed", "signed by a document signer", "ICAO 9303-11 §5.1"),),
        face=FaceEntry("accept", True, True, "0.001", 12_000, "dlib", ()),
        participants=(Participant("customer", "holder", instant(NOW), None),),
        signatures=(signed("customer", "holder", "strokes.json"), signed("clerk", "clerk-7", None)),
        recordings=(track,) if adopted else (),
        journal=build_journal(),
        software={"counter": "0.1.0"},
        policies=("catalogue/replace-card@1",),
        objects=(
            PlainObject("contract.pdf", ObjectClass.CONTRACT, "application/pdf", DOCUMENT),
            PlainObject("strokes.json", ObjectClass.SIGNATURE, "application/json", STROKES),
            PlainObject("statements/customer.json", ObjectClass.STATEMENT, "application/json", customer),
            PlainObject("statements/clerk.json", ObjectClass.STATEMENT, "application/json", clerk),
        ),
        adopted=adopted,
    )


def seal_visit(safe: Safe, *, segments: int = 3, post_quantum: bool = False) -> tuple[RecordKeys, SealedRecord]:
    with safe.engine.begin() as conn:
        keys = begin_recording(safe, conn, post_quantum=post_quantum)
    adopted = record_segments(safe, keys, segments) if segments else ()
    return keys, seal_record(build_draft(safe, keys, adopted), keys, safe.sealing, safe.store, NOW)


def identity_of(keys: RecordKeys) -> AgeKeyring:
    return keys.keyring()


def with_object(draft: RecordDraft, name: str, content: bytes) -> RecordDraft:
    """The draft with one object's content replaced."""
    return replace(draft, objects=tuple(replace(o, content=content) if o.name == name else o for o in draft.objects))


def of_visit(safe: Safe, keys: RecordKeys, draft: RecordDraft, visit_id: str) -> RecordDraft:
    """The draft as another visit's, its statements signed anew."""
    draft = replace(draft, visit_id=visit_id)
    for role, actor, strokes in (("customer", "holder", STROKES), ("clerk", "clerk-7", None)):
        said = replace(statement(safe, keys, role, actor, strokes=strokes).statement, visit_id=visit_id)
        pem_hash = hashlib.sha256(safe.sealing.certificate_pem()).hexdigest()
        signed = SignedStatement(said, safe.sealing.sign(said.signed_bytes()).hex(), pem_hash)
        draft = with_object(draft, f"statements/{role}.json", signed.to_bytes())
    return draft
