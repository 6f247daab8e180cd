"""The production driver on a pseudo-terminal, and everything that can go wrong on the way."""

import os
import threading
import time
from collections.abc import Iterator

import pytest

from hardware_drivers.errors import (
    CardRemovedError,
    DeviceError,
    DeviceGoneError,
    DeviceTimeoutError,
    NoCardError,
    NoReaderError,
    ReaderBusyError,
    TamperedAnswerError,
)
from hardware_drivers.samv import reader as reader_module
from hardware_drivers.samv.commands import FIND, MODULE_ID, READ, READ_ADDED_ADDRESS, SELECT, STATUS, Command
from hardware_drivers.samv.emulator import EMULATED_MODULE_ID, Fault, SamvEmulator
from hardware_drivers.samv.errors import ABOUT_THE_CARD, CardRefusedError, ReaderRefusedError
from hardware_drivers.samv.people import generated_card
from hardware_drivers.samv.ports import Port, SerialPort
from hardware_drivers.samv.reader import ATTEMPTS, SILENT_ATTEMPTS, IdCardReader, SamvReader
from hardware_drivers.samv.status import Status
from hardware_drivers.samv.text import CardKind

PATIENCE = 0.5  # 0.5 s for the module: an emulator answers in one millisecond, unless the machine is busy
HASTE = 0.04  # 0.2 s for a reading, where the test waits for answers that do not come
CARD = generated_card(CardKind.CITIZEN, 7, added_addresses=2)
OTHER_CARD = generated_card(CardKind.CITIZEN, 8)


def never() -> bool:
    """Nobody calls the waiting off."""
    return False


