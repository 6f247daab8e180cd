"""One flipped bit anywhere in a record: noticed by our verifier and by the shell script, and by which check.

Every flip is made on a real file and judged by both. Half of them fall on any bit of the record with equal chance, half
choose a file first, so that the small files that hold everything together are not lost among the recording's bytes.
"""

import os
import random
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from counter_server.records.proving.sample import (
    NOW,
    SampleSafe,
    open_sample_safe,
    sample_draft,
    sample_keys,
    sample_visit_id,
    write_segments,
)
from counter_server.records.seal import SealedRecord, seal_record
from counter_server.records.verify import verify_record

SCRIPT = Path(__file__).parents[1] / "verify.sh"
AT_A_TIME = 100  # copies of the record that one run of the script judges
SEGMENT_BYTES = 30_000
WORDS = re.compile(r"(WHOLE|BROKEN) ([^\n:]*)(?:: check (\d+) (\w+))?\n")


@dataclass(frozen=True, slots=True)
class Flip:
    """One bit of one file."""

    path: str
    byte: int
    bit: int


@dataclass(slots=True)
class FlipFigures:
    """Who noticed what."""

    flips: int = 0
    record_bytes: int = 0
    accepted_by_verifier: int = 0
    accepted_by_script: int = 0
    script_flips: int = 0
    noticed_by_verifier: Counter[str] = field(default_factory=Counter)  # "file kind: check"
    noticed_by_script: Counter[str] = field(default_factory=Counter)


def seal_sample(folder: Path, *, contract: bytes | None = None) -> tuple[SampleSafe, SealedRecord]:
    """A whole sealed record and the safe it lies in."""
    safe, keys = open_sample_safe(folder), sample_keys(0)
    store = safe.home.store()
    segments = write_segments(store.recording_folder(keys.record_id), keys, 2, SEGMENT_BYTES, "customer")
    draft = sample_draft(safe, keys, sample_visit_id(0), (segments,), contract=contract)
    return safe, seal_record(draft, keys, safe.sealing, store, NOW)


def draw_flips(record: Path, wanted: int, rng: random.Random) -> tuple[Flip, ...]:
    """Random bits over every file of a record."""
    files = sorted(str(path.relative_to(record)) for path in record.rglob("*") if path.is_file())
    sizes = [(record / name).stat().st_size for name in files]
    flips = []
    for index in range(wanted):
        name, size = rng.choices(list(zip(files, sizes, strict=True)), weights=sizes if index % 2 else None)[0]
        flips.append(Flip(name, rng.randrange(size), rng.randrange(8)))
    return tuple(flips)


def try_flips(
    record: Path, trust_root: Path, flips: Sequence[Flip], scratch: Path, *, script_flips: int | None = None
) -> FlipFigures:
    """Judge every flip with the verifier, and all or the first `script_flips` with the script."""
    trust = trust_root.read_bytes()
    sound = verify_record(record, trust).intact and _run_script(trust_root, [record]) == [None]
    if not sound:
        raise AssertionError("the record is refused before anything was changed")
    figures = FlipFigures(record_bytes=sum(path.stat().st_size for path in record.rglob("*") if path.is_file()))
    for start in range(0, len(flips), AT_A_TIME):
        batch = flips[start : start + AT_A_TIME]
        copies = [_flipped_copy(record, flip, scratch / f"{index:05d}") for index, flip in enumerate(batch)]
        for flip, copy in zip(batch, copies, strict=True):
            broken = verify_record(copy, trust).first_broken
            figures.flips += 1
            figures.accepted_by_verifier += broken is None
            named = "ACCEPTED" if broken is None else f"{broken.number} {broken.name}"
            figures.noticed_by_verifier[f"{_kind(flip)}: {named}"] += 1
        asked = copies if script_flips is None else copies[: max(0, script_flips - start)]
        for flip, word in zip(batch, _run_script(trust_root, asked) if asked else [], strict=False):
            figures.script_flips += 1
            figures.accepted_by_script += word is None
            figures.noticed_by_script[f"{_kind(flip)}: {word or 'ACCEPTED'}"] += 1
        for copy in copies:
            shutil.rmtree(copy)
    return figures


def _flipped_copy(record: Path, flip: Flip, target: Path) -> Path:
    """The record with one bit changed; its other files are the same files, linked."""
    shutil.copytree(record, target, copy_function=os.link)
    path = target / flip.path
    content = bytearray(path.read_bytes())
    content[flip.byte] ^= 1 << flip.bit
    path.unlink()
    path.write_bytes(content)
    return target


def _run_script(trust_root: Path, records: Sequence[Path]) -> list[str | None]:
    """What the script says of each record: None for whole, else the number and name of the broken check."""
    words = ["sh", str(SCRIPT), str(trust_root), *(str(record) for record in records)]
    said = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    answers = WORDS.findall(said)
    if [name for _, name, _, _ in answers] != [str(record) for record in records]:
        raise AssertionError("the script did not answer for every record")
    return [None if word == "WHOLE" else f"{number} {check}" for word, _, number, check in answers]


def _kind(flip: Flip) -> str:
    return "objects/*.age" if flip.path.startswith("objects/") else flip.path
