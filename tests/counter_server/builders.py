"""Builders: an office in a temporary home, visits brought to any state by the real operations."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from counter_server.config import Patience, Settings
from counter_server.identification.continuity_calls import Noticed
from counter_server.identification.face_process import CheckFinding, FaceFinding
from counter_server.people import clerks
from counter_server.serve import build_office, open_database
from counter_server.visits import card_step, continuity, customer, desk, face_attempt, face_decision, store
from counter_server.visits.facts import Visit
from counter_server.visits.office import Office
from hardware_drivers.id_chip.personalise import Defect
from tests.hardware_drivers.cards import evidence_of, make_card, make_issuer
from webrtc.wire.card import ChipEvidenceMessage
from webrtc.wire.catalogue import Channel
from webrtc.wire.check import CheckOutcome
from webrtc.wire.console import ClerkView, SetChecklistItem
from webrtc.wire.face import ContinuityCue, ContinuityState
from webrtc.wire.message import Language
from webrtc.wire.visit import OpenVisit, PageSeen, Point, SignDocument, SubmitForm

PASSWORD = "correct horse battery"
ADDRESS = {"address": "北京市西城区金融大街1号", "postcode": "100033", "phone": "010-12345678"}
LOST_CARD = {"card_last4": "4321", "how_lost": "lost", "deliver_to": "上海市浦东新区世纪大道100号"}
LIMIT = {"new_limit": "50000", "purpose": "装修"}
FORMS = {"change-address": ADDRESS, "replace-card": LOST_CARD, "raise-limit": LIMIT}


@contextlib.asynccontextmanager
async def office_in(home: Path, patience: Patience | None = None) -> AsyncIterator[Office]:
    """A real office on a real database; media worker and face process are not started, nobody has a camera here."""
    (home / "trust").mkdir(parents=True, exist_ok=True)
    (home / "trust" / "utopia.der").write_bytes(make_issuer().csca_der)
    settings = Settings(home=home, patience=patience or Patience())
    database = open_database(settings)
    try:
        yield build_office(settings, database)
    finally:
        database.close()


async def add_clerk(office: Office, username: str, *roles: str) -> ClerkView:
    clerk_id = await office.db.run(
        clerks.add_clerk, username, username.title(), roles or ("clerk",), Language.EN, PASSWORD
    )
    return await office.db.run(clerks.view, clerk_id)


def chip_message(*defects: Defect) -> ChipEvidenceMessage:
    evidence = evidence_of(make_card(defects=defects))
    return ChipEvidenceMessage.model_construct(
        access="BAC",
        atr=evidence.atr,
        ef_com=evidence.ef_com,
        ef_sod=evidence.ef_sod,
        data_groups=dict(evidence.data_groups),
        read_ms=evidence.read_ms,
        reader="test",
    )


def face(
    visit_id: str,
    verdict: str = "accept",
    *,
    live: bool = True,
    compared: bool = True,
    fmr_worst_group: float | None = 0.001,
) -> FaceFinding:
    """What the face process says at the end of a session."""
    return FaceFinding(
        session_id=visit_id,
        verdict=verdict,
        live=live,
        compared=compared,
        fmr_upper=0.001 if compared else None,
        comparisons=3000 if compared else None,
        engine="test",
        checks=(CheckFinding("movement", "passed" if live else "failed", "turn_left"),),
        reasons=(),
        best_jpeg=b"\xff\xd8 not really",
        fmr_worst_group=fmr_worst_group if compared else None,
    )


async def decided(office: Office, finding: FaceFinding) -> None:
    """A face attempt from its drawing to its decision, over one line."""
    face_attempt.draw_challenge(office, finding.session_id)
    await face_decision.decide_face(office, finding)


async def opened(office: Office, service_id: str, channel: Channel = Channel.KIOSK) -> Visit:
    kiosk_id = "kiosk-a" if channel is Channel.KIOSK else None
    request = OpenVisit(service_id=service_id, language=Language.ZH)
    _, visit = await customer.open_visit(office, request, channel, kiosk_id=kiosk_id, phone_token=None)
    return visit


async def with_card_and_face(office: Office, service_id: str, verdict: str = "accept") -> Visit:
    """Consent, a genuine card, and the face as told: at the form."""
    visit = await opened(office, service_id)
    await customer.consent(office, visit.visit_id)
    await card_step.take_chip_evidence(office, visit.visit_id, chip_message())
    await decided(office, face(visit.visit_id, verdict))
    return await office.db.run(store.load, visit.visit_id)


async def waiting(office: Office, service_id: str) -> Visit:
    """In the queue."""
    visit = await with_card_and_face(office, service_id)
    await customer.submit_form(office, visit.visit_id, SubmitForm(values=FORMS[service_id]))
    return await office.db.run(store.load, visit.visit_id)


async def noticed(office: Office, visit: Visit, state: ContinuityState, cue: ContinuityCue | None = None) -> None:
    """What the face process says of the person in the call."""
    await continuity.notice(office, Noticed(visit.visit_id, state, cue, looks=9, same=7))


async def reading(office: Office, clerk: ClerkView, service_id: str) -> Visit:
    """Taken by the clerk, checklist done, document open on both screens."""
    visit = await waiting(office, service_id)
    await desk.take(office, clerk, None)
    await noticed(office, visit, ContinuityState.HELD)
    visit = await office.db.run(store.load, visit.visit_id)
    for item in visit.checklist:
        await desk.set_item(office, clerk, visit.visit_id, item.item_id, SetChecklistItem(outcome=CheckOutcome.PASSED))
    await desk.push_document(office, clerk, visit.visit_id)
    return await office.db.run(store.load, visit.visit_id)


async def signed(office: Office, clerk: ClerkView, service_id: str) -> Visit:
    """Every page seen, signed by the customer: the clerk's turn."""
    visit = await reading(office, clerk, service_id)
    await read_and_sign(office, visit)
    return await office.db.run(store.load, visit.visit_id)


async def read_and_sign(office: Office, visit: Visit) -> None:
    """The customer sees every page of the document that the visit holds, and signs it."""
    assert visit.document is not None
    sha256 = visit.document.sha256
    for page in range(1, visit.document.pages + 1):
        await customer.see_page(office, visit.visit_id, PageSeen(document_sha256=sha256, page=page))
    await customer.sign(office, visit.visit_id, signature(sha256))


def signature(document_sha256: str) -> SignDocument:
    stroke = tuple(Point(x=0.1 + i / 50, y=0.5 + (i % 5) / 20, t_ms=i * 20) for i in range(40))
    return SignDocument(document_sha256=document_sha256, strokes=(stroke,), pad_ratio=3.0)


async def now(office: Office, visit: Visit) -> Visit:
    """The visit as it stands."""
    return await office.db.run(store.load, visit.visit_id)


def sha_of(visit: Visit) -> str:
    """Of the document that both sides look at."""
    assert visit.document is not None
    return visit.document.sha256


async def until(holds: Callable[[], bool]) -> None:
    """Turn the loop until it holds; what is waited for has no event of its own."""
    while not holds():  # noqa: ASYNC110 - as said
        await asyncio.sleep(0)
