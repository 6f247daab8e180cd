"""The fingerprint scanner of a journey's kiosk: what kiosk.toml must say of it, and whose finger comes to it.

Fingers belong to nobody (`hardware_drivers.fingerprint.synthetic_finger`); people are numbers.
"""

import contextlib
import json
import threading
import time
import urllib.request
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np

from hardware_drivers.fingerprint.scanner import FingerPosition
from hardware_drivers.fingerprint.simulated import HandFault, scene_of
from hardware_drivers.fingerprint.virtual_image import Order, VirtualGlass
from tests.hardware_drivers.fingerprint.rigs import why_no_libfprint
from tests.journeys.programs import ProgramError

CUSTOMER, STRANGER = 1, 2
LOOK_EVERY_S = 0.3  # how soon a hand notices that the kiosk waits for it
TAKEN_WITHIN_S = 1.5  # a picture that was laid ends the waiting within 0.5 s
LAID = FingerPosition.RIGHT_INDEX  # the virtual device cannot say which finger the kiosk asked for


class GlassKind(StrEnum):
    """Which scanner the kiosk has."""

    SIMULATED = "simulated"
    LIBFPRINT = "libfprint"
    NONE = "none"


class Glass(Protocol):
    """A hand before the scanner of one kiosk; it comes whenever the kiosk asks for a finger."""

    @property
    def settings(self) -> dict[str, str]:
        """The table [finger] of kiosk.toml, which lies in the folder the glass was made with."""

    def come(self, person: int = CUSTOMER, fault: HandFault | None = None) -> None:
        """From now on this person's fingers come, or that goes wrong."""

    def watch(self, kiosk_url: str) -> None:
        """The kiosk has started: from now on it may ask."""

    def stop(self) -> None:
        """The hand goes home."""


class SimulatedGlass:
    """Fingers inside the kiosk itself, told by a file that it reads at every capture."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "hand.json"

    @property
    def settings(self) -> dict[str, str]:
        """As the protocol says."""
        return {"scanner": GlassKind.SIMULATED.value, "hand": self._file.name}

    def come(self, person: int = CUSTOMER, fault: HandFault | None = None) -> None:
        """By the file, whole or not at all."""
        told = self._file.with_suffix(".new")
        told.write_text(json.dumps({"person": person, "fault": fault}), encoding="utf-8")
        told.replace(self._file)

    def watch(self, kiosk_url: str) -> None:
        """Nothing: the kiosk looks for itself."""

    def stop(self) -> None:
        """Nothing."""


class LibfprintGlass:
    """libfprint's own virtual device in the kiosk; pictures go in by its socket, when the kiosk waits for a finger."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "glass"
        self._person = CUSTOMER
        self._fault: HandFault | None = None
        self._over = threading.Event()
        self._hand: threading.Thread | None = None
        self._rng = np.random.default_rng()

    @property
    def settings(self) -> dict[str, str]:
        """As the protocol says."""
        return {"scanner": GlassKind.LIBFPRINT.value, "virtual_image": str(self._socket.resolve())}

    def come(self, person: int = CUSTOMER, fault: HandFault | None = None) -> None:
        """From the next finger on."""
        self._person, self._fault = person, fault

    def watch(self, kiosk_url: str) -> None:
        """Begin to ask the kiosk whether it waits."""
        self._hand = threading.Thread(target=self._come_when_asked, args=(kiosk_url,), daemon=True)
        self._hand.start()

    def stop(self) -> None:
        """End the asking."""
        self._over.set()
        if self._hand is not None:
            self._hand.join(5)

    def _come_when_asked(self, kiosk_url: str) -> None:
        """A finger whenever the kiosk waits, and another when it still, or again, waits a moment later."""
        not_before_s = 0.0
        while not self._over.wait(LOOK_EVERY_S):
            with contextlib.suppress(OSError, ValueError):  # the kiosk is restarted: ask again
                with urllib.request.urlopen(f"{kiosk_url}/api/kiosk", timeout=5) as answer:  # noqa: S310 - our own
                    waits = json.load(answer)["finger_step"] == "waiting_for_finger"
                if waits and time.monotonic() >= not_before_s:
                    self._lay()
                    not_before_s = time.monotonic() + TAKEN_WITHIN_S

    def _lay(self) -> None:
        """What the hand does at the glass, or to the cable."""
        glass = VirtualGlass(self._socket)
        if self._fault is HandFault.NOBODY:
            return
        frames = scene_of(self._person, LAID, self._fault, self._rng).frames
        if frames:
            glass.lay(frames[-1])
        else:
            glass.order(Order.REMOVE)


def glass_for(kind: GlassKind, folder: Path) -> Glass | None:
    """The scanner of that kind, the customer's hand at it; `folder` is the one of kiosk.toml.

    Raises:
        ProgramError: this machine cannot have it.
    """
    match kind:
        case GlassKind.NONE:
            return None
        case GlassKind.SIMULATED:
            return SimulatedGlass(folder)
        case GlassKind.LIBFPRINT:
            missing = why_no_libfprint()
            if missing is not None:
                raise ProgramError(f"--finger libfprint: {missing} is missing. Without: ./run demo --finger simulated")
            return LibfprintGlass(folder)
