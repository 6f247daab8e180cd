"""Checks that need the record's key: what lies inside the objects belongs together."""

import hashlib

from cryptography import x509

from counter_server.records.canonical import read_canonical
from counter_server.records.errors import WithheldError
from counter_server.records.examination import BrokenError, Examination, OpenedObject, UnreachableError, read_blocks
from counter_server.records.journal import first_broken_entry, read_journal
from counter_server.records.line_quality import QUALITY_OBJECT, QUALITY_POLICY, LineQuality, judge
from counter_server.records.passkey_act import (
    PASSKEY_POLICY,
    POSSESSOR,
    Action,
    PasskeyAct,
    passkey_object,
    recognition,
)
from counter_server.records.record import COMMITMENTS_OBJECT, CONTRACT_ROOT, ObjectClass, RecordObject
from counter_server.records.recordings import MATROSKA_TYPES, first_cluster_at, first_cluster_ms
from counter_server.records.statement import SignedStatement
from counter_server.records.verify_clock import accepted_clocks
from counter_server.records.verify_contract import check_contract, clocks_standing

KEPT = (
    ObjectClass.JOURNAL,
    ObjectClass.STATEMENT,
    ObjectClass.COMMITMENTS,
    ObjectClass.CONTRACT,
)
# The muxer waits 1 s for late sound and ends clusters after 1 s, so a cluster may begin that much before the last.
LATEST_MS = 2_000
NEEDS_STROKES = "customer"
ACTION_OF = {"clerk": "countersign", "approver": "approve"}


def commitment(salt_hex: str, content: bytes) -> str:
    """The salted hash the manifest holds of an object's content."""
    return hashlib.sha256(bytes.fromhex(salt_hex) + content).hexdigest()


def objects_open(examination: Examination) -> str:
    """14: every object opens with the record's key. Objects are opened one at a time and forgotten."""
    manifest = examination.manifest
    listed = next(item for item in manifest.objects if item.name == COMMITMENTS_OBJECT)
    examination.salts = _read_salts(_open(examination, listed))
    for item in manifest.objects:
        try:
            content = _open(examination, item)
        except WithheldError:
            examination.withheld.add(item.name)
            continue
        salt = examination.salts.get(item.name)
        examination.opened[item.name] = OpenedObject(
            sha256=hashlib.sha256(content).hexdigest(),
            commitment=None if salt is None else commitment(salt, content),
            content=content if item.object_class in KEPT else None,
            cluster_at=first_cluster_at(content) if item.media_type in MATROSKA_TYPES else None,
            cluster_ms=first_cluster_ms(content) if item.media_type in MATROSKA_TYPES else None,
        )
    withheld = f", {len(examination.withheld)} without their key" if examination.withheld else ""
    return f"{len(examination.opened)} objects{withheld}"


def commitments_hold(examination: Examination) -> str:
    """15: every content is the one the manifest committed to."""
    committed = [item for item in examination.manifest.objects if item.plaintext_commitment is not None]
    for item in committed:
        if item.name in examination.withheld:
            continue
        if examination.opened_object(item.name).commitment != item.plaintext_commitment:
            raise BrokenError(f"{item.name}: content is not the committed one")
    if set(examination.salts) != {item.name for item in committed}:
        raise BrokenError("salts and commitments differ")
    return f"{len(committed)} commitments"


def journal_is_intact(examination: Examination) -> str:
    """16: every journal entry follows from the one before, and the last is the one the manifest names."""
    entries = read_journal(examination.content(examination.manifest.journal_object))
    broken = first_broken_entry(entries)
    if broken is not None:
        raise BrokenError(f"journal entry {broken} does not follow")
    if not entries or entries[-1].hash != examination.manifest.journal_head:
        raise BrokenError("the journal does not end where the manifest says")
    return f"{len(entries)} entries"


def statements_are_signed(examination: Examination) -> str:
    """17: every signature listed has a statement the server signed, about this record, role, person and time."""
    manifest = examination.manifest
    for entry in manifest.signatures:
        signed = SignedStatement.read(examination.content(entry.statement_object))
        if not signed.is_signed_by(examination.certificate_pem or b"", examination.public_key):
            raise BrokenError(f"{entry.statement_object}: the server did not sign it")
        stated = signed.statement
        if (stated.record_id, stated.visit_id, stated.role, stated.actor, stated.at) != (
            manifest.record_id,
            manifest.visit_id,
            entry.role,
            entry.actor,
            entry.signed_at,
        ):
            raise BrokenError(f"{entry.statement_object} speaks of another record, person or time")
    return f"{len(manifest.signatures)} statements"


def document_is_the_signed_one(examination: Examination) -> str:
    """18: the document in the record is the one whose hash each person signed; see 21 where it was signed within."""
    within = _signed_within(examination)
    for entry in examination.manifest.signatures:
        signed = SignedStatement.read(examination.content(entry.statement_object))
        if not within and examination.opened_object(entry.document_object).sha256 != signed.statement.document_sha256:
            raise BrokenError(f"{entry.document_object} is not what the {entry.role} signed")
    return f"{len({entry.document_object for entry in examination.manifest.signatures})} documents"


