"""What of a visit goes into its record, and under which names."""

import json
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from counter_server.records.journal import JournalEntry, instant
from counter_server.records.line_quality import QUALITY_OBJECT, QUALITY_POLICY
from counter_server.records.passkey_act import PASSKEY_POLICY, POSSESSOR, passkey_object
from counter_server.records.record import (
    CONTRACT_ROOT,
    TIME_STAMP_ROOTS,
    CheckEntry,
    FaceEntry,
    ObjectClass,
    Participant,
    RecordingGap,
    RecordingSegment,
    SignatureEntry,
)
from counter_server.records.record import RecordedTrack as RecordedSide
from counter_server.records.seal import PlainObject, RecordDraft, SealedObject
from counter_server.records.verify_clock import clocks_policy, installed_clock_roots
from counter_server.visits.evidence import CONTRACT, Evidence
from counter_server.visits.facts import Visit
from counter_server.visits.line_quality import measured
from webrtc.engine import RecordedTrack

STROKES, SIGNERS_EVIDENCE = "signature/strokes.json", "signature/evidence.json"
FORM, HOLDER, PEM = "form.json", "holder.json", "application/x-pem-file"
MATROSKA = "video/x-matroska"
POLICIES = ("recording-consent-1", "biometrics-consent-1")
FINGER_POLICY = "finger-consent-1"
SOFTWARE = ("cryptography", "aiortc", "dlib-bin", "pyhanko", "typst")


def compose(
    visit: Visit,
    evidence: Evidence,
    journal: tuple[JournalEntry, ...],
    outcome: str,
    tracks: tuple[RecordedTrack, ...],
    folder: Path,
    contract_root: Path,
) -> RecordDraft:
    """The draft of the visit's record.

    Args:
        folder: Holds the sealed segments.
        contract_root: File with the certificate that vouches for the contract's signers; the operator's list of
            time stamp issuers lies beside it, where there is one.
    """
    clocks, policies = installed_clock_roots(contract_root.parent), _policies(visit, evidence)
    objects = [
        PlainObject(name, exhibit.object_class, exhibit.media_type, exhibit.content)
        for name, exhibit in evidence.exhibits.items()
        if exhibit.object_class is not ObjectClass.FINGER or outcome == "done"  # nothing is enrolled by a refusal
    ]
    if visit.values:
        objects.append(_json(FORM, ObjectClass.FORM, visit.values))
    if visit.holder is not None:
        objects.append(_json(HOLDER, ObjectClass.EVIDENCE, visit.holder.model_dump(mode="json")))
    for role, statement in evidence.statements.items():
        name = f"statements/{role}.json"
        objects.append(PlainObject(name, ObjectClass.STATEMENT, "application/json", statement.to_bytes()))
    for role, proof in evidence.passkey_acts.items():
        objects.append(PlainObject(passkey_object(role), ObjectClass.STATEMENT, "application/json", proof.to_bytes()))
    if evidence.possession is not None:
        name = passkey_object(POSSESSOR)
        objects.append(PlainObject(name, ObjectClass.STATEMENT, "application/json", evidence.possession.to_bytes()))
    if evidence.strokes is not None and evidence.document is not None and visit.signed_as("customer") is not None:
        objects.append(PlainObject(STROKES, ObjectClass.SIGNATURE, "application/json", evidence.strokes.to_bytes()))
        objects.append(PlainObject(SIGNERS_EVIDENCE, ObjectClass.STATEMENT, "application/json", evidence.summary))
        objects.append(PlainObject(CONTRACT_ROOT, ObjectClass.STATEMENT, PEM, contract_root.read_bytes()))
        if clocks is not None:
            objects.append(PlainObject(TIME_STAMP_ROOTS, ObjectClass.STATEMENT, PEM, clocks))
            policies = (*policies, clocks_policy(clocks))
    adopted, sides = _recordings(folder, tracks)
    quality = measured(evidence.keys.record_id, tracks, sides)
    if quality is not None:
        objects.append(PlainObject(QUALITY_OBJECT, ObjectClass.STATEMENT, "application/json", quality.to_bytes()))
    return RecordDraft(
        visit_id=visit.visit_id,
        service_id=visit.service_id,
        outcome=outcome,
        reason=None if visit.reason is None else visit.reason.value,
        channel=visit.channel.value,
        language=visit.language.value,
        assurance=visit.assurance.value,
        opened_at=visit.opened_at,
        checks=tuple(CheckEntry(c.name, c.outcome.value, c.why, c.clause) for c in visit.checks),
        face=_face(visit),
        participants=_participants(visit, journal),
        signatures=tuple(
            SignatureEntry(
                role=act.role,
                actor="holder" if act.role == "customer" else act.actor,
                signed_at=instant(act.at),
                document_object=CONTRACT,
                statement_object=f"statements/{act.role}.json",
                strokes_object=STROKES if act.role == "customer" else None,
            )
            for act in visit.signed
            if act.role in evidence.statements
        ),
        recordings=sides,
        journal=journal,
        software={"visual-counter": version("visual-counter") if _installed() else "source"}
        | {name: version(name) for name in SOFTWARE},
        policies=(*policies, *((QUALITY_POLICY,) if quality is not None else ())),
        objects=tuple(objects),
        adopted=adopted,
    )


