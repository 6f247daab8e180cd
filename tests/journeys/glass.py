"""The demo's fingerprint scanner: what kiosk.toml must say, and a hand that comes to the glass.

Fingers belong to nobody (`hardware_drivers.fingerprint.synthetic_finger`); the customer is one person of them.
"""

import contextlib
import json
import threading
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np

from hardware_drivers.fingerprint.scanner import FingerPosition
from hardware_drivers.fingerprint.simulated import HandFault, scene_of
from hardware_drivers.fingerprint.virtual_image import Order, VirtualGlass
from tests.hardware_drivers.fingerprint.rigs import why_no_libfprint
from tests.journeys.programs import ProgramError

CUSTOMER, STRANGER = 1, 2  # people, by number: whose finger is in the genuine card, and whose is not
DEVICE_ASKED_WITHIN_S = 30.0  # as long as the kiosk waits for a finger


class GlassKind(StrEnum):
    """Which scanner the demo's kiosk has."""

    SIMULATED = "simulated"
    LIBFPRINT = "libfprint"
    NONE = "none"


class Glass(Protocol):
    """Somebody's hand at the kiosk's scanner."""

    @property
    def settings(self) -> dict[str, str]:
        """The table [finger] of kiosk.toml."""

    @property
    def comes_by_itself(self) -> bool:
        """Whether the finger is there as soon as the kiosk asks, or must be laid down at that moment."""

    def come(
        self,
        person: int = CUSTOMER,
        fault: HandFault | None = None,
        position: FingerPosition = FingerPosition.RIGHT_INDEX,
    ) -> None:
        """Let this person's finger be the next; returns at once."""


@dataclass(frozen=True, slots=True)
class SimulatedGlass:
    """Told by a file, read by the kiosk at every capture: who comes, for whichever finger is asked."""

    hand: Path

    @property
    def settings(self) -> dict[str, str]:
        """As the protocol says."""
        return {"scanner": GlassKind.SIMULATED.value, "hand": str(self.hand)}

    @property
    def comes_by_itself(self) -> bool:
        """It does."""
        return True

    def come(
        self,
        person: int = CUSTOMER,
        fault: HandFault | None = None,
        position: FingerPosition = FingerPosition.RIGHT_INDEX,
    ) -> None:
        """From now on."""
        self.hand.write_text(json.dumps({"person": person, "fault": fault.value if fault else None}), "utf-8")


@dataclass(frozen=True, slots=True)
class LibfprintGlass:
    """libfprint's own virtual device in the kiosk; a picture goes in by its socket."""

    socket: Path

    @property
    def settings(self) -> dict[str, str]:
        """As the protocol says."""
        return {"scanner": GlassKind.LIBFPRINT.value, "virtual_image": str(self.socket)}

    @property
    def comes_by_itself(self) -> bool:
        """It does not: the device takes a finger while it waits for one."""
        return False

    def come(
        self,
        person: int = CUSTOMER,
        fault: HandFault | None = None,
        position: FingerPosition = FingerPosition.RIGHT_INDEX,
    ) -> None:
        """As soon as the kiosk waits for a finger, at most `DEVICE_ASKED_WITHIN_S` from now."""
        if fault is HandFault.NOBODY:
            return
        frames = scene_of(person, position, fault, np.random.default_rng()).frames
        threading.Thread(target=self._lay, args=(frames[-1] if frames else None,), daemon=True).start()

    def _lay(self, shown: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None") -> None:
        glass = VirtualGlass(self.socket, patience_s=DEVICE_ASKED_WITHIN_S)
        with contextlib.suppress(OSError):  # nobody asked for a finger: the hand is taken back
            if shown is None:
                glass.order(Order.REMOVE)
            else:
                glass.lay(shown)


def demo_glass(kind: GlassKind, folder: Path) -> Glass | None:
    """The scanner of that kind, the customer's hand at it.

    Raises:
        ProgramError: this machine cannot have it.
    """
    match kind:
        case GlassKind.NONE:
            return None
        case GlassKind.SIMULATED:
            glass = SimulatedGlass((folder / "hand.json").resolve())
            glass.come()
            return glass
        case GlassKind.LIBFPRINT:
            missing = why_no_libfprint()
            if missing is not None:
                raise ProgramError(f"--finger libfprint: {missing} is missing. Without: ./run demo --finger simulated")
            return LibfprintGlass((folder / "glass.socket").resolve())
