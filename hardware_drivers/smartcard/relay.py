"""The phone relay: a card held to somebody's phone, driven from here, in batches.

The phone is a pipe. It is handed lists of commands that are already encrypted, runs them on the card and sends the
answers back; keys, access numbers and challenges never leave this side, and a list of READ BINARY can be made ahead of
time because the send sequence counter of secure messaging is predictable. So a reading costs a handful of journeys, not
one per command. The frames are JSON text in a WebSocket; `docs/relay.md` describes them for whoever writes the app.

This module is the frames and the link; it opens no socket. The duplex is handed in.
"""

import asyncio
import base64
import binascii
import contextlib
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NoReturn, Protocol, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, TypeAdapter, ValidationError

from hardware_drivers.errors import (
    CardMuteError,
    CardRemovedError,
    DeviceError,
    DeviceGoneError,
    DeviceTimeoutError,
    TamperedAnswerError,
)
from hardware_drivers.smartcard.apdu import EXTENDED_MAX, BadCommandError, Command
from hardware_drivers.smartcard.channel import SHORT_LIMITS, LinkLimits, ends_batch
from hardware_drivers.smartcard.readers import CARD_TIMEOUT_S, COMMAND_TIMEOUT_S

VERSION = 1
APDU_MAX = 65_544  # extended command: header, Lc, 65 535 bytes, Le (ISO/IEC 7816-4:2020 §5.2)
ANSWER_MAX = EXTENDED_MAX + 2
BATCH_MAX = 200  # commands in one `run`
BATCH_ANSWER_MAX = 480_000  # bytes expected back from one `run`; longer batches are cut in two
MESSAGE_MAX = 1_000_000  # characters of one frame: 480 KB in base64 and what surrounds it
BATCH_TIMEOUT_S = 30.0  # one `run`, whatever the phone says
HELLO_WITHIN_S = 10.0
PER_COMMAND_S = 0.1  # short commands take 20 ms each at 106 kbit/s (research id_card.md §5), phones are not faster
TOKEN_CHARACTERS = 22  # 128 bits in base64url without padding

Result = TypeVar("Result")


def _decode(text: object) -> bytes:
    """Strict standard base64; bytes are ours already, no JSON holds any."""
    if isinstance(text, bytes):
        return text
    if not isinstance(text, str):
        raise ValueError("base64 text expected")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error


Bytes = Annotated[
    bytes, BeforeValidator(_decode), PlainSerializer(lambda raw: base64.b64encode(raw).decode(), return_type=str)
]
CommandBytes = Annotated[Bytes, Field(min_length=4, max_length=APDU_MAX)]
AnswerBytes = Annotated[Bytes, Field(min_length=2, max_length=ANSWER_MAX)]


class Frame(BaseModel):
    """Base of every frame: an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Hello(Frame):
    """Phone, first: who sent me, and what lies on me."""

    type: Literal["hello"] = "hello"
    version: Literal[1] = 1
    token: Annotated[str, Field(pattern=rf"^[A-Za-z0-9_-]{{{TOKEN_CHARACTERS}}}$")]
    atr: Annotated[Bytes, Field(min_length=2, max_length=33)]
    max_len: Annotated[int, Field(ge=261, le=ANSWER_MAX)]  # the largest APDU the phone's NFC takes, either way


class Run(Frame):
    """Counter: send these to the card, one after the other."""

    type: Literal["run"] = "run"
    seq: Annotated[int, Field(ge=1)]
    apdus: Annotated[list[CommandBytes], Field(min_length=1, max_length=BATCH_MAX)]
    stop: Literal[True] = True  # behind the first answer that is neither 9000 nor 62xx


class Answers(Frame):
    """Phone: what the card answered, in order; fewer than asked when one ended the batch."""

    type: Literal["result"] = "result"
    seq: Annotated[int, Field(ge=1)]
    answers: Annotated[list[AnswerBytes], Field(min_length=1, max_length=BATCH_MAX)]


class Wait(Frame):
    """Phone: the card is still working on it (a waiting-time extension)."""

    type: Literal["wait"] = "wait"
    seq: Annotated[int, Field(ge=1)]


class Bye(Frame):
    """Either side, last."""

    type: Literal["bye"] = "bye"
    why: Literal["done", "removed", "mute", "refused", "broken", "cancelled"]


FromPhone = Annotated[Hello | Answers | Wait | Bye, Field(discriminator="type")]
FromCounter = Annotated[Run | Bye, Field(discriminator="type")]
_FROM_PHONE: TypeAdapter[Hello | Answers | Wait | Bye] = TypeAdapter(FromPhone)
_FROM_COUNTER: TypeAdapter[Run | Bye] = TypeAdapter(FromCounter)

WHY: dict[str, type[DeviceError]] = {"removed": CardRemovedError, "mute": CardMuteError}


def parse_from_phone(text: str) -> Hello | Answers | Wait | Bye:
    """A phone's frame; `TamperedAnswerError` for anything else."""
    if len(text) > MESSAGE_MAX:
        raise TamperedAnswerError(f"frame of {len(text)} characters")
    try:
        return _FROM_PHONE.validate_json(text)
    except ValidationError as error:
        raise TamperedAnswerError(f"no frame of a relay: {error.error_count()} faults") from error


