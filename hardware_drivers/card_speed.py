"""How quick a reading is: commands, journeys, milliseconds of ours. `counter bench card` prints it.

The card is the document of research id_card.md §5: COM 24, SOD 1.8 K, DG1, DG2 15 K, DG14, DG15.
"""

import asyncio
import contextlib
import io
import os
import random
import secrets
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Self

from PIL import Image

from hardware_drivers.errors import CardRemovedError, DeviceGoneError, MalformedFileError
from hardware_drivers.id_chip.card_file import PersonalisedCard
from hardware_drivers.id_chip.card_protection import (
    ActiveAuthenticationKind,
    ChipAuthenticationKind,
    PaceKind,
    Protection,
)
from hardware_drivers.id_chip.evidence import ChipEvidence
from hardware_drivers.id_chip.issuer import KeyKind, TestIssuer
from hardware_drivers.id_chip.personalise import Person, personalise
from hardware_drivers.id_chip.read import read_chip
from hardware_drivers.id_chip.simulated_chip import SimulatedChip
from hardware_drivers.id_chip.trust import TrustStore
from hardware_drivers.id_chip.verify import verify_evidence
from hardware_drivers.smartcard.channel import LARGEST_LIMITS, SHORT_LIMITS, CardLink, LinkLimits, ends_batch
from hardware_drivers.smartcard.pcsc_link import PcscLink
from hardware_drivers.smartcard.private_pcscd import PrivatePcscd, ThreadCard, why_not
from hardware_drivers.smartcard.relay import Answers, Bye, DuplexClosedError, Hello, RelayLink, parse_from_counter
from hardware_drivers.smartcard.simulated import Chip

PORTRAIT_BYTES = 14_998  # makes a DG2 of 15 083 bytes, research id_card.md §5
# The commands are counted as that table counts them: basic access, so blocks of 231 bytes under 3DES. Under AES they
# are 223, whatever the reader; times and journeys are those of the best protected card.
BASIC = Protection(active=ActiveAuthenticationKind.ECDSA)
PROTECTION = Protection(
    pace=PaceKind.GENERIC, chip=ChipAuthenticationKind.ECDH_AES128, active=ActiveAuthenticationKind.RSA_SHA256
)
ROUND_TRIP_S = 0.060
RUNS = 5
BLOCKS_2K = LinkLimits(extended=True, command_max=2048, answer_max=2304)
MASTER_LIST_RUNS = 5
CHALLENGE_LENGTH = 8
JOIN_WITHIN_S = 5.0

Figures = dict[str, object]


def measure_card(lists: Path | None = None) -> Figures:
    """The figures of `bench card`.

    Args:
        lists: A folder with master lists; without one there is nothing to load and the figure is null.
    """
    basic, card = _BenchCard.make(BASIC), _BenchCard.make(PROTECTION)
    figures: Figures = {}
    notes: dict[str, str] = {
        "commands": "READ BINARY for EF.COM, EF.SOD, DG1, DG2, DG14, DG15 after basic access; _aes after PACE"
    }
    for name, limits in (("short", SHORT_LIMITS), ("2k", BLOCKS_2K), ("64k", LARGEST_LIMITS)):
        figures[f"commands_{name}"] = basic.count_commands(limits)
    for name, limits in (("short", SHORT_LIMITS), ("2k", BLOCKS_2K), ("64k", LARGEST_LIMITS)):
        figures[f"commands_{name}_aes"] = card.count_commands(limits)
    figures |= _through_pcscd(card, notes)
    figures |= asyncio.run(_over_relay(card))
    figures["master_list_ms"], figures["master_list_certificates"] = _load_lists(lists, notes)
    evidence = card.read(TimedLink(card.chip(), LARGEST_LIMITS))
    figures["verify_ms"] = _milliseconds(lambda: card.judge(evidence), runs=20)
    figures["files"] = basic.sizes()
    return figures | {"notes": notes}


