"""Reading and judging hostile chips by the hundred thousand: `counter card fuzz --answers N --seed S`.

Each case is one chip that lies in its own way, read by `read_chip` and judged by `verify_evidence` without any cable. A
case's lies hang on the seed and its number alone. The cases run in a child whose memory is limited and whose every
case has the watchdog's time, so a crash of the interpreter itself is one finding more and not the end.
"""

import argparse
import io
import json
import random
import resource
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import FrameType

from PIL import Image

from hardware_drivers.errors import DeviceError
from hardware_drivers.id_chip.card_file import NO_SECRETS, PersonalisedCard
from hardware_drivers.id_chip.card_protection import (
    ActiveAuthenticationKind,
    ChipAuthenticationKind,
    PaceKind,
    Protection,
)
from hardware_drivers.id_chip.evidence import ChipEvidence
from hardware_drivers.id_chip.files import data_group
from hardware_drivers.id_chip.hostile_chip import CABLE_KINDS, Depth, HostileChip, HostileLink, Lies, spoil_files
from hardware_drivers.id_chip.issuer import KeyKind, TestIssuer
from hardware_drivers.id_chip.mutation import Kind
from hardware_drivers.id_chip.personalise import Person, personalise
from hardware_drivers.id_chip.read import read_chip
from hardware_drivers.id_chip.trust import TrustStore
from hardware_drivers.id_chip.verify import ChipReport, verify_evidence

CASE_TIMEOUT_S = 6.0  # the watchdog's time for one command: beyond it a case hangs
MEMORY_MAX_BYTES = 512 * 2**20  # address space of the child; what it really touches is printed as peak_mb
TELL_EVERY_S = 2.0
CHALLENGE_LENGTH = 8
# What the cards have, and how often each is drawn: elliptic curves in Python cost a hundred times a basic access.
PROTECTIONS = (
    Protection(),
    Protection(active=ActiveAuthenticationKind.ECDSA),
    Protection(active=ActiveAuthenticationKind.RSA_SHA256),
    Protection(chip=ChipAuthenticationKind.ECDH_AES128, active=ActiveAuthenticationKind.RSA_SHA1),
    Protection(chip=ChipAuthenticationKind.DH_3DES),
    Protection(pace=PaceKind.GENERIC, chip=ChipAuthenticationKind.ECDH_AES256),
    Protection(pace=PaceKind.INTEGRATED, active=ActiveAuthenticationKind.ECDSA),
    Protection(pace=PaceKind.CHIP_AUTHENTICATION, chip=ChipAuthenticationKind.ECDH_AES128_V2),
)
PROTECTION_WEIGHTS = (70, 11, 8, 3, 2, 2, 2, 2)
KEY_FILES = frozenset({data_group(14).fid, data_group(15).fid})
# How many answers a chip is honest before it begins to lie, so that every step of a reading gets its share.
HONEST = {Depth.CABLE: (0, 0, 1, 2, 3, 4, 5, 6, 8, 12), Depth.INSIDE: (0, 0, 1, 2, 3, 5), Depth.FILES: (0,)}
FINDINGS_MAX = 20  # the first ones are looked at; the rest are counted
AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PACKAGE_ROOT = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class Tally:
    """What came of the cases so far. `outcomes` counts how readings ended: an error's name, refused, or genuine."""

    cases: int = 0
    answers: int = 0
    crashes: int = 0
    hangs: int = 0
    false_genuine: int = 0
    peak_mb: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def find(self, what: str) -> None:
        """Keep the first few."""
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(what)

    def add(self, other: "Tally") -> None:
        """Both together."""
        self.cases += other.cases
        self.answers += other.answers
        self.crashes += other.crashes
        self.hangs += other.hangs
        self.false_genuine += other.false_genuine
        self.peak_mb = max(self.peak_mb, other.peak_mb)
        self.kinds += other.kinds
        self.outcomes += other.outcomes
        for what in other.findings:
            self.find(what)

    def as_json(self) -> str:
        """One line for the parent."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def from_json(cls, line: str) -> "Tally":
        """The inverse; the line is our own child's."""
        fields = json.loads(line)
        return cls(**fields | {"kinds": Counter(fields["kinds"]), "outcomes": Counter(fields["outcomes"])})