def _policies(visit: Visit, evidence: Evidence) -> tuple[str, ...]:
    """What the record says it keeps to; a checker holds it to that."""
    staff = {act.role for act in visit.signed} - {"customer"}
    by_passkey = bool(staff) and staff <= set(evidence.passkey_acts)
    finger = () if visit.finger is None else (FINGER_POLICY,)
    return (*POLICIES, *finger, *((PASSKEY_POLICY,) if by_passkey else ()))


def _installed() -> bool:
    try:
        version("visual-counter")
    except ImportError:  # PackageNotFoundError: run from the source tree
        return False
    return True


def _json(name: str, object_class: ObjectClass, content: object) -> PlainObject:
    text = json.dumps(content, ensure_ascii=False, sort_keys=True)
    return PlainObject(name, object_class, "application/json", text.encode())


def _face(visit: Visit) -> FaceEntry | None:
    face = visit.face
    if face is None:
        return None
    return FaceEntry(
        verdict=face.verdict.value,
        live=face.live,
        compared=face.compared,
        fmr_upper=None if face.fmr_upper is None else f"{face.fmr_upper:.6f}",
        comparisons=face.comparisons,
        engine=face.engine,
        reasons=face.reasons,
    )


def _participants(visit: Visit, journal: tuple[JournalEntry, ...]) -> tuple[Participant, ...]:
    taken = [entry for entry in journal if entry.event == "taken"]
    people = [Participant("customer", "holder", instant(visit.opened_at), None)]
    people += [Participant("clerk", entry.actor_id, entry.at, None) for entry in taken]
    approved = visit.signed_as("approver")
    if approved is not None:
        people.append(Participant("approver", approved.actor, instant(approved.at), None))
    return tuple(people)


def _recordings(
    folder: Path, tracks: tuple[RecordedTrack, ...]
) -> tuple[tuple[SealedObject, ...], tuple[RecordedSide, ...]]:
    """Every segment that lies in the folder becomes an object; the tracks say what they hold."""
    adopted = tuple(
        SealedObject.adopt(path, f"recording/{path.name.removesuffix('.age')}", ObjectClass.RECORDING, MATROSKA)
        for path in sorted(folder.glob("*.age"))
    )
    return adopted, tuple(_side(track) for track in tracks)


def _side(track: RecordedTrack) -> RecordedSide:
    return RecordedSide(
        side=track.role,
        kind="both",
        started_at=instant(_utc(track.started_at)),
        frames=track.frames,
        fps_milli=int(track.fps_measured * 1000),
        duration_ms=int(track.duration_s * 1000),
        gaps=tuple(RecordingGap(int(at_s * 1000), int(for_s * 1000)) for at_s, for_s in track.gaps),
        segments=tuple(
            RecordingSegment(name=f"recording/{filename.removesuffix('.age')}", index=index)
            for index, (filename, _size, _sha256) in enumerate(track.segments)
        ),
        complete=track.complete,
    )


def _utc(at: datetime) -> datetime:
    return at.astimezone()
