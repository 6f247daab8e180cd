"""What every scanner promises, tried on each: folder, synthetic finger, a signing device service, libfprint itself."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hardware_drivers.errors import (
    DeviceError,
    DeviceGoneError,
    DeviceTimeoutError,
    FingerLiftedError,
    FingerPoorError,
    NoFingerError,
    NoScannerError,
    PoorPicture,
    ScannerBusyError,
)
from hardware_drivers.fingerprint.scanner import CaptureWish, FingerPicture, SensorVerdict
from hardware_drivers.fingerprint.simulated import HandFault
from tests.hardware_drivers.fingerprint.rigs import FINGER, Rig, picture, rig

SOON = CaptureWish(FINGER, timeout_s=5.0, minimum_quality=40)
SHORT = CaptureWish(FINGER, timeout_s=0.6, minimum_quality=40)


@pytest.fixture(params=["simulated", "folder", "sbi", "libfprint"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    with rig(request.param, tmp_path) as made:
        yield made


def capture(desk: Rig, wish: CaptureWish = SOON) -> FingerPicture:
    return desk.scanner.capture(wish, lambda: False)


def test_a_finger_well_laid_is_taken_and_the_scanner_says_who_it_is(desk: Rig) -> None:
    desk.scanner.open()
    desk.lay()
    taken = capture(desk)
    assert (taken.pixels.shape, taken.dpi, taken.position) == (picture().shape, 500, FINGER)
    assert taken.quality >= 40
    assert taken.pad.verdict is SensorVerdict.NOT_JUDGED  # none of them has a sensor that looks for imitations
    assert desk.scanner.info().name
    assert desk.scanner.preview() is None  # nothing is kept after a capture


def test_nothing_is_taken_before_it_is_open_or_after_it_is_closed(desk: Rig) -> None:
    with pytest.raises(DeviceGoneError):
        capture(desk)
    desk.scanner.open()
    desk.scanner.close()
    with pytest.raises(DeviceGoneError):
        capture(desk)
    desk.scanner.close()


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        (HandFault.EMPTY, (NoFingerError, FingerPoorError)),  # libfprint itself wants a picture without ridges again
        (HandFault.NOBODY, NoFingerError),
        (HandFault.LIFTED, FingerLiftedError),
        (HandFault.WET, FingerPoorError),
        (HandFault.BUSY, ScannerBusyError),
    ],
)
def test_each_trouble_has_its_answer_and_the_next_finger_is_taken(
    desk: Rig, fault: HandFault, answer: type[DeviceError] | tuple[type[DeviceError], ...]
) -> None:
    desk.scanner.open()
    desk.lay(fault)
    with pytest.raises(answer) as told:
        capture(desk, SHORT if fault is HandFault.NOBODY else SOON)
    if fault is HandFault.WET:
        assert isinstance(told.value, FingerPoorError)
        assert told.value.poor is PoorPicture.TOO_WET
    desk.lay()
    assert capture(desk).quality >= 40


def test_a_poor_finger_is_taken_where_any_will_do(desk: Rig) -> None:
    desk.scanner.open()
    desk.lay(HandFault.WET)
    assert capture(desk, CaptureWish(FINGER, 5.0, minimum_quality=0)).pixels.mean() < 128


def test_an_unplugged_scanner_is_gone_until_it_is_opened_again(desk: Rig) -> None:
    desk.scanner.open()
    desk.pull()
    with pytest.raises((DeviceGoneError, NoScannerError)):
        capture(desk)
    with pytest.raises(DeviceGoneError):
        capture(desk)
    desk.plug_in()
    desk.scanner.open()
    desk.lay()
    assert capture(desk).quality >= 40


def test_a_silent_scanner_is_given_up_in_time_and_can_be_opened_again(desk: Rig) -> None:
    desk.scanner.open()
    desk.lay(HandFault.SILENT)
    began_s = time.monotonic()
    with pytest.raises((DeviceTimeoutError, NoFingerError)):
        capture(desk, SHORT)
    assert time.monotonic() - began_s < SHORT.timeout_s + 5
    desk.scanner.open()
    desk.lay()
    assert capture(desk).quality >= 40


def test_whoever_waits_can_be_called_off(desk: Rig) -> None:
    desk.scanner.open()
    desk.lay(HandFault.NOBODY)
    over = threading.Event()
    threading.Timer(0.3, over.set).start()
    began_s = time.monotonic()
    with pytest.raises(NoFingerError):
        desk.scanner.capture(CaptureWish(FINGER, 20.0), over.is_set)
    assert time.monotonic() - began_s < 5
    assert not desk.scanner.present()


def test_a_second_capture_at_the_same_time_is_refused(desk: Rig) -> None:
    desk.scanner.open()
    desk.lay(HandFault.NOBODY)
    over, waiting = threading.Event(), threading.Event()

    def cancelled() -> bool:
        waiting.set()
        return over.is_set()

    def wait() -> None:
        with pytest.raises(NoFingerError):
            desk.scanner.capture(CaptureWish(FINGER, 20.0), cancelled)

    first = threading.Thread(target=wait)
    first.start()
    assert waiting.wait(5)
    with pytest.raises(ScannerBusyError):
        capture(desk)
    over.set()
    first.join(5)
    assert not first.is_alive()