class HangError(BaseException):
    """A case took longer than the watchdog allows; no `except Exception` on the way may swallow it."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Genuine cards of one state, another person's of each kind, and whom the judge trusts.

    Attributes:
        pairs: Card and other card, by what protects them.
    """

    pairs: tuple[tuple[PersonalisedCard, PersonalisedCard], ...]
    trust: TrustStore

    @classmethod
    def make(cls) -> "Scene":
        """Generated people; pictures are small so that a case is quick."""
        rng = random.Random(20261121).randbytes  # noqa: S311 - a scene that is the same every time
        issuer = TestIssuer.create(rng, AT, kind=KeyKind.P256)
        people = [
            Person(surname, "TEST", number, date(1990, 5, 17), date(2031, 1, 1))
            for surname, number in (("GENUINE", "VC1234567"), ("OTHER", "VC7654321"))
        ]
        pairs = [
            tuple(personalise(person, _picture(rng), issuer, rng, protection=protection) for person in people)
            for protection in PROTECTIONS
        ]
        return cls(tuple((one, other) for one, other in pairs), TrustStore.of([issuer.csca_der]))


def _picture(rng: Callable[[int], bytes]) -> bytes:
    """A small JPEG of noise."""
    stored = io.BytesIO()
    Image.frombytes("L", (32, 32), rng(1024)).save(stored, "JPEG", quality=40)
    return stored.getvalue()


@dataclass(frozen=True, slots=True)
class Case:
    """One hostile chip, as drawn."""

    rng: random.Random
    card: PersonalisedCard
    chip: HostileChip
    lies: Lies
    copied: bool
    extended: bool

    @classmethod
    def draw(cls, scene: Scene, seed: int, number: int) -> "Case":
        """The case of that number."""
        rng = random.Random(f"{seed}/{number}")  # noqa: S311 - repeatable on purpose
        (card, other), *_ = rng.choices(scene.pairs, PROTECTION_WEIGHTS)
        depth = rng.choice((Depth.CABLE, Depth.INSIDE, Depth.FILES))
        lies = Lies(rng, depth, rate=rng.choice((0.2, 0.5, 1.0)), honest=rng.choice(HONEST[depth]))
        if depth is Depth.CABLE and rng.random() < 0.5:
            lies.kinds = (rng.choice(CABLE_KINDS),)
        stored = card
        copied = bool(card.secrets.active_key or card.secrets.static_keys) and rng.random() < 0.3
        if copied:
            # a copy has the files and none of the keys, or its maker's, who may store the public ones there as well
            own_keys = rng.choice((NO_SECRETS, other.secrets, other.secrets))
            pace = card.pace
            if pace is not None and other.pace is not None:
                pace = replace(pace, static_key=other.pace.static_key)
            stored = replace(stored, secrets=own_keys, pace=pace)
            lies.told[Kind.NO_KEY] += 1
            if own_keys is other.secrets and rng.random() < 0.5:
                named = {fid: content for fid, content in other.files.items() if fid in KEY_FILES}
                stored = replace(stored, files={**stored.files, **named})
                lies.told[Kind.OWN_KEYS] += 1
        if depth is Depth.FILES and not (copied and rng.random() < 0.5):
            stored = replace(stored, files=spoil_files(rng, stored.files, other.files, lies.told))
        extended = rng.random() < 0.7
        chip = HostileChip.of(stored, rng.randbytes, extended=extended)
        chip.lies = lies
        return cls(rng, card, chip, lies, copied, extended)


