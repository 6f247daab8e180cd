"""A process in the place of libfprint's helper that dies, hangs, or says what no helper says: a clear answer each."""

import json
import os
import signal
import subprocess
import time
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
from hardware_drivers.fingerprint import libfprint
from hardware_drivers.fingerprint.libfprint import LibfprintScanner, LibfprintSettings, error_for
from hardware_drivers.fingerprint.scanner import CaptureWish
from tests.hardware_drivers.fingerprint.rigs import FINGER, LibfprintRig, picture, rig

WISH = CaptureWish(FINGER, 2.0)


def frame(pixels: bytes = b"", **words: object) -> bytes:
    head = json.dumps({**words, "pixels": len(pixels)}).encode()
    return len(head).to_bytes(4, "big") + head + pixels


OPENED = frame(driver="d", name="n", device_id="0")


def scanner_of(folder: Path, said: bytes, then: str = "cat > /dev/null") -> LibfprintScanner:
    """A scanner whose helper writes these bytes, then does that."""
    (folder / "said").write_bytes(said)
    helper = folder / "helper"
    helper.write_text(f"#!/bin/sh\ncat {folder / 'said'}\n{then}\n")
    helper.chmod(0o700)
    return LibfprintScanner(LibfprintSettings(python=helper))


@pytest.mark.parametrize(
    ("said", "then"),
    [
        (b"", "exit 1"),
        (b"\xff\xff\xff\xff", "cat > /dev/null"),
        (b"\x00\x00\x00\x02[]", "cat > /dev/null"),
        (frame(pixels_more=1), "cat > /dev/null"),
        (frame(width=10**9), "cat > /dev/null"),
        (OPENED[:-5], "exit 0"),
    ],
)
def test_a_helper_that_speaks_nonsense_is_gone(tmp_path: Path, said: bytes, then: str) -> None:
    with pytest.raises(DeviceGoneError):
        scanner_of(tmp_path, said, then).open()


@pytest.mark.parametrize(
    "taken",
    [
        frame(b"x" * 10, width=100, height=100),
        frame(b"", width=0, height=0),
        frame(b"x" * 100, width=10, height=10),  # no sensor is that small
        frame(error="something new"),
    ],
)
def test_a_picture_that_is_none_is_not_taken(tmp_path: Path, taken: bytes) -> None:
    scanner = scanner_of(tmp_path, OPENED + taken)
    scanner.open()
    with pytest.raises(DeviceGoneError):
        scanner.capture(WISH, lambda: False)
    scanner.close()


def test_the_resolution_is_the_drivers_where_it_makes_sense_and_else_the_desks(tmp_path: Path) -> None:
    pixels = picture()
    height, width = pixels.shape
    for told, meant in ((0, 500), (508, 508), (10**6, 500)):
        scanner = scanner_of(tmp_path, OPENED + frame(pixels.tobytes(), width=width, height=height, dpi=told))
        scanner.open()
        assert scanner.capture(WISH, lambda: False).dpi == meant
        scanner.close()


def test_a_helper_that_hangs_at_its_start_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libfprint, "OPEN_WITHIN_S", 0.3)
    monkeypatch.setattr(libfprint, "ANSWER_CANCEL_WITHIN_S", 0.3)
    scanner = scanner_of(tmp_path, b"", "trap '' TERM; while :; do sleep 0.05; done")
    began_s = time.monotonic()
    with pytest.raises(DeviceTimeoutError):
        scanner.open()
    assert time.monotonic() - began_s < 4
    assert scanner.helper_pid is None


def test_the_cause_of_a_missing_scanner_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoScannerError, match="Python"):
        LibfprintScanner(LibfprintSettings(python=tmp_path / "nowhere")).open()
    with pytest.raises(NoScannerError, match="not installed"):
        scanner_of(tmp_path, frame(error="no_libfprint")).open()
    with pytest.raises(NoScannerError, match="own chip"):
        scanner_of(tmp_path, frame(error="no_image")).open()


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("no_device", NoScannerError),
        ("busy", ScannerBusyError),
        ("cancelled", NoFingerError),
        ("too_short", FingerLiftedError),
        ("center", FingerPoorError),
        ("gone", DeviceGoneError),
    ],
)
def test_each_word_has_somebody_who_acts_on_it(word: str, kind: type[DeviceError]) -> None:
    assert isinstance(error_for(word), kind)


def test_a_picture_without_ridges_is_wanted_again_by_libfprint() -> None:
    answer = error_for("retry")
    assert isinstance(answer, FingerPoorError)
    assert answer.poor is PoorPicture.UNCLEAR


def test_no_helper_outlives_its_scanner(tmp_path: Path) -> None:
    with rig("libfprint", tmp_path) as made:
        assert isinstance(made, LibfprintRig)
        made.scanner.open()
        pid = made.real.helper_pid
        made.scanner.close()
        state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
        assert state.stdout.strip() == ""
        made.scanner.open()
        assert made.real.helper_pid not in (None, pid)
        assert made.real.helper_pid is not None
        os.kill(made.real.helper_pid, signal.SIGKILL)
        with pytest.raises(DeviceGoneError):
            made.scanner.capture(WISH, lambda: False)
