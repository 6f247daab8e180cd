"""One flipped bit anywhere in a court's container, its signature and time stamp included: who notices?

Every second flip falls into the last 12 kilobytes, where signature, time stamp and directory stand.
"""

import random
import re
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from counter_server.config import SigningSettings
from counter_server.records.authority import load_or_create_sealing_identity
from counter_server.records.court_container import check_court
from counter_server.records.court_export import export_court
from counter_server.signing.worker import open_desk

SCRIPT = Path(__file__).parents[1] / "verify-court.sh"
END_BYTES = 12_000
WORDS = re.compile(r"BROKEN [^\n]*: check ([^\n]*)\n")


@dataclass(slots=True)
class CourtFlipFigures:
    """Who noticed what."""

    flips: int = 0
    container_bytes: int = 0
    accepted_by_verifier: int = 0
    script_flips: int = 0
    accepted_by_script: int = 0
    noticed_by_verifier: Counter[str] = field(default_factory=Counter)
    noticed_by_script: Counter[str] = field(default_factory=Counter)


def export_sample(record: Path, keys: Path, folder: Path) -> tuple[Path, Path]:
    """A container of a sealed record, and the roots it is checked against."""
    desk = open_desk(keys, SigningSettings())
    sealing = load_or_create_sealing_identity(keys, datetime.now(UTC))
    trust, container = folder / "court-trust.pem", folder / "record.asice"
    trust.write_bytes(sealing.trust_root.read_bytes() + desk.authority.root.public_bytes(Encoding.PEM))
    export_court(record, None, sealing, desk.clock, trust.read_bytes(), container)
    return container, trust


def try_court_flips(
    container: Path, trust: Path, wanted: int, rng: random.Random, *, script_flips: int | None = None
) -> CourtFlipFigures:
    """Judge every flip with the checker, and all or the first `script_flips` with the script."""
    whole, roots = container.read_bytes(), trust.read_bytes()
    if check_court(container, roots).broken is not None or _ask_script(container, trust) is not None:
        raise AssertionError("the container is refused before anything was changed")
    figures = CourtFlipFigures(container_bytes=len(whole))
    changed = container.with_name("flipped.asice")
    for index in range(wanted):
        at = rng.randrange(len(whole)) if index % 2 else len(whole) - 1 - rng.randrange(min(END_BYTES, len(whole)))
        flipped = bytearray(whole)
        flipped[at] ^= 1 << rng.randrange(8)
        changed.write_bytes(flipped)
        broken = check_court(changed, roots).broken
        figures.flips += 1
        figures.accepted_by_verifier += broken is None
        figures.noticed_by_verifier[f"container: {broken or 'ACCEPTED'}"] += 1
        if script_flips is None or index < script_flips:
            word = _ask_script(changed, trust)
            figures.script_flips += 1
            figures.accepted_by_script += word is None
            figures.noticed_by_script[f"container: {word or 'ACCEPTED'}"] += 1
    changed.unlink(missing_ok=True)
    return figures


def _ask_script(container: Path, trust: Path) -> str | None:
    said = subprocess.run(["sh", str(SCRIPT), str(trust), str(container)], capture_output=True, text=True, check=False)
    if said.stdout == f"WHOLE {container}\n":
        return None
    found = WORDS.fullmatch(said.stdout)
    if found is None:
        raise AssertionError("the script did not answer")
    return found[1]