def play(scene: Scene, seed: int, number: int, tally: Tally) -> None:
    """One hostile chip, read and judged."""
    case = Case.draw(scene, seed, number)
    tally.cases += 1
    began = time.monotonic()
    try:
        signal.setitimer(signal.ITIMER_REAL, CASE_TIMEOUT_S)
        ended = _read_and_judge(scene, case)
    except HangError:
        tally.hangs += 1
        tally.find(f"case {number}: hangs, {case.lies.depth} {dict(case.lies.told)}")
        ended = "hang"
    except Exception as error:  # the fuzzer's own top: everything but a DeviceError is what it looks for
        tally.crashes += 1
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        tally.find(f"case {number}: {type(error).__name__} at {place}, {case.lies.depth} {dict(case.lies.told)}")
        ended = "crash"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if time.monotonic() - began > CASE_TIMEOUT_S and ended != "hang":
        tally.hangs += 1
        tally.find(f"case {number}: {time.monotonic() - began:.1f} s in one call, {case.lies.depth}")
    if ended == "false genuine":
        tally.false_genuine += 1
        tally.find(f"case {number}: false genuine, {case.lies.depth} {dict(case.lies.told)} copied {case.copied}")
    tally.outcomes[ended] += 1
    tally.answers += case.lies.told.total()
    tally.kinds.update({kind.value: count for kind, count in case.lies.told.items()})


def _read_and_judge(scene: Scene, case: Case) -> str:
    """How it ended: an error of the family by name, refused, genuine or false genuine."""
    challenge = case.rng.randbytes(CHALLENGE_LENGTH)
    link = HostileLink(case.chip, case.extended)
    try:
        evidence = read_chip(link, case.card.key, challenge, case.rng.randbytes, _nobody_watches)
    except DeviceError as error:
        return type(error).__name__
    report = verify_evidence(
        evidence, scene.trust, AT, access_key=case.card.key, challenge=challenge, own_terminal=True
    )
    if report.refusals():
        return "refused"
    return "genuine" if not case.copied and _is_the_card(case.card, evidence, report) else "false genuine"


def _is_the_card(card: PersonalisedCard, evidence: ChipEvidence, report: ChipReport) -> bool:
    """Whether everything that was judged genuine is what the genuine card holds."""
    groups = evidence.data_groups
    same = all(card.files.get(0x0100 + number) == content for number, content in groups.items())
    return same and {1, 2} <= set(groups) and report.holder is not None and report.portrait is not None


def _nobody_watches(_: str) -> None:
    """No screen."""


def ring(_signal: int, _frame: FrameType | None) -> None:
    """The watchdog."""
    raise HangError


def run_cases(seed: int, first_case: int, answers: int, tell: Callable[[Tally], None]) -> None:
    """Cases from `first_case` until so many answers were spoilt; `tell` gets what is new every few seconds."""
    signal.signal(signal.SIGALRM, ring)
    scene = Scene.make()
    case, told, fresh, tell_at = first_case, 0, Tally(), time.monotonic() + TELL_EVERY_S
    while told + fresh.answers < answers:
        play(scene, seed, case, fresh)
        case += 1
        if time.monotonic() >= tell_at:
            told += fresh.answers
            fresh.peak_mb = peak_mb()
            tell(fresh)
            fresh, tell_at = Tally(), time.monotonic() + TELL_EVERY_S
    fresh.peak_mb = peak_mb()
    tell(fresh)


def peak_mb() -> float:
    """The most memory this process ever held, MB. Not ru_maxrss: a child inherits its parent's."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    held = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return round(int(held.split()[1]) / 1024, 1)  # in KB


def run_campaign(answers: int, seed: int, tell: Callable[[Tally], None], *, first_case: int = 0) -> Tally:
    """So many spoilt answers in a child with limited memory; `tell` gets the sum as it grows.

    A child that dies is a crash, and the next one goes on behind the case it died in.
    """
    total = Tally()
    while total.answers < answers:
        case = first_case + total.cases
        child = subprocess.Popen(
            [sys.executable, "-m", "hardware_drivers.id_chip.fuzz", str(seed), str(case), str(answers - total.answers)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=PACKAGE_ROOT,
        )
        with child:
            for line in child.stdout or ():
                total.add(Tally.from_json(line))
                tell(total)
        if child.returncode:
            total.crashes += 1
            total.cases += 1
            total.find(f"the child ended with {child.returncode} after case {first_case + total.cases}")
            if total.crashes > FINDINGS_MAX:
                break  # it cannot even start here
    return total


def main() -> int:
    """The child: seed, first case, answers; one JSON line every few seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("seed", "first_case", "answers"):
        parser.add_argument(name, type=int)
    asked = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX_BYTES, MEMORY_MAX_BYTES))
    run_cases(asked.seed, asked.first_case, asked.answers, lambda tally: print(tally.as_json(), flush=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
