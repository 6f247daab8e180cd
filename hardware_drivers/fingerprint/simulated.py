"""A scanner under the synthetic finger of a person who does not exist; for demos and tests, never for a branch.

Who that person is and what goes wrong may stand in a small file, read anew at every capture, so that a demo or a test
in another process can send somebody else to the glass: `{"person": 7}`, `{"person": 7, "fault": "wet"}`.
"""

import functools
import json
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np

from hardware_drivers.fingerprint.played import PlayedScanner, Scene, Trouble
from hardware_drivers.fingerprint.scanner import (
    FingerPosition,
    GreyImage,
    ScannerInfo,
    SensorPad,
    SensorVerdict,
)
from hardware_drivers.fingerprint.synthetic_finger import DPI, SyntheticFinger
from hardware_drivers.fingerprint.synthetic_impression import Touch, empty_glass, impression

INFO: Final = ScannerInfo("Nobody", "synthetic finger", "", DPI, previews=True)
FINGERS_APART: Final = 16  # seeds between two people: more than fingers
TIP_DOWN_MM: Final = 14.5  # of a glass 19 mm high: 2 to 5 minutiae are found in what is left (LEADER, 9 touches)
LANDING: Final = (0.35, 0.7)  # part of the contact in the live pictures before the whole


class HandFault(StrEnum):
    """What the hand does wrong, or the scanner; the names of `Trouble` and of the fingers' own troubles."""

    UNPLUGGED = "unplugged"
    BUSY = "busy"
    SILENT = "silent"
    NOBODY = "nobody"
    EMPTY = "empty"  # it reports a finger where there is none
    LIFTED = "lifted"
    WET = "wet"
    DRY = "dry"
    TIP = "tip"  # laid so low that about three minutiae are seen
    IMITATION = "imitation"  # the sensor says so; the picture is as good as any


@functools.lru_cache(maxsize=10)
def finger_of(person: int, position: FingerPosition) -> SyntheticFinger:
    """That person's finger; growing one takes about 0.6 s, so a hand is remembered."""
    return SyntheticFinger.grown(person * FINGERS_APART + position)


def scene_of(person: int, position: FingerPosition, fault: HandFault | None, rng: np.random.Generator) -> Scene:
    """One way this finger may come to the glass."""
    match fault:
        case HandFault.UNPLUGGED | HandFault.BUSY | HandFault.SILENT | HandFault.NOBODY:
            return Scene(trouble=Trouble(fault.value))
        case HandFault.EMPTY:
            return Scene([empty_glass(seed=int(rng.integers(2**32)))])
        case HandFault.LIFTED:
            touch = replace(Touch.drawn(rng), coverage=0.2)
        case HandFault.TIP:
            touch = replace(Touch.drawn(rng), right_mm=0.0, down_mm=TIP_DOWN_MM)
        case HandFault.WET:
            touch = replace(Touch.drawn(rng), moisture=1.6, pressure=1.0)
        case HandFault.DRY:
            touch = replace(Touch.drawn(rng), moisture=-0.8, pressure=0.1)
        case HandFault.IMITATION | None:
            touch = Touch.drawn(rng)
    finger = finger_of(person, position)
    verdict = SensorVerdict.ATTACK if fault is HandFault.IMITATION else SensorVerdict.NOT_JUDGED
    pad = SensorPad(verdict, "simulated sensor") if fault is HandFault.IMITATION else SensorPad()
    return Scene([*landing(finger, touch), impression(finger, touch)], pad=pad)


def landing(finger: SyntheticFinger, touch: Touch) -> list[GreyImage]:
    """What is seen before the finger lies there whole."""
    parts = [replace(touch, coverage=part) for part in LANDING if part < touch.coverage]
    return [empty_glass(seed=touch.seed), *(impression(finger, part) for part in parts)]


class SyntheticHand:
    """Lays the fingers of one person down, each time a little differently."""

    def __init__(self, rng: np.random.Generator, *, person: int = 1, told_by: Path | None = None) -> None:
        """Of `person`, unless the file `told_by` names somebody else.

        Args:
            rng: Draws how each touch differs from the last.
        """
        self._rng = rng
        self._person = person
        self._told_by = told_by
        self._next: list[HandFault] = []

    def fail_next(self, *faults: HandFault) -> None:
        """What goes wrong in the next captures, in this order."""
        self._next += faults

    def plugged(self) -> bool:
        """False for as long as the next thing to go wrong is the cable."""
        _, fault = self._told()
        return HandFault.UNPLUGGED not in (fault, *self._next[:1])

    def plug_in(self) -> None:
        """Repair a cable that `fail_next` pulled."""
        self._next = [fault for fault in self._next if fault is not HandFault.UNPLUGGED]

    def next_scene(self, position: FingerPosition) -> Scene:
        """As the file or `fail_next` have it."""
        person, fault = self._told()
        return scene_of(person, position, self._next.pop(0) if self._next else fault, self._rng)

    def _told(self) -> tuple[int, HandFault | None]:
        """Person and fault of the file; a file that is missing or half written changes nothing."""
        if self._told_by is None:
            return self._person, None
        try:
            told = json.loads(self._told_by.read_text("utf-8"))
            fault = told.get("fault")
            return int(told.get("person", self._person)), HandFault(fault) if fault else None
        except (OSError, ValueError, TypeError, AttributeError):
            return self._person, None


def synthetic_scanner(hand: SyntheticHand) -> PlayedScanner:
    """The scanner that this hand comes to."""
    return PlayedScanner(INFO, hand)
