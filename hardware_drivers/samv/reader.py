"""A SAM_V reader: finds a card, reads it, and says in our own errors what went wrong.

Every question is asked a bounded number of times: after a damaged answer the line is emptied and the question repeated,
since a module answers only what it is asked. A cable that is pulled ends the call; the next call opens it anew.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from hardware_drivers.errors import (
    CardRemovedError,
    DeviceGoneError,
    DeviceTimeoutError,
    NoCardError,
    NoReaderError,
    TamperedAnswerError,
)
from hardware_drivers.samv.commands import (
    FIND,
    MODULE_ID,
    READ,
    READ_ADDED_ADDRESS,
    READ_WITH_FINGERPRINTS,
    RESET,
    SELECT,
    STATUS,
    CardRecord,
    Command,
    module_number,
    parse_record,
    payload_of,
    split_added_addresses,
)
from hardware_drivers.samv.errors import CardRefusedError, ReaderRefusedError
from hardware_drivers.samv.evidence import SamvEvidence
from hardware_drivers.samv.frame import SHORTEST_ANSWER_LEN, FrameFault, FrameReader, encode
from hardware_drivers.samv.ports import Port
from hardware_drivers.samv.status import Status

ATTEMPTS = 3  # of one question whose answer was damaged
SILENT_ATTEMPTS = 2  # of one question that got none: a module that is silent twice has hung
FIND_EVERY_S = 0.3  # makers' samples poll the field at 3 to 5 Hz
LOOK_FOR_READER_EVERY_S = 0.2
QUIET_S = 0.05  # a line silent for this long has nothing left of an old answer: 500 characters at 115 200 baud
LONGEST_DRAIN_S = 0.5
STATUSES_OF_NO_CARD = frozenset({Status.NOT_FOUND, Status.NOT_SELECTED})
# The module says that our question was damaged on its way: worth asking again.
STATUSES_OF_THE_LINE = frozenset({Status.CHECKSUM_WRONG, Status.LENGTH_WRONG})


@dataclass(frozen=True, slots=True)
class ReaderInfo:
    """Who the reader says it is.

    Attributes:
        module_id: The security module's 16 bytes.
        module_number: The same as makers print it.
    """

    module_id: bytes
    module_number: str


@dataclass(frozen=True, slots=True)
class SelectedCard:
    """A card that answers; `serial` is 8 bytes."""

    serial: bytes


class IdCardReader(Protocol):
    """What reads China's ID cards. Every method raises only `hardware_drivers.errors.DeviceError` and its family."""

    def info(self) -> ReaderInfo:
        """Who the reader says it is, after asking whether its module is well."""

    def wait_for_card(self, timeout_s: float, cancelled: Callable[[], bool]) -> SelectedCard:
        """The card on the reader, selected, as soon as there is one; `NoCardError` when none comes."""

    def read(self, *, fingerprints: bool = False) -> SamvEvidence:
        """Everything the selected card gives."""

    def close(self) -> None:
        """Let go of the reader."""


