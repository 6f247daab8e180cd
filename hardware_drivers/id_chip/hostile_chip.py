"""A chip that lies, at three depths: on the cable, inside secure messaging with the right keys, and in its files."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hardware_drivers.errors import DeviceTimeoutError
from hardware_drivers.id_chip import mutation
from hardware_drivers.id_chip.mutation import LARGEST, MORE_STATUSES, STATUSES, Kind
from hardware_drivers.id_chip.simulated_chip import SimulatedChip
from hardware_drivers.smartcard.apdu import Command, Response
from hardware_drivers.smartcard.channel import LARGEST_LIMITS, SHORT_LIMITS, LinkLimits, ends_batch

COMMANDS_MAX = 4000  # 45 s, the time of a session (readers.CARD_TIMEOUT_S), at the 11 ms of the quickest real chips


class Depth(StrEnum):
    """Where the lie is told."""

    CABLE = "cable"  # whoever sits between chip and reader, or a chip without keys
    INSIDE = "inside"  # the chip itself, under its own session keys
    FILES = "files"  # what was stored on it


@dataclass(slots=True)
class Lies:
    """When and how this chip lies.

    Attributes:
        rate: Share of answers spoilt, of those behind the first `honest` ones.
        kinds: Only these, all that fit the depth when empty.
        told: What was spoilt so far, by kind.
    """

    rng: random.Random
    depth: Depth
    rate: float
    honest: int = 0
    kinds: tuple[Kind, ...] = ()
    told: Counter[Kind] = field(default_factory=Counter)
    _answers: int = 0
    _stuck: Kind | None = None
    _earlier: list[bytes] = field(default_factory=list)

    def on_cable(self, command: bytes, honest: bytes) -> bytes:
        """What leaves the chip instead of this."""
        self._earlier.append(honest)
        if self.depth is not Depth.CABLE or not self._now():
            return honest
        return self._note(*self._spoil(command, honest), honest)

    def inside(self, command: Command, honest: Response) -> Response:
        """What is wrapped instead of this."""
        if self.depth is not Depth.INSIDE or not self._now():
            return honest
        kind = self._choose(INSIDE_KINDS)
        rng = self.rng
        match kind:
            case Kind.STATUS:
                spoilt = Response(honest.data if rng.random() < 0.5 else b"", rng.choice(STATUSES + MORE_STATUSES))
            case Kind.DRIP:
                spoilt = Response(honest.data[: rng.randrange(3)], honest.sw)
            case Kind.EMPTY:
                spoilt = Response(b"", honest.sw)
            case _:
                spoilt = Response(spoil_content(rng, kind, honest.data)[:LARGEST], honest.sw)
        if spoilt != honest:
            self.told[kind] += 1
        return spoilt

    def _now(self) -> bool:
        """Whether this answer is spoilt."""
        self._answers += 1
        if self._stuck is not None:
            return True
        return self._answers > self.honest and self.rng.random() < self.rate

    def _choose(self, fitting: Sequence[Kind]) -> Kind:
        """One kind of lie."""
        wanted = [kind for kind in fitting if kind in self.kinds]
        return self.rng.choice(wanted or fitting)

    def _note(self, kind: Kind, spoilt: bytes, honest: bytes) -> bytes:
        """Count it, unless it came out as it was."""
        if spoilt != honest:
            self.told[kind] += 1
        return spoilt

    def _spoil(self, command: bytes, honest: bytes) -> tuple[Kind, bytes]:
        """A whole answer, data and status, changed."""
        rng, body, status = self.rng, honest[:-2], honest[-2:]
        kind = self._stuck or self._choose(CABLE_KINDS)
        match kind:
            case Kind.EMPTY:
                return kind, b""
            case Kind.TRUNCATED:
                return kind, mutation.cut_short(rng, honest)
            case Kind.HUGE:
                return kind, (bytes(LARGEST) if rng.random() < 0.2 else rng.randbytes(5000)) + b"\x90\x00"
            case Kind.STATUS:
                kept = body if rng.random() < 0.5 else b""
                return kind, kept + rng.choice(STATUSES + MORE_STATUSES).to_bytes(2, "big")
            case Kind.MORE | Kind.AGAIN:
                self._stuck = kind if rng.random() < 0.8 else None
                size = rng.choice((0, 1, 16, 256)) if kind is Kind.MORE else 0
                return kind, bytes(size) + (b"\x61" if kind is Kind.MORE else b"\x6c") + rng.randbytes(1)
            case Kind.REPLAYED:
                return kind, rng.choice(self._earlier)
            case Kind.REFLECTED:
                return kind, command[5 : 5 + command[4]] + b"\x90\x00" if len(command) > 5 else command + b"\x90\x00"
            case Kind.UNPROTECTED:
                return kind, rng.choice((b"\x61\x10" + bytes(16), b"", b"\x99\x02\x90\x00", body[:-10])) + b"\x90\x00"
            case _:
                return kind, spoil_content(rng, kind, body) + status


CABLE_KINDS = (
    Kind.EMPTY,
    Kind.TRUNCATED,
    Kind.BITS,
    Kind.NOISE,
    Kind.LONGER,
    Kind.HUGE,
    Kind.STATUS,
    Kind.MORE,
    Kind.AGAIN,
    Kind.REPLAYED,
    Kind.REFLECTED,
    Kind.LENGTH,
    Kind.BOMB,
    Kind.TREE,
    Kind.POINT,
    Kind.UNPROTECTED,
)
INSIDE_KINDS = (
    Kind.EMPTY,
    Kind.TRUNCATED,
    Kind.BITS,
    Kind.NOISE,
    Kind.LONGER,
    Kind.STATUS,
    Kind.LENGTH,
    Kind.BOMB,
    Kind.TREE,
    Kind.POINT,
    Kind.DRIP,
)
FILE_KINDS = (
    Kind.BITS,
    Kind.TRUNCATED,
    Kind.LENGTH,
    Kind.BOMB,
    Kind.TREE,
    Kind.TREE,
    Kind.TREE,
    Kind.POINT,
    Kind.NOISE,
)


def spoil_content(rng: random.Random, kind: Kind, content: bytes) -> bytes:
    """Data changed in one of the ways that do not look at the status."""
    match kind:
        case Kind.TRUNCATED:
            return mutation.cut_short(rng, content)
        case Kind.NOISE:
            return mutation.noise(rng, content)
        case Kind.LONGER:
            return mutation.lengthen(rng, content)
        case Kind.LENGTH:
            return mutation.lie_about_length(rng, content)
        case Kind.BOMB:
            return mutation.bomb(rng, content)
        case Kind.TREE:
            return mutation.change_tree(rng, content)
        case Kind.POINT:
            return mutation.spoil_point(rng, content)
        case _:
            return mutation.flip_bits(rng, content)


def spoil_files(
    rng: random.Random, genuine: Mapping[int, bytes], other: Mapping[int, bytes], told: Counter[Kind]
) -> dict[int, bytes]:
    """A chip's files, one or two of them changed, exchanged, or taken from another genuine card."""
    files = dict(genuine)
    for _ in range(rng.choice((1, 1, 2))):
        fid = rng.choice(sorted(files))
        roll = rng.random()
        if roll < 0.15 and fid in other:
            files[fid], kind = other[fid], Kind.SWAPPED
        elif roll < 0.25:
            second = rng.choice(sorted(files))
            files[fid], files[second], kind = files[second], files[fid], Kind.SWAPPED
        elif roll < 0.3:
            del files[fid]
            kind = Kind.OTHER_FILE
            if not files:
                return files
        else:
            kind = rng.choice(FILE_KINDS)
            files[fid] = spoil_content(rng, kind, files[fid])
        told[kind] += files.get(fid) != genuine.get(fid)
    return files