@dataclass(frozen=True, slots=True)
class _BenchCard:
    """A genuine card and whom to trust for it."""

    card: PersonalisedCard
    trust: TrustStore

    @classmethod
    def make(cls, protection: Protection) -> Self:
        """One generated person, signed for by RSA as most states do: that makes EF.SOD as large as a real one."""
        at = datetime.now(UTC).replace(microsecond=0)
        issuer = TestIssuer.create(secrets.token_bytes, at, kind=KeyKind.RSA)
        person = Person("SPEED", "TEST", "VC1234567", date(1990, 5, 17), date(at.year + 5, 1, 1))
        card = personalise(person, _portrait(), issuer, secrets.token_bytes, protection=protection)
        return cls(card, TrustStore.of([issuer.csca_der]))

    def chip(self, *, extended: bool = True) -> Chip:
        """The chip's side."""
        return SimulatedChip.of(self.card, secrets.token_bytes, extended=extended)

    def read(self, link: CardLink) -> ChipEvidence:
        """One whole reading."""
        challenge = secrets.token_bytes(CHALLENGE_LENGTH)
        return read_chip(link, self.card.key, challenge, secrets.token_bytes, lambda _: None)

    def count_commands(self, limits: LinkLimits) -> int:
        """Commands that fetch files, over a way of these limits."""
        link = TimedLink(self.chip(extended=limits.extended is True), limits)
        self.read(link)
        return link.file_commands

    def judge(self, evidence: ChipEvidence) -> None:
        """One whole verification; what is refused here would make the figure worthless."""
        report = verify_evidence(evidence, self.trust, datetime.now(UTC), access_key=self.card.key)
        if report.refusals():
            raise MalformedFileError("bench card", report.refusals()[0].name.value)

    def sizes(self) -> dict[str, int]:
        """File identifier to bytes."""
        return {f"{fid:04X}": len(content) for fid, content in self.card.files.items()}


def _portrait() -> bytes:
    """A JPEG of noise as large as a real portrait."""
    noise = random.Random(3).randbytes(400 * 400)  # noqa: S311 - a picture, not a secret
    stored = b""
    for side in range(60, 400, 2):
        written = io.BytesIO()
        Image.frombytes("L", (side, side), noise[: side * side]).save(written, "JPEG", quality=75)
        if len(written.getvalue()) > PORTRAIT_BYTES:
            break
        stored = written.getvalue()
    return stored.ljust(PORTRAIT_BYTES, b"\x00")  # what follows the end of a JPEG is nobody's


@dataclass(slots=True)
class TimedLink:
    """Straight into a chip; counts commands and the chip's own time."""

    chip: Chip
    limits: LinkLimits
    commands: int = 0
    file_commands: int = 0
    chip_s: float = 0.0

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        return self.chip.atr

    def learn(self, limits: LinkLimits) -> None:
        """As a reader would."""
        self.limits = limits

    def transmit_many(self, commands: Sequence[bytes]) -> list[bytes]:
        """One answer per command, up to the first that ends the batch."""
        answers: list[bytes] = []
        for command in commands:
            self.commands += 1
            # protected READ BINARY, even or odd: what fetches the files; access and proofs are not counted here
            self.file_commands += bool(command[0] & 0x0C) and command[1] in (0xB0, 0xB1)
            began = time.perf_counter()
            answers.append(self.chip.answer(command))
            self.chip_s += time.perf_counter() - began
            if ends_batch(answers[-1]):
                break
        return answers

    def close(self) -> None:
        """Nothing to let go."""


@dataclass(slots=True)
class _TimedChip:
    """A chip that knows how long it worked itself, to be taken off."""

    chip: Chip
    worked_s: float = 0.0

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        return self.chip.atr

    def answer(self, raw: bytes) -> bytes:
        """The chip's answer, timed."""
        began = time.perf_counter()
        answer = self.chip.answer(raw)
        self.worked_s += time.perf_counter() - began
        return answer

    def reset(self) -> None:
        """As the chip."""
        self.chip.reset()


