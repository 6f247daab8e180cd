"""What the database does for records. Plain functions on a connection; the caller owns the transaction."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, insert, select

from counter_server.records.codes import CODE_SALT_BYTES, code_is_right, is_record_id
from counter_server.records.errors import RecordExistsError
from counter_server.records.journal import read_instant
from counter_server.records.log import ledger
from counter_server.records.log.proof import Proof
from counter_server.records.log.tables import log_leaf
from counter_server.records.seal import SealedRecord
from counter_server.records.store import RecordStore
from counter_server.records.tables import record
from counter_server.records.verify import Verification, verify_record


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A sealed record as the database knows it."""

    record_id: str
    visit_id: str
    service_id: str
    outcome: str
    channel: str
    sealed_at: datetime
    manifest_sha256: str
    size: int
    code_salt: bytes
    code_hash: bytes


@dataclass(frozen=True, slots=True)
class ReceiptCheckResult:
    """What whoever holds number and code may know. Nothing at all when `known` is false."""

    record_id: str
    known: bool
    intact: bool | None = None
    first_broken: str | None = None
    outcome: str | None = None
    service_id: str | None = None
    sealed_at: datetime | None = None
    manifest_sha256: str | None = None


def insert_record(conn: Connection, sealed: SealedRecord) -> None:
    """The row that makes a record count, and its leaf in the log. Repeating it for the same seal changes nothing.

    Raises:
        RecordExistsError: Another seal of this number or this visit is already there.
    """
    manifest = sealed.manifest
    claimed = (record.c.record_id == sealed.record_id) | (record.c.visit_id == manifest.visit_id)
    present = conn.execute(select(record.c.manifest_sha256).where(claimed)).scalars().all()
    if present:
        if present != [sealed.manifest_sha256]:
            raise RecordExistsError("this visit already has a record")
        return
    conn.execute(
        insert(record).values(
            record_id=sealed.record_id,
            visit_id=manifest.visit_id,
            service_id=manifest.service_id,
            outcome=manifest.outcome,
            channel=manifest.channel,
            sealed_at=manifest.sealed_at,
            manifest_sha256=sealed.manifest_sha256,
            leaf_hash=sealed.leaf_hash,
            size=sealed.size,
            code_salt=sealed.code_salt,
            code_hash=sealed.code_hash,
        )
    )
    ledger.append_record(conn, sealed.record_id, sealed.leaf_hash)


def append_missing_leaves(conn: Connection) -> int:
    """Leaves for records sealed before there was a log, oldest first; returns how many were added."""
    logged = select(log_leaf.c.subject).where(log_leaf.c.kind == ledger.RECORD)
    missing = select(record.c.record_id, record.c.leaf_hash).where(record.c.record_id.not_in(logged))
    rows = conn.execute(missing.order_by(record.c.sealed_at, record.c.record_id)).all()
    for row in rows:
        ledger.append_record(conn, row.record_id, row.leaf_hash)
    return len(rows)


def inclusion_proof(conn: Connection, record_id: str) -> Proof:
    """That a record is in the log, checkable by anybody offline.

    Raises:
        RecordUnknownError: no such record.
        NotPublishedError: no checkpoint covers it yet; one does within about a second.
    """
    return ledger.prove_record(conn, record_id)


def find_record(conn: Connection, record_id: str) -> RecordRow | None:
    """A sealed record by number."""
    row = conn.execute(select(record).where(record.c.record_id == record_id)).mappings().first()
    return None if row is None else _row(row)


def list_records(conn: Connection, *, limit: int = 200) -> tuple[RecordRow, ...]:
    """Sealed records, newest first."""
    rows = conn.execute(select(record).order_by(record.c.sealed_at.desc(), record.c.record_id).limit(limit))
    return tuple(_row(row) for row in rows.mappings())


def judge_receipt(store: RecordStore, row: RecordRow | None, record_id: str, code: str) -> ReceiptCheckResult:
    """The slow half of a receipt check: the code's hash and every file of the record. Call it off the writer thread.

    An unknown number costs as much time as a wrong code, so that the door does not tell which numbers exist.
    """
    salt = row.code_salt if row is not None else secrets.token_bytes(CODE_SALT_BYTES)
    right = code_is_right(code, salt, row.code_hash if row is not None else bytes(32))
    if row is None or not right:
        return ReceiptCheckResult(record_id, known=False)
    verification = verify_stored(store, row)
    broken = verification.first_broken
    same = verification.manifest_sha256 == row.manifest_sha256
    named = broken.name if broken is not None else None if same else "manifest_is_the_registered_one"
    return ReceiptCheckResult(
        record_id,
        known=True,
        intact=broken is None and same,
        first_broken=named,
        outcome=row.outcome,
        service_id=row.service_id,
        sealed_at=row.sealed_at,
        manifest_sha256=row.manifest_sha256,
    )


def check_receipt(conn: Connection, store: RecordStore, record_id: str, code: str) -> ReceiptCheckResult:
    """Whether number and code belong together and the record is still whole. The caller limits tries."""
    wanted = record_id.strip().upper()
    row = find_record(conn, wanted) if is_record_id(wanted) else None
    return judge_receipt(store, row, wanted[:24], code)


def verify_stored(store: RecordStore, row: RecordRow) -> Verification:
    """Every check of a record in the safe that needs no key."""
    return verify_record(store.folder_of(row.record_id), store.trust_root.read_bytes())


def _row(values: RowMapping) -> RecordRow:
    return RecordRow(
        record_id=values["record_id"],
        visit_id=values["visit_id"],
        service_id=values["service_id"],
        outcome=values["outcome"],
        channel=values["channel"],
        sealed_at=read_instant(values["sealed_at"]),
        manifest_sha256=values["manifest_sha256"],
        size=values["size"],
        code_salt=values["code_salt"],
        code_hash=values["code_hash"],
    )