def contract_holds_its_signatures(examination: Examination) -> str:
    """21: the signatures inside the contract are those of the people listed, over what was shown, and cover all of it.

    Records from before signatures stood in the contract have none to check; the manifest says which kind it is.
    """
    manifest = examination.manifest
    if not _signed_within(examination):
        return "signed by statements alone"
    root = x509.load_pem_x509_certificate(examination.content(CONTRACT_ROOT))
    clocks = accepted_clocks(examination)
    documents, standing = {entry.document_object for entry in manifest.signatures}, set[str]()
    for name in documents - examination.withheld:
        signers = [entry for entry in manifest.signatures if entry.document_object == name]
        said = [SignedStatement.read(examination.content(entry.statement_object)).statement for entry in signers]
        shown = {statement.document_sha256 for statement in said}
        if len(shown) != 1:
            raise BrokenError(f"{name}: not everybody signed the same document")
        expected = [(entry.role, entry.actor) for entry in signers]
        check_contract(examination.content(name), shown.pop(), root, expected, manifest.record_id, clocks)
        standing.add(clocks_standing(examination.content(name), clocks))
    return "; ".join([f"{len(manifest.signatures)} signatures in {len(documents)} contracts", *sorted(standing)])


def staff_acted_by_passkey(examination: Examination) -> str:
    """22: where the record says so, everybody of the staff who signed had a passkey sign this very act.

    A customer's own passkey, where one was shown, signed to be recognised in this very visit.
    """
    manifest = examination.manifest
    names, judged = {item.name for item in manifest.objects}, 0
    for entry in manifest.signatures:
        name = passkey_object(entry.role)
        if entry.role == NEEDS_STROKES:
            continue
        if name not in names:
            if PASSKEY_POLICY in manifest.policies:
                raise BrokenError(f"the {entry.role} acted without a passkey")
            continue
        proof = PasskeyAct.read(examination.content(name))
        stated = SignedStatement.read(examination.content(entry.statement_object)).statement
        expected = Action(ACTION_OF[entry.role], manifest.record_id, entry.role, entry.actor, stated.document_sha256)
        if proof.act != expected:
            raise BrokenError(f"{name} speaks of another act")
        if (flaw := proof.first_flaw()) is not None:
            raise BrokenError(f"{name}: {flaw}")
        judged += 1
    if (shown := passkey_object(POSSESSOR)) in names:
        proof = PasskeyAct.read(examination.content(shown))
        if proof.act != recognition(manifest.record_id):
            raise BrokenError(f"{shown} speaks of another visit")
        if (flaw := proof.first_flaw()) is not None:
            raise BrokenError(f"{shown}: {flaw}")
        return f"{judged} passkeys, and the customer's own"
    return f"{judged} passkeys"


def _signed_within(examination: Examination) -> bool:
    return any(item.name == CONTRACT_ROOT for item in examination.manifest.objects)


def strokes_are_the_signed_ones(examination: Examination) -> str:
    """19: the handwriting in the record is the one in the statement; a customer's signature has some."""
    for entry in examination.manifest.signatures:
        stated = SignedStatement.read(examination.content(entry.statement_object)).statement.strokes_sha256
        found = None if entry.strokes_object is None else examination.opened_object(entry.strokes_object).sha256
        if found != stated:
            raise BrokenError(f"strokes of the {entry.role} are not the signed ones")
        if entry.role == NEEDS_STROKES and found is None:
            raise BrokenError("the customer's signature has no strokes")
    return "handwriting matches"


def recording_runs_forward(examination: Examination) -> str:
    """20: pieces of a Matroska track begin at a cluster and time runs forward from piece to piece."""
    kinds = {item.name: item.media_type for item in examination.manifest.objects}
    judged = 0
    for track in examination.manifest.recordings:
        before_ms = 0
        for segment in track.segments:
            if kinds[segment.name] not in MATROSKA_TYPES or segment.name in examination.withheld:
                continue
            opened = examination.opened_object(segment.name)
            if segment.index == 0 and opened.cluster_at is None:
                continue  # the header alone: the line broke before the first cluster
            if opened.cluster_ms is None or (segment.index > 0 and opened.cluster_at != 0):
                raise BrokenError(f"{segment.name} does not begin at a cluster")
            if opened.cluster_ms < before_ms - LATEST_MS:
                raise BrokenError(f"{segment.name} does not come after the one before")
            before_ms, judged = opened.cluster_ms, judged + 1
    return f"{judged} pieces{_measured_quality(examination)}"


def _measured_quality(examination: Examination) -> str:
    """What the record says of its lines, held to the tracks it is about; nothing where it promised nothing."""
    manifest = examination.manifest
    there = any(item.name == QUALITY_OBJECT for item in manifest.objects)
    if there is not (QUALITY_POLICY in manifest.policies):
        raise BrokenError(f"{QUALITY_OBJECT} is promised and missing, or there and not promised")
    if not there or QUALITY_OBJECT in examination.withheld:
        return ""
    quality = LineQuality.from_bytes(examination.content(QUALITY_OBJECT))
    return "; " + judge(quality, manifest.record_id, manifest.recordings)


def _open(examination: Examination, item: RecordObject) -> bytes:
    if examination.identity is None:
        raise UnreachableError("no key")
    return examination.identity.open(b"".join(read_blocks(examination.object_path(item))))


def _read_salts(content: bytes) -> dict[str, str]:
    plain = read_canonical(content)
    if not isinstance(plain, dict):
        raise BrokenError("commitments are no table")
    salts = {name: salt for name, salt in plain.items() if isinstance(salt, str) and len(salt) == 64}
    if len(salts) != len(plain) or any(set(salt) - set("0123456789abcdef") for salt in salts.values()):
        raise BrokenError("a salt is not 32 bytes")
    return salts