def _through_pcscd(card: _BenchCard, notes: dict[str, str]) -> Figures:
    """Our share of a reading through a real pcscd: everything but the chip's own work."""
    lacking = why_not()
    if lacking is not None:
        notes["software_ms"] = lacking
        return {"software_ms": None}
    chip = _TimedChip(card.chip())
    shares: list[float] = []
    with _private_pcscd() as daemon, ThreadCard(daemon.ports[0], chip):
        for _ in range(RUNS):
            with contextlib.closing(_open_when_there("Kiosk A 00 00")) as link:
                worked, began = chip.worked_s, time.perf_counter()
                card.read(link)
                shares.append(time.perf_counter() - began - (chip.worked_s - worked))
    notes["software_ms"] = "median of one whole reading through pcscd and vpcd without the simulated chip's own work"
    return {"software_ms": round(statistics.median(shares) * 1000, 1)}


@contextlib.contextmanager
def _private_pcscd() -> Iterator[PrivatePcscd]:
    """A daemon that card processes started here will find."""
    before = os.environ.get("PCSCLITE_CSOCK_NAME")
    with PrivatePcscd() as daemon:
        os.environ["PCSCLITE_CSOCK_NAME"] = str(daemon.socket)
        try:
            yield daemon
        finally:
            if before is None:
                del os.environ["PCSCLITE_CSOCK_NAME"]
            else:
                os.environ["PCSCLITE_CSOCK_NAME"] = before


def _open_when_there(reader: str) -> PcscLink:
    """The card, once pcscd has seen it."""
    give_up_at = time.monotonic() + JOIN_WITHIN_S
    while True:
        try:
            return PcscLink.open(reader)
        except (CardRemovedError, DeviceGoneError):
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.1)


@dataclass(slots=True)
class SlowPhone:
    """A phone that holds this chip, at the end of a network that takes its time both ways."""

    chip: Chip
    round_trip_s: float
    _answers: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)

    async def send(self, text: str) -> None:
        """The frame arrives, the card works in a thread, the result begins its way back."""
        await asyncio.sleep(self.round_trip_s / 2)
        frame = parse_from_counter(text)
        if isinstance(frame, Bye):
            await self._answers.put(None)
            return
        link = TimedLink(self.chip, LARGEST_LIMITS)
        answers = await asyncio.to_thread(link.transmit_many, frame.apdus)
        await self._answers.put(Answers(seq=frame.seq, answers=answers).model_dump_json())

    async def receive(self) -> str:
        """The next frame, after its way."""
        text = await self._answers.get()
        if text is None:
            raise DuplexClosedError
        await asyncio.sleep(self.round_trip_s / 2)
        return text


async def _over_relay(card: _BenchCard) -> Figures:
    """A reading over the phone relay, PACE or basic access included."""
    times: list[float] = []
    journeys = 0
    access = ""
    for _ in range(RUNS):
        chip = card.chip()
        hello = Hello(token="A" * 22, atr=chip.atr, max_len=65_000)
        link = RelayLink(SlowPhone(chip, ROUND_TRIP_S), hello, asyncio.get_running_loop())
        began = time.perf_counter()
        evidence = await asyncio.to_thread(card.read, link)
        times.append(time.perf_counter() - began)
        journeys, access = link.journeys, evidence.access
        await asyncio.to_thread(link.close)
    return {"relay_round_trips": journeys, "relay_s": round(statistics.median(times), 3), "relay_access": access}


def _load_lists(folder: Path | None, notes: dict[str, str]) -> tuple[float | None, int | None]:
    """Loading the largest list there, alone, as a counter does at its start."""
    lists = sorted(folder.glob("*.ml"), key=lambda path: path.stat().st_size) if folder is not None else []
    if not lists:
        notes["master_list_ms"] = "wants --lists DIR with a master list (.ml)"
        return None, None
    with tempfile.TemporaryDirectory() as alone:
        shutil.copy(lists[-1], alone)
        known = len(TrustStore.load(Path(alone)))
        return _milliseconds(lambda: TrustStore.load(Path(alone)), runs=MASTER_LIST_RUNS), known


def _milliseconds(work: Callable[[], object], *, runs: int) -> float:
    """Median time of one, after a first that warms up."""
    work()
    times: list[float] = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return round(statistics.median(times) * 1000, 2)
