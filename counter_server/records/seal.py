"""From a finished visit to a folder that a power cut cannot take: encrypt, write, sync, sign, check, rename.

Order, each step durable before the next: objects, manifest, signature, certificate, their folders, the rename, the
folder above. Only then may `service.insert_record` commit the row, and only then may anybody see "done".
"""

import hashlib
import os
import secrets
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import rfc8785

from counter_server.records.authority import ALGORITHM, SealingIdentity
from counter_server.records.codes import CODE_SALT_BYTES, Randomness, draw_code, hash_code
from counter_server.records.durable import PUBLIC_FILE, write_new
from counter_server.records.errors import RecordFormatError, StoreError
from counter_server.records.examination import BrokenError, read_blocks
from counter_server.records.journal import JournalEntry, instant, journal_bytes
from counter_server.records.keeping import KEEP_CLASS
from counter_server.records.keys import RecordKeys
from counter_server.records.plain import to_plain
from counter_server.records.record import (
    CERTIFICATE_FILE,
    COMMITMENTS_OBJECT,
    FORMAT,
    JOURNAL_OBJECT,
    MANIFEST_FILE,
    OBJECT_FOLDER,
    OBJECT_SUFFIX,
    SIGNATURE_FILE,
    CheckEntry,
    FaceEntry,
    Manifest,
    ObjectClass,
    Participant,
    RecordedTrack,
    RecordObject,
    SignatureEntry,
    Signer,
)
from counter_server.records.recordings import leftover_tracks
from counter_server.records.store import RecordStore
from counter_server.records.verify import verify_record
from counter_server.records.verify_content import commitment
from webrtc import agewriter

SALT_BYTES = 32  # as long as the hash it protects


@dataclass(frozen=True, slots=True, repr=False)
class PlainObject:
    """Content that is to be encrypted into the record."""

    name: str
    object_class: ObjectClass
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class SealedObject:
    """An age file that already exists, such as a segment sealed while recording."""

    name: str
    object_class: ObjectClass
    media_type: str
    path: Path
    sha256: str
    size: int

    @classmethod
    def adopt(cls, path: Path, name: str, object_class: ObjectClass, media_type: str) -> "SealedObject":
        """Take a file into a record as it is. Hashed now, linked and opened once at sealing."""
        digest, size = hashlib.sha256(), 0
        try:
            for block in read_blocks(path):
                digest.update(block)
                size += len(block)
        except BrokenError as error:
            raise StoreError(str(error)) from error
        return cls(name, object_class, media_type, path, digest.hexdigest(), size)


