"""Impressions in folders: `finger_impression.png` or `.tif`, a file `dpi` where not 500, `.iso` templates beside."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from biometrics.errors import EvaluationDataError
from biometrics.fingerprint.image import FingerImage
from biometrics.fingerprint.minutiae import WORKING_DPI

PICTURES: Final = (".png", ".tif", ".tiff", ".bmp")
_NAME = re.compile(r"(?P<finger>\d+)_(?P<impression>\d+)")


@dataclass(frozen=True, slots=True)
class Taken:
    """One impression on the disk."""

    finger: int
    impression: int
    path: Path

    @property
    def foreign_template(self) -> Path | None:
        """ISO/IEC 19794-2:2005 record of another vendor's extractor, where one lies beside the picture."""
        path = self.path.with_suffix(".iso")
        return path if path.is_file() else None

    def read(self) -> FingerImage:
        """The picture.

        Raises:
            EvaluationDataError: The file is no picture.
        """
        picture = cv2.imread(str(self.path), cv2.IMREAD_GRAYSCALE)
        if picture is None:
            raise EvaluationDataError(f"{self.path.name} is not a picture")
        return np.asarray(picture, np.uint8)


@dataclass(frozen=True, slots=True)
class FingerSet:
    """What one scanner took."""

    name: str
    dpi: float
    taken: tuple[Taken, ...]
    """By finger, then impression."""


def finger_set_in(folder: Path) -> FingerSet:
    """The set in a folder.

    Raises:
        EvaluationDataError: Absent, fewer than two fingers, or a `dpi` that is no number.
    """
    if not folder.is_dir():
        raise EvaluationDataError(f"no folder {folder}")
    taken = []
    for path in folder.iterdir():
        named = _NAME.fullmatch(path.stem)
        if named and path.suffix.lower() in PICTURES:
            taken.append(Taken(int(named["finger"]), int(named["impression"]), path))
    taken.sort(key=lambda one: (one.finger, one.impression))
    if len({one.finger for one in taken}) < 2:
        raise EvaluationDataError(f"{folder} has fewer than two fingers named finger_impression.png")
    told = folder / "dpi"
    try:
        dpi = float(told.read_text(encoding="ascii")) if told.is_file() else float(WORKING_DPI)
    except ValueError as error:
        raise EvaluationDataError(f"{told} holds no number") from error
    return FingerSet(folder.name, dpi, tuple(taken))


def folders_of(given: Sequence[Path]) -> list[Path]:
    """The folders given, and in place of one without impressions the folders in it."""
    folders: list[Path] = []
    for folder in given:
        inside = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
        folders += inside or [folder]
    return folders
