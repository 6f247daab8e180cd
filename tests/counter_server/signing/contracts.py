"""Signed contracts for tests: a real authority, a real clock, the real document."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from counter_server.config import SigningSettings
from counter_server.signing.authority import Act
from counter_server.signing.contract import ContractDesk, sign_by_hand, sign_by_staff
from counter_server.signing.document import RenderedDocument, render_document
from counter_server.signing.fonts import load_fonts
from counter_server.signing.statement import SignerRole
from counter_server.signing.strokes import Strokes
from counter_server.signing.worker import open_desk
from tests.counter_server.signing.builders import document_values, wave

RECORD = "R-20261121-7K3M9Q2X"
EVIDENCE = "5e" * 32
HOLDER = Act(RECORD, "customer", "holder", "李𠮷", EVIDENCE)
CLERK = Act(RECORD, "clerk", "clerk-7", "王芳", EVIDENCE)
APPROVER = Act(RECORD, "approver", "clerk-9", "Anna Łuk", EVIDENCE)
EXPECTED = (("customer", "holder"), ("clerk", "clerk-7"))


@dataclass(frozen=True, slots=True)
class Contract:
    """One document on its way: as shown, signed by hand, countersigned."""

    folder: Path
    desk: ContractDesk
    shown: RenderedDocument
    by_hand: bytes
    countersigned: bytes


@cache
def document() -> RenderedDocument:
    return render_document("raise-limit", "zh", document_values(), load_fonts())


def make_contract(folder: Path, settings: SigningSettings | None = None) -> Contract:
    desk = open_desk(folder, settings or SigningSettings())
    by_hand = hand(desk, document().pdf)
    return Contract(folder, desk, document(), by_hand, sign_by_staff(desk, by_hand, CLERK, datetime.now(UTC)))


def hand(desk: ContractDesk, pdf: bytes) -> bytes:
    strokes = Strokes.of([wave()], 2.5)
    return sign_by_hand(desk, pdf, strokes, HOLDER, (SignerRole.CLERK, SignerRole.APPROVER), datetime.now(UTC))


def signed_by_two(desk: ContractDesk, record_id: str) -> bytes:
    """The document with the hands of a customer and a clerk, for this record."""
    strokes, now = Strokes.of([wave()], 2.5), datetime.now(UTC)
    by_hand = sign_by_hand(
        desk, document().pdf, strokes, replace(HOLDER, record_id=record_id), (SignerRole.CLERK,), now
    )
    return sign_by_staff(desk, by_hand, replace(CLERK, record_id=record_id), now)