class HostileChip(SimulatedChip):
    """A simulated chip whose answers pass through its lies, once it has been given some."""

    lies: Lies | None = None

    def answer(self, raw: bytes) -> bytes:
        """As the chip would, then the lie."""
        honest = super().answer(raw)
        return honest if self.lies is None else self.lies.on_cable(raw, honest)

    def _answer_inside(self, command: Command) -> Response:
        """As the chip would, then the lie."""
        honest = super()._answer_inside(command)
        return honest if self.lies is None else self.lies.inside(command, honest)


@dataclass(slots=True)
class HostileLink:
    """A cable of no length to a hostile chip. A session ends after as many commands as its time would allow."""

    chip: HostileChip
    extended: bool
    commands: int = 0

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        return self.chip.atr

    @property
    def limits(self) -> LinkLimits:
        """Everything, or short length only."""
        return LARGEST_LIMITS if self.extended else SHORT_LIMITS

    def learn(self, limits: LinkLimits) -> None:
        """Each case is a first meeting."""

    def transmit_many(self, commands: Sequence[bytes]) -> list[bytes]:
        """One answer per command, up to the first that ends the batch."""
        answers: list[bytes] = []
        for command in commands:
            self.commands += 1
            if self.commands > COMMANDS_MAX:
                raise DeviceTimeoutError("the card took longer than it may in all")
            answers.append(self.chip.answer(command))
            if ends_batch(answers[-1]):
                break
        return answers

    def close(self) -> None:
        """Nothing to let go."""