def info_and_read(reader: SamvReader) -> None:
    """Every question there is, once."""
    reader.info()
    reader.read()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask for cards and readers ten times as often as at a desk."""
    monkeypatch.setattr(reader_module, "FIND_EVERY_S", 0.03)
    monkeypatch.setattr(reader_module, "LOOK_FOR_READER_EVERY_S", 0.02)
    monkeypatch.setattr(reader_module, "LONGEST_DRAIN_S", 0.15)


@pytest.fixture
def emulator() -> Iterator[SamvEmulator]:
    """A plugged-in reader with a card on it."""
    with SamvEmulator(CARD) as plugged:
        yield plugged


@pytest.fixture
def reader(emulator: SamvEmulator) -> Iterator[SamvReader]:
    """The driver above it."""
    driver = SamvReader(lambda: SerialPort(str(emulator.path)), patience=PATIENCE)
    yield driver
    driver.close()


@pytest.fixture
def hasty_reader(emulator: SamvEmulator) -> Iterator[SamvReader]:
    """The driver with no time to lose."""
    driver = SamvReader(lambda: SerialPort(str(emulator.path)), patience=HASTE)
    yield driver
    driver.close()


def test_a_card_comes_home_byte_for_byte(emulator: SamvEmulator, reader: IdCardReader) -> None:
    assert reader.info().module_number == "05.03-20180101-0000012345-0123456789"
    assert reader.wait_for_card(1.0, never).serial == CARD.serial
    evidence = reader.read(fingerprints=True)
    assert evidence.module_id == EMULATED_MODULE_ID
    assert evidence.card_serial == CARD.serial
    assert (evidence.text, evidence.photo_wlt, evidence.fingerprints) == (CARD.text, CARD.photo_wlt, CARD.fingerprints)
    assert evidence.added_addresses == CARD.added_addresses
    assert evidence.fingerprints_asked
    assert emulator.asked.count(FIND) == 1


def test_fingerprints_stay_in_the_card_unless_asked_for(reader: SamvReader) -> None:
    evidence = reader.read()
    assert (evidence.fingerprints, evidence.fingerprints_asked) == (b"", False)


@pytest.mark.parametrize("fingers", [0, 1, 2])
def test_cards_with_fewer_fingers_read(emulator: SamvEmulator, reader: SamvReader, fingers: int) -> None:
    emulator.put(generated_card(CardKind.HK_MACAU_TAIWAN, 3, fingers=fingers))
    evidence = reader.read(fingerprints=True)
    assert len(evidence.fingerprints) == 512 * fingers
    assert evidence.added_addresses == ()


@pytest.mark.parametrize(
    "fault",
    [
        *(Fault.WRONG_CHECKSUM, Fault.WRONG_LENGTH, Fault.LONGER, Fault.SILENCE, Fault.UNKNOWN_STATUS),
        *(Fault.TRUNCATED, Fault.NOISE, Fault.FLOOD, Fault.LYING_LENGTHS, Fault.SLOW),
    ],
)
def test_one_damaged_answer_is_survived(emulator: SamvEmulator, hasty_reader: SamvReader, fault: Fault) -> None:
    reader = hasty_reader
    reader.wait_for_card(1.0, never)
    emulator.fail_next(fault, command=READ)
    if fault is Fault.LYING_LENGTHS:  # a good frame from the module itself: nothing on the line to blame, no second try
        with pytest.raises(TamperedAnswerError, match="differ"):
            reader.read()
        return
    assert reader.read().text == CARD.text


@pytest.mark.parametrize(
    ("fault", "error", "attempts"),
    [
        (Fault.WRONG_CHECKSUM, TamperedAnswerError, ATTEMPTS),
        (Fault.WRONG_LENGTH, TamperedAnswerError, ATTEMPTS),
        (Fault.LONGER, TamperedAnswerError, ATTEMPTS),
        (Fault.UNKNOWN_STATUS, TamperedAnswerError, ATTEMPTS),
        (Fault.TRUNCATED, TamperedAnswerError, ATTEMPTS),
        (Fault.FLOOD, TamperedAnswerError, ATTEMPTS),
        (Fault.SILENCE, DeviceTimeoutError, SILENT_ATTEMPTS),
    ],
)
def test_a_reader_that_stays_broken_is_asked_a_bounded_number_of_times(
    emulator: SamvEmulator, hasty_reader: SamvReader, fault: Fault, error: type[DeviceError], attempts: int
) -> None:
    reader = hasty_reader
    reader.wait_for_card(1.0, never)
    emulator.fail_next(fault, times=99, command=READ)
    with pytest.raises(error):
        reader.read()
    assert emulator.asked.count(READ) == attempts


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.DONE])
def test_every_status_of_a_reading_reaches_the_caller(
    emulator: SamvEmulator, reader: SamvReader, status: Status
) -> None:
    reader.wait_for_card(1.0, never)
    emulator.fail_next(Fault.STATUS, times=99, status=status, command=READ)
    with pytest.raises(DeviceError) as caught:
        reader.read()
    assert isinstance(caught.value, CardRefusedError if status in ABOUT_THE_CARD else ReaderRefusedError)
    assert caught.value.status is status


def test_a_question_damaged_on_its_way_is_asked_again(emulator: SamvEmulator, reader: SamvReader) -> None:
    emulator.fail_next(Fault.STATUS, times=2, status=Status.CHECKSUM_WRONG, command=STATUS)
    assert reader.info().module_id == EMULATED_MODULE_ID
    assert emulator.asked.count(STATUS) == 3


def test_a_failed_reading_is_tried_again_on_the_same_card(emulator: SamvEmulator, reader: SamvReader) -> None:
    reader.wait_for_card(1.0, never)
    emulator.fail_next(Fault.STATUS, status=Status.READ_FAILED, command=READ)
    assert reader.read().text == CARD.text
    assert emulator.asked.count(SELECT) == 2


def test_a_card_lifted_before_the_reading_is_removed(emulator: SamvEmulator, reader: SamvReader) -> None:
    reader.wait_for_card(1.0, never)
    emulator.lift()
    with pytest.raises(CardRemovedError):
        reader.read()
    with pytest.raises(NoCardError):
        reader.read()


def test_another_card_is_never_read_in_place_of_the_first(emulator: SamvEmulator, reader: SamvReader) -> None:
    reader.wait_for_card(1.0, never)
    emulator.put(OTHER_CARD)
    with pytest.raises(CardRemovedError, match="another card"):
        reader.read()
    assert reader.read().text == OTHER_CARD.text


def test_a_card_lifted_before_its_last_part_is_removed(emulator: SamvEmulator, reader: SamvReader) -> None:
    emulator.fail_next(Fault.STATUS, status=Status.READ_FAILED, command=READ_ADDED_ADDRESS)
    with pytest.raises(CardRemovedError):
        reader.read()


def test_a_reader_without_added_addresses_reads_all_the_same(emulator: SamvEmulator, reader: SamvReader) -> None:
    emulator.fail_next(Fault.STATUS, status=Status.COMMAND_WRONG, command=READ_ADDED_ADDRESS)
    assert reader.read().added_addresses == ()


def test_no_card_in_time(emulator: SamvEmulator, reader: SamvReader) -> None:
    emulator.lift()
    with pytest.raises(NoCardError):
        reader.wait_for_card(0.05, never)


def test_waiting_can_be_called_off(emulator: SamvEmulator, reader: SamvReader) -> None:
    emulator.lift()
    with pytest.raises(NoCardError, match="called off"):
        reader.wait_for_card(60.0, lambda: FIND in emulator.asked)


def test_a_card_laid_down_while_waiting_is_found(emulator: SamvEmulator, reader: SamvReader) -> None:
    emulator.lift()
    later = threading.Timer(0.1, emulator.put, (OTHER_CARD,))
    later.start()
    assert reader.wait_for_card(5.0, never).serial == OTHER_CARD.serial
    later.join()


def test_a_card_that_cannot_be_selected_is_waited_for(emulator: SamvEmulator, reader: SamvReader) -> None:
    emulator.fail_next(Fault.STATUS, status=Status.NOT_SELECTED, command=SELECT)
    assert reader.wait_for_card(5.0, never).serial == CARD.serial


def test_a_module_without_authorisation_ends_the_waiting(emulator: SamvEmulator, reader: SamvReader) -> None:
    emulator.fail_next(Fault.STATUS, times=9, status=Status.NOT_AUTHORISED)
    with pytest.raises(ReaderRefusedError) as caught:
        reader.wait_for_card(5.0, never)
    assert caught.value.status is Status.NOT_AUTHORISED


@pytest.mark.parametrize("command", [STATUS, MODULE_ID, FIND, SELECT, READ, READ_ADDED_ADDRESS], ids=lambda c: c.name)
def test_a_cable_pulled_in_the_middle_is_noticed_and_plugged_in_again(
    emulator: SamvEmulator, reader: SamvReader, command: Command
) -> None:
    emulator.fail_next(Fault.UNPLUGGED, command=command)
    begun = time.monotonic()
    with pytest.raises(DeviceGoneError):
        info_and_read(reader)
    assert time.monotonic() - begun < PATIENCE  # noticed by the hang-up, not by waiting
    with pytest.raises(NoReaderError):
        reader.info()
    emulator.unplug()
    later = threading.Timer(0.05, emulator.plug_in)
    later.start()
    assert reader.wait_for_reader(5.0, never).module_id == EMULATED_MODULE_ID
    later.join()
    assert reader.read().text == CARD.text


def test_a_cable_pulled_while_nobody_asks_is_noticed_at_the_next_question(
    emulator: SamvEmulator, reader: SamvReader
) -> None:
    reader.info()
    emulator.unplug()
    with pytest.raises(DeviceGoneError):
        reader.info()
    with pytest.raises(NoReaderError):
        reader.wait_for_reader(0.01, never)


def test_a_second_program_is_told_that_the_reader_is_busy(emulator: SamvEmulator, reader: SamvReader) -> None:
    reader.info()
    second = SamvReader(lambda: SerialPort(str(emulator.path)))
    with pytest.raises(ReaderBusyError):
        second.info()
    reader.close()
    assert second.info().module_id == EMULATED_MODULE_ID
    second.close()


def test_what_is_no_serial_line_is_said_to_be_none() -> None:
    with pytest.raises(NoReaderError, match="not a serial line"):
        SerialPort(os.devnull)


def test_a_speed_the_readers_do_not_have_is_refused(emulator: SamvEmulator) -> None:
    with pytest.raises(ValueError, match="300 baud"):
        SerialPort(str(emulator.path), 300)


def test_an_old_answer_on_the_line_is_not_taken_for_the_next(emulator: SamvEmulator, reader: SamvReader) -> None:
    port: Port = SerialPort(str(emulator.path))
    held = SamvReader(lambda: port, patience=PATIENCE)
    port.write(bytes.fromhex("AAAAAA9669 0003 2001 22"))  # an answer nobody reads
    time.sleep(0.05)
    assert held.info().module_id == EMULATED_MODULE_ID
    held.close()


def test_a_line_that_never_stops_talking_does_not_hang_us() -> None:
    class Chatter:
        """Always has something to say."""

        def write(self, frame: bytes) -> None:
            """Take it."""

        def read(self, timeout_s: float) -> bytes:
            """More."""
            return b"\xaa" * 4096

        def close(self) -> None:
            """Nothing to close."""

    begun = time.monotonic()
    with pytest.raises(TamperedAnswerError, match="noise"):
        SamvReader(Chatter, patience=PATIENCE).info()
    assert time.monotonic() - begun < 3.0


def test_a_damaged_question_is_answered_by_status_10(emulator: SamvEmulator) -> None:
    port = SerialPort(str(emulator.path))
    port.write(bytes.fromhex("AAAAAA9669 0003 2001 23"))
    assert port.read(1.0) == bytes.fromhex("AAAAAA9669 0004 000010 14")
    port.write(bytes.fromhex("AAAAAA9669 0003 7777 03"))
    assert port.read(1.0) == bytes.fromhex("AAAAAA9669 0004 000021 25")
    port.close()