class SamvReader:
    """A reader behind any cable.

    Args:
        open_port: Opens the cable; raises `NoReaderError` or `ReaderBusyError`.
        patience: Factor on every command's time-out, for slow lines and tests.
    """

    def __init__(self, open_port: Callable[[], Port], *, patience: float = 1.0) -> None:
        self._open_port = open_port
        self._patience = patience
        self._port: Port | None = None
        self._selected: SelectedCard | None = None

    def wait_for_reader(self, timeout_s: float, cancelled: Callable[[], bool]) -> ReaderInfo:
        """The reader as soon as it is plugged in and answers; what kept it from that when it does not in time."""
        give_up_at = time.monotonic() + timeout_s
        while not cancelled():
            try:
                return self.info()
            except (NoReaderError, DeviceGoneError, DeviceTimeoutError):
                if time.monotonic() >= give_up_at:
                    raise
            time.sleep(LOOK_FOR_READER_EVERY_S)
        raise NoReaderError("waiting was called off")

    def info(self) -> ReaderInfo:
        """Who the reader says it is."""
        self._ask(STATUS)
        module_id = self._ask(MODULE_ID)
        return ReaderInfo(module_id, module_number(module_id))

    def reset(self) -> None:
        """Start the security module anew, as after plugging in."""
        self._selected = None
        self._ask(RESET)

    def wait_for_card(self, timeout_s: float, cancelled: Callable[[], bool]) -> SelectedCard:
        """The card on the reader.

        Raises:
            NoCardError: None came in time, or `cancelled()` became true.
            NoReaderError: The cable cannot be opened.
            DeviceGoneError: The cable was pulled while waiting.
            ReaderRefusedError: The module will not work.
        """
        give_up_at = time.monotonic() + timeout_s
        while not cancelled():
            selected = self._find_and_select()
            if selected is not None:
                return selected
            if time.monotonic() >= give_up_at:
                raise NoCardError(f"no card within {timeout_s:.0f} s")
            time.sleep(FIND_EVERY_S)
        raise NoCardError("waiting was called off")

    def read(self, *, fingerprints: bool = False) -> SamvEvidence:
        """Everything the selected card gives; selects the card on the reader when none is.

        Raises:
            CardRemovedError: It was lifted before everything was read.
            CardRefusedError: Module and card did not agree; the status says why.
            TamperedAnswerError: Answers stayed damaged.
        """
        begun_ns = time.monotonic_ns()
        module_id = self._ask(MODULE_ID)
        selected = self._selected or self._find_and_select()
        if selected is None:
            raise NoCardError("no card on the reader")
        try:
            record = self._read_record(READ_WITH_FINGERPRINTS if fingerprints else READ)
            added = self._read_added_addresses()
        finally:
            self._selected = None  # whatever happened, the next reading looks at the field first
        return SamvEvidence(
            module_id=module_id,
            card_serial=selected.serial,
            text=record.text,
            photo_wlt=record.photo_wlt,
            fingerprints=record.fingerprints,
            fingerprints_asked=fingerprints,
            added_addresses=added,
            read_ms=(time.monotonic_ns() - begun_ns) // 1_000_000,
        )

    def close(self) -> None:
        """Let go of the reader."""
        self._selected = None
        if self._port is not None:
            self._port.close()
            self._port = None

    def _find_and_select(self) -> SelectedCard | None:
        """The card in the field, None when there is none or it moved away."""
        self._selected = None
        try:
            self._ask(FIND)
            self._selected = SelectedCard(self._ask(SELECT))
        except CardRefusedError as error:
            if error.status not in STATUSES_OF_NO_CARD:
                raise
        return self._selected

    def _read_record(self, command: Command) -> CardRecord:
        """The card's content; a failed reading is tried once more on a card that is still there."""
        try:
            return parse_record(command, self._ask(command))
        except CardRefusedError as error:
            if error.status is not Status.READ_FAILED:
                raise
            again = self._selected
            if self._find_and_select() is None:
                raise CardRemovedError("the card was lifted while it was read") from error
            if self._selected != again:
                raise CardRemovedError("another card lies on the reader") from error
        return parse_record(command, self._ask(command))

    def _read_added_addresses(self) -> tuple[bytes, ...]:
        """Addresses added after the card was made; readers that do not know the question have none to give."""
        try:
            return split_added_addresses(self._ask(READ_ADDED_ADDRESS))
        except CardRefusedError as error:
            if error.status is Status.NOT_STORED:
                return ()
            if error.status is Status.READ_FAILED:
                raise CardRemovedError("the card was lifted before its last part was read") from error
            raise
        except ReaderRefusedError as error:
            if error.status is Status.COMMAND_WRONG:
                return ()
            raise

    def _ask(self, command: Command) -> bytes:
        """The payload of the answer, asking again while answers are damaged or do not come."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return payload_of(command, self._exchange(command, quiet_s=QUIET_S if attempt > 1 else 0.0))
            except TamperedAnswerError:
                if attempt == ATTEMPTS:
                    raise
            except DeviceTimeoutError:
                if attempt >= SILENT_ATTEMPTS:
                    raise
            except ReaderRefusedError as error:
                if attempt == ATTEMPTS or error.status not in STATUSES_OF_THE_LINE:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _exchange(self, command: Command, *, quiet_s: float) -> bytes:
        """The body of one answer; a cable that went away is let go."""
        port = self._opened()
        try:
            self._drain(port, quiet_s)
            port.write(encode(command.code))
            return self._receive(port, command)
        except DeviceGoneError:
            self.close()
            raise

    def _receive(self, port: Port, command: Command) -> bytes:
        """The first frame that comes in time; damaged ones are an error at once."""
        frames = FrameReader(SHORTEST_ANSWER_LEN)
        give_up_at = time.monotonic() + command.timeout_s * self._patience
        while (left_s := give_up_at - time.monotonic()) > 0:
            outcome = frames.feed(port.read(left_s))
            if isinstance(outcome, FrameFault):
                raise TamperedAnswerError(f"{command.name}: {outcome.value}")
            if outcome is not None:
                return outcome
        if frames.waiting:
            raise TamperedAnswerError(f"{command.name}: the answer broke off")
        raise DeviceTimeoutError(f"{command.name}: no answer")

    def _drain(self, port: Port, quiet_s: float) -> None:
        """Throw away what is left of older answers until the line is silent, for a bounded time.

        Args:
            quiet_s: How long to wait for something to throw away: nothing usually, after a damaged answer its rest.
        """
        give_up_at = time.monotonic() + LONGEST_DRAIN_S
        while port.read(quiet_s) and time.monotonic() < give_up_at:
            quiet_s = QUIET_S

    def _opened(self) -> Port:
        """The open cable."""
        if self._port is None:
            self._selected = None
            self._port = self._open_port()
        return self._port
