"""A whole small visit made up for proving: real keys, real encryption, the draft as the visits room would hand it over.

Keys are drawn from the visit's number, so that a retry after a crash finds its own slot again, as a visit's row does.
"""

import hashlib
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from counter_server.records.authority import SealingIdentity, load_or_create_sealing_identity
from counter_server.records.durable import make_folder
from counter_server.records.home import SafeHome
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
from counter_server.records.recordings import CLUSTER
from counter_server.records.seal import PlainObject, RecordDraft, SealedObject, encrypt
from counter_server.records.statement import STATEMENT_FORMAT, SignedStatement, Statement

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
SEGMENT_MS = 4000
VISIT, LEAVES_PER_VISIT = "visit", 2  # its leaves in the log beside the record's own: opened, done
CONTRACT_BYTES = 6_000  # small: a state of the crash model holds every byte of every record
STROKES = b'{"strokes":[[[0.1,0.2,0],[0.3,0.4,12]]]}'


@dataclass(frozen=True, slots=True)
class SampleSafe:
    """One installation in a folder, its keys loaded."""

    home: SafeHome
    master: FileMasterKeys
    sealing: SealingIdentity


def open_sample_safe(folder: Path) -> SampleSafe:
    """The safe of a home, made at first use; its certificate is a day older than the sample visits."""
    home = SafeHome(folder)
    make_folder(home.sealing)
    master = FileMasterKeys.load_or_create(home.sealing)
    return SampleSafe(home, master, load_or_create_sealing_identity(home.sealing, NOW - timedelta(days=1)))


def sample_keys(number: int) -> RecordKeys:
    """The keys of visit `number`, the same every time."""
    return new_record_keys(NOW, random.Random(number).randbytes)  # noqa: S311 - made-up visits of a crash test


def sample_visit_id(number: int) -> str:
    """The idempotency key of visit `number`."""
    return f"visit-{number}"


def matroska_piece(index: int, size: int) -> bytes:
    """A piece of a Matroska stream: the header in the first, then a cluster that tells its time."""
    header = b"\x1a\x45\xdf\xa3\x80" if index == 0 else b""
    stamp = (index * SEGMENT_MS).to_bytes(4, "big")
    return header + CLUSTER + b"\x01" + size.to_bytes(7, "big") + b"\xe7\x84" + stamp + bytes([index % 251]) * size


def write_segments(folder: Path, keys: RecordKeys, count: int, size: int, side: str) -> tuple[SealedObject, ...]:
    """Segments as the worst media worker would leave them: whole, and not one of them synced."""
    adopted = []
    for index in range(count):
        path = folder / f"{side}-{index:04d}.mkv.age"
        path.write_bytes(encrypt(matroska_piece(index, size), keys.recipient))
        name = f"recording/{side}-{index:04d}.mkv"
        adopted.append(SealedObject.adopt(path, name, ObjectClass.RECORDING, "video/x-matroska"))
    return tuple(adopted)


def sample_draft(
    safe: SampleSafe,
    keys: RecordKeys,
    visit_id: str,
    tracks: tuple[tuple[SealedObject, ...], ...],
    *,
    contract: bytes | None = None,
) -> RecordDraft:
    """A visit that both sides signed, with the recorded tracks it is given."""
    document = contract or b"%PDF-1.7 contract " + hashlib.sha256(visit_id.encode()).digest() * (CONTRACT_BYTES // 32)
    signers = (("customer", "holder", "strokes.json"), ("clerk", "clerk-7", None))
    statements = tuple(
        PlainObject(
            f"statements/{role}.json",
            ObjectClass.STATEMENT,
            "application/json",
            _statement(safe, keys, visit_id, role, actor, document, strokes).to_bytes(),
        )
        for role, actor, strokes in signers
    )
    return RecordDraft(
        visit_id=visit_id,
        service_id="replace-card",
        outcome="done",
        reason=None,
        channel="kiosk",
        language="zh",
        assurance="chip_and_face",
        opened_at=NOW - timedelta(minutes=20),
        checks=(CheckEntry("sod_signature", "passed", "signed by a document signer", "ICAO 9303-11 §5.1"),),
        face=FaceEntry("accept", True, True, "0.001", 12_000, "dlib", ()),
        participants=(Participant("customer", "holder", instant(NOW), None),),
        signatures=tuple(
            SignatureEntry(role, actor, instant(NOW), "contract.pdf", f"statements/{role}.json", strokes)
            for role, actor, strokes in signers
        ),
        recordings=tuple(_track(segments) for segments in tracks if segments),
        journal=_journal(),
        software={"counter": "0.1.0"},
        policies=("catalogue/replace-card@1",),
        objects=(
            PlainObject("contract.pdf", ObjectClass.CONTRACT, "application/pdf", document),
            PlainObject("strokes.json", ObjectClass.SIGNATURE, "application/json", STROKES),
            *statements,
        ),
        adopted=tuple(item for segments in tracks for item in segments),
    )


def _track(segments: tuple[SealedObject, ...]) -> RecordedTrack:
    side = segments[0].name.removeprefix("recording/").split("-")[0]
    listed = tuple(RecordingSegment(item.name, i, i * SEGMENT_MS, SEGMENT_MS) for i, item in enumerate(segments))
    length_ms = len(segments) * SEGMENT_MS
    return RecordedTrack(side, "both", instant(NOW), length_ms // 40, 25_000, length_ms, (), listed)


def _journal() -> tuple[JournalEntry, ...]:
    first = next_entry(None, at=NOW, actor_role="customer", actor_id="holder", event="visit_opened")
    second = next_entry(first, at=NOW, actor_role="clerk", actor_id="clerk-7", event="ticket_taken")
    return first, second


def _statement(
    safe: SampleSafe, keys: RecordKeys, visit_id: str, role: str, actor: str, document: bytes, strokes: str | None
) -> SignedStatement:
    said = Statement(
        STATEMENT_FORMAT,
        keys.record_id,
        visit_id,
        role,
        actor,
        hashlib.sha256(document).hexdigest(),
        None if strokes is None else hashlib.sha256(STROKES).hexdigest(),
        instant(NOW),
    )
    pem_sha256 = hashlib.sha256(safe.sealing.certificate_pem()).hexdigest()
    return SignedStatement(said, safe.sealing.sign(said.signed_bytes()).hex(), pem_sha256)