def parse_from_counter(text: str) -> Run | Bye:
    """The counter's frame, as the phone reads it; `TamperedAnswerError` for anything else."""
    try:
        return _FROM_COUNTER.validate_json(text)
    except ValidationError as error:
        raise TamperedAnswerError(f"no frame of a relay: {error.error_count()} faults") from error


class DuplexClosedError(Exception):
    """The other side is gone. Raised by a `Duplex`, never leaves this module."""


class Duplex(Protocol):
    """Text both ways, a WebSocket in production."""

    async def send(self, text: str) -> None:
        """Send one frame; `DuplexClosedError` when nobody is there."""

    async def receive(self) -> str:
        """The next frame; `DuplexClosedError` when there will be none."""


async def receive_hello(duplex: Duplex) -> Hello:
    """The first frame.

    Raises:
        DeviceTimeoutError: None within `HELLO_WITHIN_S`.
        DeviceGoneError: Hung up.
        TamperedAnswerError: Something else came.
    """
    try:
        async with asyncio.timeout(HELLO_WITHIN_S):
            first = parse_from_phone(await duplex.receive())
    except TimeoutError as error:
        raise DeviceTimeoutError("no hello") from error
    except DuplexClosedError as error:
        raise DeviceGoneError("hung up before hello") from error
    if not isinstance(first, Hello):
        raise TamperedAnswerError(f"{first.type} before hello")
    return first


@dataclass(slots=True)
class _Session:
    """What the loop's side knows: the duplex and the number of the last run."""

    duplex: Duplex
    seq: int = 0

    async def run(self, apdus: Sequence[bytes], silence_s: float) -> list[bytes]:
        """One journey; every way it can go wrong is a `DeviceError`."""
        self.seq += 1
        over_at = time.monotonic() + BATCH_TIMEOUT_S
        try:
            await self.duplex.send(Run(seq=self.seq, apdus=list(apdus)).model_dump_json())
            while True:
                left_s = min(silence_s, over_at - time.monotonic())
                async with asyncio.timeout(max(0.0, left_s)):
                    frame = parse_from_phone(await self.duplex.receive())
                if isinstance(frame, Wait) and frame.seq == self.seq:
                    continue  # until the batch's own time is over
                if isinstance(frame, Bye):
                    raise WHY.get(frame.why, DeviceGoneError)(f"the phone said bye: {frame.why}")
                if isinstance(frame, Answers) and frame.seq == self.seq:
                    return self._complete(apdus, list(frame.answers))
                raise TamperedAnswerError(f"{frame.type} out of turn")
        except TimeoutError as error:
            raise CardMuteError(f"no answer from the phone within {silence_s:.0f} s") from error
        except DuplexClosedError as error:
            raise DeviceGoneError("the phone hung up") from error

    @staticmethod
    def _complete(apdus: Sequence[bytes], answers: list[bytes]) -> list[bytes]:
        """The answers, if they are as many as there must be."""
        ended = next((index for index, answer in enumerate(answers) if ends_batch(answer)), None)
        expected = len(apdus) if ended is None else ended + 1
        if len(answers) != expected or len(answers) > len(apdus):
            raise TamperedAnswerError(f"{len(answers)} answers to {len(apdus)} commands")
        return answers


