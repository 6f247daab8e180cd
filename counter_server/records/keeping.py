"""How long what is kept: four classes of objects, each under keys of its own, so that each can go at its own time.

At least: nobody may erase it earlier, also not on the customer's wish. At most: then it goes by itself, unless a legal
hold stops it. The defaults are for a bank in China; an operator states others in `<home>/retention.toml`.
"""

import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from counter_server.records.errors import KeepingError
from counter_server.records.record import ObjectClass


class KeepClass(StrEnum):
    """What expires together."""

    CONTRACT = "contract"  # what was agreed, who signed, how the visit went
    RECORDING = "recording"  # pictures and sound of both sides
    BIOMETRIC = "biometric"  # chip, portrait, face
    FINGER = "finger"  # templates that later visits are compared with


KEEP_CLASS: dict[ObjectClass, KeepClass] = {
    ObjectClass.CONTRACT: KeepClass.CONTRACT,
    ObjectClass.SIGNATURE: KeepClass.CONTRACT,
    ObjectClass.STATEMENT: KeepClass.CONTRACT,
    ObjectClass.JOURNAL: KeepClass.CONTRACT,
    ObjectClass.FORM: KeepClass.CONTRACT,
    ObjectClass.COMMITMENTS: KeepClass.CONTRACT,
    ObjectClass.RECORDING: KeepClass.RECORDING,
    ObjectClass.EVIDENCE: KeepClass.BIOMETRIC,
    ObjectClass.PORTRAIT: KeepClass.BIOMETRIC,
    ObjectClass.PICTURE: KeepClass.BIOMETRIC,
    ObjectClass.FINGER: KeepClass.FINGER,
}


@dataclass(frozen=True, slots=True)
class Span:
    """From the seal on."""

    at_least: timedelta
    at_most: timedelta


YEAR = timedelta(days=366)  # never a day too short
DEFAULT_KEEPING: dict[KeepClass, Span] = {
    # Anti-Money Laundering Law of the PRC (2024), Art. 34: identity and transaction records at least ten years
    KeepClass.CONTRACT: Span(10 * YEAR, 11 * YEAR),
    # recordings of sales: until half a year after the product ends (银保监办发〔2017〕110 号); two years unless stated
    KeepClass.RECORDING: Span(timedelta(), 2 * YEAR),
    # rules on face recognition of 2025: no longer than the purpose needs; disputes come within half a year
    KeepClass.BIOMETRIC: Span(timedelta(), timedelta(days=183)),
    # kept for use, gone on the customer's wish: three years, as Regulation (EU) 2017/2226, Art. 34 has it for fingers
    KeepClass.FINGER: Span(timedelta(), 3 * YEAR),
}


@dataclass(frozen=True, slots=True)
class KeepUntil:
    """One class's two moments."""

    at_least: datetime
    at_most: datetime


def keep_until(keeping: dict[KeepClass, Span], sealed_at: datetime) -> dict[KeepClass, KeepUntil]:
    """The moments of a record sealed now."""
    return {each: KeepUntil(sealed_at + span.at_least, sealed_at + span.at_most) for each, span in keeping.items()}


def read_keeping(home: Path) -> dict[KeepClass, Span]:
    """The spans of this home; `KeepingError` names what is wrong in `retention.toml`.

    The file has a table per class, in days: `[contract]`, `at_least = 3660`, `at_most = 4026`.
    """
    path, keeping = home / "retention.toml", dict(DEFAULT_KEEPING)
    if not path.exists():
        return keeping
    try:
        stated = tomllib.loads(path.read_text("utf-8"))
        for name, days in stated.items():
            if set(days) != {"at_least", "at_most"} or not 0 <= days["at_least"] <= days["at_most"]:
                raise KeepingError(f"{path.name}: [{name}] wants at_least and at_most in days, the first not larger")
            keeping[KeepClass(name)] = Span(timedelta(days=days["at_least"]), timedelta(days=days["at_most"]))
    except (ValueError, TypeError) as error:
        raise KeepingError(f"{path.name}: {error}") from error
    return keeping
