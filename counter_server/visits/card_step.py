"""What the card's chip proves. The kiosk gathers, this decides."""

import asyncio
import functools
import json
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection

from counter_server.errors import CounterError
from counter_server.identification.chip import ChipFinding, ChipQuestion, check_chip
from counter_server.records.record import ObjectClass
from counter_server.visits import continuity, fingers, store
from counter_server.visits.closing import refuse
from counter_server.visits.evidence import CHIP_PORTRAIT, Evidence
from counter_server.visits.facts import Visit
from counter_server.visits.machine import Event
from counter_server.visits.office import Office
from hardware_drivers.id_chip.reading import FINGERPRINTS
from webrtc.wire.card import ChipEvidenceMessage, HolderView
from webrtc.wire.check import CheckOutcome
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import Reason, VisitState


async def ask_chip(office: Office, visit_id: str) -> ChipQuestion:
    """What the chip of this visit must prove itself over; a new question makes the last one worthless."""
    visit = await office.db.run(store.load, visit_id)
    if visit.state is not VisitState.CARD:
        raise CounterError(ErrorCode.WRONG_STEP)
    office.chip_questions[visit_id] = question = ChipQuestion.draw()
    return question


async def take_chip_evidence(
    office: Office, visit_id: str, message: ChipEvidenceMessage, *, own_challenge: bytes | None = None
) -> None:
    """Check the chip's files; the visit goes on to the face, or is refused with the reason.

    Args:
        own_challenge: Where the counter itself drove the reading: what it asked the chip.
    """
    visit = await office.db.run(store.load, visit_id)
    if visit.state is not VisitState.CARD:
        raise CounterError(ErrorCode.WRONG_STEP)
    question = office.chip_questions.pop(visit_id, None) or ChipQuestion.draw()
    if own_challenge is not None:
        question = replace(question, challenge=own_challenge)
    judge = functools.partial(check_chip, own_terminal=own_challenge is not None)
    finding = await asyncio.to_thread(judge, message, office.trust, datetime.now(UTC), question)
    if visit.again and finding.refusal is None and not _same_document(visit.holder, finding.holder):
        finding = replace(finding, refusal=Reason.OTHER_CARD)
    details = {
        "access": message.access,
        "read_ms": str(message.read_ms),
        "reader": message.reader,
        "failed": ",".join(c.name for c in finding.checks if c.outcome is CheckOutcome.FAILED),
    }

    def seen(before: Visit) -> Visit:
        return before.model_copy(update={"checks": (*kept, *finding.checks), "holder": finding.holder})

    kept = tuple(check for check in visit.checks if check.name == continuity.CHECK)

    def still_asked(connection: Connection) -> None:
        if store.load(connection, visit_id).state is not VisitState.CARD:
            raise CounterError(ErrorCode.WRONG_STEP, "another card was quicker")

    if finding.refusal is not None:

        def refused(connection: Connection) -> None:
            still_asked(connection)
            store.note(connection, visit_id, store.COUNTER, "chip_refused", seen, details)
            _keep(office.evidence_of(visit_id), message, question, finding)

        await refuse(office, visit_id, finding.refusal, store.COUNTER, refused)
        return
    dg3 = message.data_groups.get(FINGERPRINTS)
    asked = await fingers.to_ask(office, visit, finding.holder, dg3, after_face=False)
    if asked is None:
        await office.db.run(store.move, visit_id, Event.CHIP_ACCEPTED, store.COUNTER, seen, details)
    else:
        wanted = asked.view

        def seen_and_asked(before: Visit) -> Visit:
            return seen(before).model_copy(update={"finger": wanted})

        await office.db.run(store.move, visit_id, Event.FINGER_ASKED, store.COUNTER, seen_and_asked, details)
    # Not before: of two cards read at once, the portrait kept must be that of the holder who was accepted.
    _keep(office.evidence_of(visit_id), message, question, finding)
    office.evidence_of(visit_id).finger = None if asked is None else asked.session
    office.changed(visit_id)


def _same_document(first: HolderView | None, now: HolderView | None) -> bool:
    """Whether a card that was asked for again is the one of the beginning; it may have lain there in between."""
    if first is None or now is None:
        return first is now
    return (first.document_number, first.issuing_state) == (now.document_number, now.issuing_state)


def _keep(evidence: Evidence, message: ChipEvidenceMessage, question: ChipQuestion, finding: ChipFinding) -> None:
    asked = {"challenge": question.challenge.hex(), "counter_secret": question.terminal.secret.hex()}
    evidence.add("chip/question.json", ObjectClass.EVIDENCE, "application/json", json.dumps(asked).encode())
    if message.proofs:
        evidence.add("chip/proofs.json", ObjectClass.EVIDENCE, "application/json", message.proofs)
    for name, content in (("ef-com", message.ef_com), ("ef-sod", message.ef_sod)):
        evidence.add(f"chip/{name}.bin", ObjectClass.EVIDENCE, "application/octet-stream", content)
    evidence.chip_fingers = message.data_groups.get(FINGERPRINTS)
    for number, content in message.data_groups.items():
        if number == FINGERPRINTS:
            continue  # a picture of a finger: compared with, never kept; the signed list still names its hash
        evidence.add(f"chip/dg{number}.bin", ObjectClass.EVIDENCE, "application/octet-stream", content)
    if finding.portrait is not None:
        original = finding.portrait
        suffix = original.image_type.value.rpartition("/")[2]
        evidence.add(f"chip/portrait.{suffix}", ObjectClass.EVIDENCE, original.image_type.value, original.image)
    if finding.portrait_jpeg is not None:
        evidence.add(CHIP_PORTRAIT, ObjectClass.PORTRAIT, "image/jpeg", finding.portrait_jpeg)