class RelayLink:
    """A card on a phone, as a `CardLink` for a worker thread; the duplex stays in the event loop it belongs to.

    After the first error every call fails. Reading over a phone proves the chip, not the place: its user must say so.
    """

    def __init__(
        self,
        duplex: Duplex,
        hello: Hello,
        loop: asyncio.AbstractEventLoop,
        *,
        command_timeout_s: float = COMMAND_TIMEOUT_S,
        card_timeout_s: float = CARD_TIMEOUT_S,
    ) -> None:
        self._session = _Session(duplex)
        self._loop = loop
        self._atr = hello.atr
        self._limits = _limits(hello.max_len)
        self._command_timeout_s = command_timeout_s
        self._over_at = time.monotonic() + card_timeout_s
        self._ended: DeviceError | None = None
        self.journeys = 0

    @property
    def atr(self) -> bytes:
        """Answer to reset, as the phone has it or made it from the historical bytes."""
        return self._atr

    @property
    def limits(self) -> LinkLimits:
        """What the phone said it carries, until something else was learnt."""
        return self._limits

    def learn(self, limits: LinkLimits) -> None:
        """Remember for this session; the next phone is another one."""
        self._limits = limits

    def transmit_many(self, commands: Sequence[bytes]) -> list[bytes]:
        """One journey per batch, more only beyond the caps; to be called outside the event loop's thread."""
        answers: list[bytes] = []
        for batch in cut(commands):
            if self._ended is not None:
                raise type(self._ended)("this card session is over")
            if time.monotonic() >= self._over_at:
                self._fail(DeviceTimeoutError("the card took longer than it may in all"))
            silence_s = self._command_timeout_s + PER_COMMAND_S * len(batch)
            self.journeys += 1
            try:
                answers += self._in_loop(self._session.run(batch, silence_s))
            except DeviceError as error:
                self._fail(error)
            if ends_batch(answers[-1]):
                break
        return answers

    def close(self) -> None:
        """Say bye; the duplex stays its owner's to close."""
        if self._ended is None:
            self._ended = DeviceGoneError("closed")
            with contextlib.suppress(DeviceError):
                self._in_loop(self._say_bye("done"))

    def _fail(self, error: DeviceError) -> NoReturn:
        """Remember why, tell the phone, raise."""
        self._ended = error
        with contextlib.suppress(DeviceError):
            self._in_loop(self._say_bye("broken"))
        raise error

    async def _say_bye(self, why: Literal["done", "broken"]) -> None:
        """The last frame, if anybody still hears it."""
        with contextlib.suppress(DuplexClosedError, TimeoutError):
            async with asyncio.timeout(1.0):
                await self._session.duplex.send(Bye(why=why).model_dump_json())

    def _in_loop(self, journey: Coroutine[Any, Any, Result]) -> Result:
        """Wait in this thread for what happens in the loop."""
        try:
            return asyncio.run_coroutine_threadsafe(journey, self._loop).result(BATCH_TIMEOUT_S + 5)
        except (RuntimeError, TimeoutError) as error:  # the loop is closed, or stands still
            journey.close()
            raise DeviceGoneError("the relay's event loop is gone") from error


def _limits(max_len: int) -> LinkLimits:
    """From the largest APDU: header, length fields and status word come off."""
    if max_len < SHORT_LIMITS.answer_max + 100:
        return SHORT_LIMITS
    return LinkLimits(None, max_len - 9, max_len - 2)


def cut(commands: Sequence[bytes]) -> list[list[bytes]]:
    """Batches within the caps, in order."""
    batches: list[list[bytes]] = []
    expected = 0
    for command in commands:
        try:
            wanted = Command.parse(command).ne + 2
        except BadCommandError:
            wanted = ANSWER_MAX
        if not batches or len(batches[-1]) >= BATCH_MAX or expected + wanted > BATCH_ANSWER_MAX:
            batches.append([])
            expected = 0
        batches[-1].append(command)
        expected += wanted
    return batches