@dataclass(frozen=True, slots=True, repr=False)
class RecordDraft:
    """What the visits room knows at the end of a visit. Journal and salts become objects by themselves."""

    visit_id: str
    service_id: str
    outcome: str
    reason: str | None
    channel: str
    language: str
    assurance: str
    opened_at: datetime
    checks: tuple[CheckEntry, ...]
    face: FaceEntry | None
    participants: tuple[Participant, ...]
    signatures: tuple[SignatureEntry, ...]
    recordings: tuple[RecordedTrack, ...]
    journal: tuple[JournalEntry, ...]
    software: dict[str, str]
    policies: tuple[str, ...]
    objects: tuple[PlainObject, ...]
    adopted: tuple[SealedObject, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class SealedRecord:
    """A record that is durable on disk and not yet acknowledged. `check_code` is shown once and kept nowhere."""

    record_id: str
    folder: Path
    manifest: Manifest
    manifest_sha256: str
    leaf_hash: bytes
    size: int
    sealed_at: datetime
    check_code: str
    code_salt: bytes
    code_hash: bytes


def seal_record(
    draft: RecordDraft,
    keys: RecordKeys,
    sealing: SealingIdentity,
    store: RecordStore,
    now: datetime,
    rng: Randomness = secrets.token_bytes,
) -> SealedRecord:
    """A durable, checked record folder. Blocking (encryption, fsync): call it off the event loop.

    Raises:
        RecordExistsError: The number was sealed before (`store.set_aside_unclaimed` if no row was committed).
        RecordFormatError: The draft contradicts itself, or a segment does not open; `first_broken` is named.
        StoreError: The disk refused. Nothing was acknowledged; sealing can be tried again.
    """
    try:
        return _seal(draft, keys, sealing, store, now, rng)
    except OSError as error:  # whatever the disk refused that was not named already
        raise StoreError(f"the disk refused: {error.strerror}") from error


def _seal(
    draft: RecordDraft,
    keys: RecordKeys,
    sealing: SealingIdentity,
    store: RecordStore,
    now: datetime,
    rng: Randomness,
) -> SealedRecord:
    folder = store.begin(keys.record_id)
    plain = (*draft.objects, _journal_object(draft))
    salts = {item.name: rng(SALT_BYTES).hex() for item in plain}
    listed = [_write_object(folder, item, keys, commitment(salts[item.name], item.content)) for item in plain]
    listed.append(_write_object(folder, _commitments_object(salts), keys, None))
    listed += [_link_object(folder, item) for item in draft.adopted]
    manifest = _compose(draft, keys, sealing, now, tuple(listed))
    stored = rfc8785.dumps(to_plain(manifest))
    write_new(folder / MANIFEST_FILE, stored, PUBLIC_FILE)
    write_new(folder / SIGNATURE_FILE, sealing.sign(stored), PUBLIC_FILE)
    write_new(folder / CERTIFICATE_FILE, sealing.certificate_pem(), PUBLIC_FILE)
    _prove(folder, sealing, keys)
    code, code_salt = draw_code(rng), rng(CODE_SALT_BYTES)
    return SealedRecord(
        record_id=keys.record_id,
        folder=store.commit(keys.record_id),
        manifest=manifest,
        manifest_sha256=hashlib.sha256(stored).hexdigest(),
        leaf_hash=leaf_hash(stored),
        size=sum(item.size for item in listed),
        sealed_at=now,
        check_code=code,
        code_salt=code_salt,
        code_hash=hash_code(code, code_salt),
    )


def leaf_hash(manifest_bytes: bytes) -> bytes:
    """The record's leaf in the log to come: RFC 6962 §2.1, 0x00 before the content."""
    return hashlib.sha256(b"\x00" + manifest_bytes).digest()


def _compose(
    draft: RecordDraft, keys: RecordKeys, sealing: SealingIdentity, now: datetime, listed: tuple[RecordObject, ...]
) -> Manifest:
    manifest = Manifest(
        format=FORMAT,
        record_id=keys.record_id,
        visit_id=draft.visit_id,
        service_id=draft.service_id,
        outcome=draft.outcome,
        reason=draft.reason,
        channel=draft.channel,
        language=draft.language,
        assurance=draft.assurance,
        opened_at=instant(draft.opened_at),
        sealed_at=instant(now),
        checks=draft.checks,
        face=draft.face,
        participants=draft.participants,
        signatures=draft.signatures,
        recordings=(*draft.recordings, *_undescribed(draft)),
        journal_object=JOURNAL_OBJECT,
        journal_head=draft.journal[-1].hash,
        software=draft.software,
        policies=draft.policies,
        objects=listed,
        signer=Signer(hashlib.sha256(sealing.certificate_pem()).hexdigest(), ALGORITHM),
    )
    flaw = manifest.first_flaw()
    if flaw is not None:
        raise RecordFormatError(flaw)
    return manifest


def _undescribed(draft: RecordDraft) -> tuple[RecordedTrack, ...]:
    """Tracks of adopted segments that no track of the draft lists: what a crash left is sealed, never left out."""
    listed = {segment.name for track in draft.recordings for segment in track.segments}
    recorded = [item for item in draft.adopted if item.object_class is ObjectClass.RECORDING]
    return leftover_tracks([(item.name, item.path.stat().st_mtime) for item in recorded if item.name not in listed])


def _journal_object(draft: RecordDraft) -> PlainObject:
    if not draft.journal:
        raise RecordFormatError("a visit without a journal cannot be sealed")
    return PlainObject(JOURNAL_OBJECT, ObjectClass.JOURNAL, "application/json", journal_bytes(draft.journal))


def _commitments_object(salts: dict[str, str]) -> PlainObject:
    return PlainObject(COMMITMENTS_OBJECT, ObjectClass.COMMITMENTS, "application/json", rfc8785.dumps(dict(salts)))


def _write_object(folder: Path, item: PlainObject, keys: RecordKeys, committed: str | None) -> RecordObject:
    sealed = encrypt(item.content, keys.recipient_of(KEEP_CLASS[item.object_class]))
    digest = hashlib.sha256(sealed).hexdigest()
    write_new(folder / OBJECT_FOLDER / f"{digest}{OBJECT_SUFFIX}", sealed)
    return RecordObject(item.name, item.object_class, item.media_type, digest, len(sealed), committed)


def encrypt(content: bytes, recipient: str) -> bytes:
    """An age v1 file with a file key of its own, for one recipient."""
    return agewriter.seal(content, agewriter.AgeRecipient.parse(recipient))


def _link_object(folder: Path, item: SealedObject) -> RecordObject:
    """A hard link: the waiting segment stays until the row is committed, so sealing can be tried again."""
    target = folder / OBJECT_FOLDER / f"{item.sha256}{OBJECT_SUFFIX}"
    try:
        os.link(item.path, target)
    except OSError:  # another file system, or one without links
        try:
            shutil.copyfile(item.path, target)
        except OSError as error:
            raise StoreError(f"a segment could not be taken over: {error.strerror}") from error
    handle = os.open(target, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        raise StoreError(f"a segment did not sync: {error.strerror}") from error
    finally:
        os.close(handle)
    return RecordObject(item.name, item.object_class, item.media_type, item.sha256, item.size, None)


def _prove(folder: Path, sealing: SealingIdentity, keys: RecordKeys) -> None:
    """Never acknowledge what the checker would refuse later."""
    trust = sealing.trust_root.read_bytes()
    broken = verify_record(folder, trust, keys.keyring()).first_broken
    if broken is not None:
        raise RecordFormatError(f"not sealed: check {broken.number} {broken.name}: {broken.why}")
