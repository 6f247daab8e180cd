"""One flipped bit in a court's container: record, proof from the log, signature, time stamp, seal. Who notices?

Half of the flips fall on any bit of container and seal. The other half choose one of the files inside and change a bit
of it with the sums of the ZIP made right again, as a liar would: what is asked then is signatures, not checksums.
"""

import random
import re
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import ZipFile

from cryptography.hazmat.primitives.serialization import Encoding

from counter_server.config import SigningSettings
from counter_server.db import Database
from counter_server.records.court.container import (
    check_court,
    directory,
    local_header,
    measure_bytes,
    seal_path,
)
from counter_server.records.court.export import export_court
from counter_server.records.log import ledger
from counter_server.records.log.files import LogFiles, load_or_create_log_key
from counter_server.records.proving.sample import SampleSafe
from counter_server.records.seal import SealedRecord
from counter_server.records.service import insert_record
from counter_server.signing.worker import open_desk

SCRIPT = Path(__file__).parents[1] / "court" / "verify-court.sh"
SCRIPT_AT_A_TIME = 50  # containers that one run of the script judges
WORDS = re.compile(r"(WHOLE|BROKEN) ([^\n:]*)(?:: check ([^\n]*))?\n")


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


def export_sample(safe: SampleSafe, sealed: SealedRecord, folder: Path) -> tuple[Path, Path]:
    """A container of a sealed record with its proof from the log, and the roots it is checked against."""
    desk = open_desk(safe.home.sealing, SigningSettings())
    trust, container = folder / "court-trust.pem", folder / "record.asice"
    trust.write_bytes(safe.sealing.trust_root.read_bytes() + desk.authority.root.public_bytes(Encoding.PEM))
    export_court(sealed.folder, prove_sample(safe, sealed), safe.sealing, desk.clock, trust.read_bytes(), container)
    return container, trust


def prove_sample(safe: SampleSafe, sealed: SealedRecord) -> bytes:
    """The record's row and leaf in its safe, and the proof under the log's signed checkpoint."""
    key = load_or_create_log_key(LogFiles(safe.home.folder))
    database = Database(safe.home.database)
    database.open()
    try:
        database.run_now(insert_record, sealed)
        database.run_now(ledger.sign_checkpoint, key, 1)
        return database.run_now(ledger.prove_record, sealed.record_id).spelling().encode()
    finally:
        database.close()


def try_court_flips(
    container: Path, trust: Path, wanted: int, rng: random.Random, *, script_flips: int | None = None
) -> CourtFlipFigures:
    """Judge every flip with the checker, and all or the first `script_flips` with the script."""
    roots, flipper = trust.read_bytes(), _Flipper.open(container)
    if check_court(container, roots).broken is not None or _ask_script([container], trust) != [None]:
        raise AssertionError("the container is refused before anything was changed")
    figures = CourtFlipFigures(container_bytes=len(flipper.whole))
    scratch = container.parent / "flipped"
    scratch.mkdir()
    for start in range(0, wanted, SCRIPT_AT_A_TIME):
        paths, kinds = [], []
        for index in range(start, min(start + SCRIPT_AT_A_TIME, wanted)):
            paths.append(scratch / f"{index}.asice")
            kinds.append(flipper.write(paths[-1], rng, in_a_file=bool(index % 2)))
        for path, kind in zip(paths, kinds, strict=True):
            broken = check_court(path, roots).broken
            figures.flips += 1
            figures.accepted_by_verifier += broken is None
            figures.noticed_by_verifier[f"{kind}: {'ACCEPTED' if broken is None else broken.split(':')[0]}"] += 1
        asked = paths if script_flips is None else paths[: max(0, script_flips - start)]
        for kind, word in zip(kinds, _ask_script(asked, trust), strict=False):
            figures.script_flips += 1
            figures.accepted_by_script += word is None
            figures.noticed_by_script[f"{kind}: {word or 'ACCEPTED'}"] += 1
        for path in paths:
            path.unlink()
            seal_path(path).unlink()
    return figures


@dataclass(frozen=True, slots=True)
class _Flipper:
    """A container taken apart."""

    whole: bytes
    seal: bytes
    parts: dict[str, bytes]

    @classmethod
    def open(cls, container: Path) -> "_Flipper":
        with ZipFile(container) as opened:
            parts = {name: opened.read(name) for name in opened.namelist()}
        return cls(container.read_bytes(), seal_path(container).read_bytes(), parts)

    def write(self, path: Path, rng: random.Random, *, in_a_file: bool) -> str:
        """The container with one bit changed, and its seal; says what the bit is of."""
        seal_path(path).write_bytes(self.seal)
        if not in_a_file:
            at = rng.randrange(len(self.whole) + len(self.seal))
            if at >= len(self.whole):
                return self._flip_seal(path, at - len(self.whole), rng)
            path.write_bytes(_flipped(self.whole, at, rng))
            return "container"
        name = rng.choice([*self.parts, "seal"])
        if name == "seal":
            return self._flip_seal(path, rng.randrange(len(self.seal)), rng)
        changed = self.parts | {name: _flipped(self.parts[name], rng.randrange(len(self.parts[name])), rng)}
        path.write_bytes(zipped(changed))
        return "objects/*.age" if name.startswith("objects/") else name

    def _flip_seal(self, path: Path, at: int, rng: random.Random) -> str:
        path.write_bytes(self.whole)
        seal_path(path).write_bytes(_flipped(self.seal, at, rng))
        return "seal"


def zipped(parts: dict[str, bytes]) -> bytes:
    """A container of these files, its sums right."""
    files = [measure_bytes(name, content) for name, content in parts.items()]
    body = b"".join(local_header(file) + content for file, content in zip(files, parts.values(), strict=True))
    return body + directory(files)


def _flipped(content: bytes, at: int, rng: random.Random) -> bytes:
    changed = bytearray(content)
    changed[at] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _ask_script(containers: list[Path], trust: Path) -> list[str | None]:
    """What the script says of each container: None for whole, else the broken check."""
    if not containers:
        return []
    words = ["sh", str(SCRIPT), str(trust), *map(str, containers)]
    answers = WORDS.findall(subprocess.run(words, capture_output=True, text=True, check=False).stdout)
    if [name for _, name, _ in answers] != [str(path) for path in containers]:
        raise AssertionError("the script did not answer for every container")
    return [None if word == "WHOLE" else why for word, _, why in answers]
