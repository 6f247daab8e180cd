"""One rig per driver: a scanner, and a hand that does what a contract test says, through whatever lies beneath."""

import contextlib
import functools
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
from PIL import Image

from hardware_drivers.fingerprint.folder import SCRIPT, PictureFolder
from hardware_drivers.fingerprint.libfprint import SYSTEM_PYTHON, LibfprintScanner, LibfprintSettings
from hardware_drivers.fingerprint.played import PlayedScanner
from hardware_drivers.fingerprint.sbi import SbiScanner, SbiSettings
from hardware_drivers.fingerprint.scanner import FingerPosition, FingerprintScanner, GreyImage, ScannerInfo
from hardware_drivers.fingerprint.simulated import INFO, HandFault, SyntheticHand, scene_of
from hardware_drivers.fingerprint.virtual_image import VARIABLE, Order, VirtualGlass
from tests.hardware_drivers.fingerprint.sbi_device import Maker, SbiDevice, serving

FINGER = FingerPosition.RIGHT_INDEX


@functools.lru_cache
def picture(fault: HandFault | None = None, *, person: int = 1) -> GreyImage:
    """A synthetic finger, well laid or not; the same for the same arguments."""
    return scene_of(person, FINGER, fault, np.random.default_rng(person)).frames[-1]


class Rig(Protocol):
    """What a contract test needs of a driver's surroundings."""

    scanner: FingerprintScanner

    def lay(self, fault: HandFault | None = None) -> None:
        """Let a finger come to the next capture; returns at once."""

    def pull(self) -> None:
        """Unplug it, at once or in the next capture."""

    def plug_in(self) -> None:
        """Plug it in again."""


class SimulatedRig:
    def __init__(self) -> None:
        self.hand = SyntheticHand(np.random.default_rng(1))
        self.scanner: FingerprintScanner = PlayedScanner(INFO, self.hand, frame_s=0.02)

    def lay(self, fault: HandFault | None = None) -> None:
        if fault is not None:
            self.hand.fail_next(fault)

    def pull(self) -> None:
        self.hand.fail_next(HandFault.UNPLUGGED)

    def plug_in(self) -> None:
        self.hand.plug_in()


class FolderRig:
    """Writes the script line by line; a picture stands in for what a fault looks like."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for fault in (None, HandFault.LIFTED, HandFault.WET):
            Image.fromarray(picture(fault)).save(folder / f"{fault or 'good'}.png")
        info = ScannerInfo("Nobody", "picture folder", folder.name, 500, previews=True)
        self.pictures = PictureFolder(folder)
        self.scanner: FingerprintScanner = PlayedScanner(info, self.pictures, frame_s=0.02)
        self.acts: list[str] = []
        (folder / SCRIPT).write_text("good.png\n")

    def lay(self, fault: HandFault | None = None) -> None:
        drawn = {None: "good.png", HandFault.LIFTED: "lifted.png", HandFault.WET: "wet.png"}
        self._act(drawn.get(fault) or str(fault))

    def pull(self) -> None:
        self._act("unplugged")

    def plug_in(self) -> None:
        self.pictures.plug_in()
        self._act("good.png")

    def _act(self, act: str) -> None:
        self.acts.append(act)
        (self.folder / SCRIPT).write_text("\n".join(self.acts) + "\n")


class LibfprintRig:
    """libfprint's own virtual device."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "glass"
        self.glass = VirtualGlass(self.socket)
        self.real = LibfprintScanner(LibfprintSettings(environment={VARIABLE: str(self.socket)}))
        self.scanner: FingerprintScanner = self.real
        self.hands: list[threading.Thread] = []

    def lay(self, fault: HandFault | None = None) -> None:
        match fault:
            case HandFault.NOBODY:
                return
            case HandFault.BUSY:
                self._soon(lambda: self.glass.order(Order.ERROR, 4))
            case HandFault.SILENT:
                self._soon(self._stop_helper)
            case HandFault.LIFTED:
                self._soon(lambda: self.glass.order(Order.RETRY, 1))
            case _:
                shown = empty() if fault is HandFault.EMPTY else picture(fault)
                self._soon(lambda: self.glass.lay(shown))

    def pull(self) -> None:
        self._soon(lambda: self.glass.order(Order.REMOVE))

    def plug_in(self) -> None:
        """A virtual device is there again for the next context."""

    def _stop_helper(self) -> None:
        pid = self.real.helper_pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)

    def _soon(self, act: Callable[[], None]) -> None:
        def later() -> None:
            time.sleep(0.25)  # the capture begins in between
            act()

        self.hands.append(threading.Thread(target=later, daemon=True))
        self.hands[-1].start()


class SbiRig:
    def __init__(self, device: SbiDevice, trust: Path) -> None:
        self.device = device
        self.scanner: FingerprintScanner = SbiScanner(SbiSettings(trust, device.port))

    def lay(self, fault: HandFault | None = None) -> None:
        match fault:
            case HandFault.NOBODY:
                return
            case HandFault.BUSY:
                self.device.acts.put("busy")
            case HandFault.SILENT:
                self.device.acts.put("drip")
            case _:
                shown = empty() if fault is HandFault.EMPTY else picture(fault)
                self.device.live = shown
                self.device.acts.put(shown)

    def pull(self) -> None:
        self.device.acts.put("gone")
        self.device.status = "Not Ready"

    def plug_in(self) -> None:
        self.device.status = "Ready"


@functools.lru_cache
def empty() -> GreyImage:
    """Glass and nothing else."""
    return scene_of(1, FINGER, HandFault.EMPTY, np.random.default_rng(1)).frames[-1]


@functools.lru_cache
def known_maker() -> Maker:
    """One for all tests: its keys take half a second to find."""
    return Maker()


def why_no_libfprint() -> str | None:
    """What is missing for the virtual device."""
    if not SYSTEM_PYTHON.exists():
        return "the system's Python"
    if not any(Path("/usr/lib").glob("*/girepository-1.0/FPrint-2.0.typelib")):
        return "gir1.2-fprint-2.0 (Debian package)"
    if not Path("/usr/lib/python3/dist-packages/gi").is_dir():
        return "python3-gi (Debian package)"
    return None


@contextlib.contextmanager
def rig(kind: str, folder: Path) -> Iterator[Rig]:
    """The rig of that name, its scanner not yet opened and closed in the end."""
    with contextlib.ExitStack() as house:
        made: Rig
        match kind:
            case "simulated":
                made = SimulatedRig()
            case "folder":
                made = FolderRig(folder)
            case "libfprint":
                if (missing := why_no_libfprint()) is not None:
                    pytest.skip(f"libfprint's virtual device wants {missing}")
                made = LibfprintRig(folder)
            case _:
                maker = known_maker()
                device = house.enter_context(serving(SbiDevice(maker)))
                made = SbiRig(device, maker.trust(folder / "trust.pem"))
        house.callback(made.scanner.close)
        yield made
