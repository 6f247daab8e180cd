"""A judged document as lines for a terminal, and as one JSON object."""

import unicodedata
from collections.abc import Sequence
from typing import Any

from counter_server.card_words import HOLDER, VERDICTS, check_words, outcome_words, reason_words, say
from hardware_drivers.id_chip.checks import Check, CheckName, Outcome
from hardware_drivers.id_chip.verify import ChipReport
from webrtc.wire.message import Language

GAP = "   "


def verdict_of(report: ChipReport) -> str:
    """`genuine`, `copy_possible` or `refused`."""
    if report.refusals():
        return "refused"
    clones = [check for check in report.checks if check.name is CheckName.CLONE_PROTECTION]
    return "genuine" if clones and clones[0].outcome is Outcome.PASSED else "copy_possible"


def report_lines(report: ChipReport, language: Language) -> list[str]:
    """The person, every check, and what it all comes to."""
    return [
        *holder_lines(report, language),
        "",
        *check_lines(report.checks, language),
        "",
        say(VERDICTS, verdict_of(report), language),
    ]


def holder_lines(report: ChipReport, language: Language) -> list[str]:
    """Who the chip says it belongs to; worth as much as the checks below."""
    if report.holder is None:
        return []
    holder, portrait = report.holder, report.portrait
    shown: dict[str, str] = {
        "name": holder.name,
        "document_number": holder.document_number,
        "issuing_state": holder.issuing_state,
        "nationality": holder.nationality,
        "date_of_birth": "—" if holder.date_of_birth is None else holder.date_of_birth.isoformat(),
        "date_of_expiry": holder.date_of_expiry.isoformat(),
        "sex": "X" if holder.sex == "<" else holder.sex,
        "portrait": "—"
        if portrait is None
        else f"{portrait.image_type.value}, {portrait.width_px} × {portrait.height_px}, {len(portrait.image)} B",
    }
    rows = [(say(HOLDER, name, language), value) for name, value in shown.items()]
    return columns(rows)


def check_lines(checks: Sequence[Check], language: Language) -> list[str]:
    """One line per check: what it asks, how it came out, why."""
    return columns(
        [(outcome_words(c, language), check_words(c.name, language), reason_words(c, language)) for c in checks]
    )


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows with their columns under each other; Chinese characters are two cells wide."""
    if not rows:
        return []
    widths = [max(cells(row[index]) for row in rows) for index in range(len(rows[0]))]
    return [
        GAP.join(text + " " * (width - cells(text)) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def cells(text: str) -> int:
    """How wide a terminal draws it (Unicode annex 11)."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def checks_document(checks: Sequence[Check]) -> list[dict[str, str]]:
    """The checks as JSON values."""
    return [
        {
            "name": check.name.value,
            "outcome": check.outcome.value,
            "code": check.code.value,
            "why": check.why,
            "clause": check.clause,
        }
        for check in checks
    ]


def report_document(report: ChipReport) -> dict[str, Any]:
    """The judged document as JSON values; the portrait by its type and size only."""
    holder, portrait = report.holder, report.portrait
    return {
        "verdict": verdict_of(report),
        "refused_by": [check.name.value for check in report.refusals()],
        "checks": checks_document(report.checks),
        "holder": None
        if holder is None
        else {
            "name": holder.name,
            "surname": holder.surname,
            "given_names": holder.given_names,
            "document_number": holder.document_number,
            "issuing_state": holder.issuing_state,
            "nationality": holder.nationality,
            "date_of_birth": None if holder.date_of_birth is None else holder.date_of_birth.isoformat(),
            "date_of_expiry": holder.date_of_expiry.isoformat(),
            "sex": "X" if holder.sex == "<" else holder.sex,
        },
        "portrait": None
        if portrait is None
        else {
            "type": portrait.image_type.value,
            "width_px": portrait.width_px,
            "height_px": portrait.height_px,
            "bytes": len(portrait.image),
        },
    }
