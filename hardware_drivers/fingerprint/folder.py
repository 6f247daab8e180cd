"""A scanner that shows the pictures of a folder, one for each capture: a recorded session, or a data set at the desk.

With a file `script.txt`, its lines decide what comes: a picture's name, or a word of `played.Trouble` or `empty`.
Without, the folder's pictures come in the order of their names. After the last the first comes again.
"""

from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, UnidentifiedImageError

from hardware_drivers.errors import NoScannerError
from hardware_drivers.fingerprint.played import PlayedScanner, Scene, Trouble
from hardware_drivers.fingerprint.scanner import SIDES_PX, FingerPosition, GreyImage, ScannerInfo

SCRIPT: Final = "script.txt"
KINDS: Final = (".png", ".tif", ".tiff", ".bmp", ".pgm", ".jpg")
EMPTY: Final = "empty"
GLASS: Final = 235  # grey of the empty glass, as in the synthetic one


class PictureFolder:
    """Plays a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._at = 0

    def plugged(self) -> bool:
        """The folder is there, has something to show, and the script does not pull the cable next."""
        acts = self.acts()
        return bool(acts) and acts[self._at % len(acts)] != Trouble.UNPLUGGED

    def plug_in(self) -> None:
        """Go past a pulled cable."""
        if self.acts() and not self.plugged():
            self._at += 1

    def acts(self) -> list[str]:
        """What the captures show, in order; read anew, so that a session can be changed while it runs."""
        script = self._folder / SCRIPT
        if script.is_file():
            lines = (line.strip() for line in script.read_text("utf-8").splitlines())
            return [line for line in lines if line and not line.startswith("#")]
        if not self._folder.is_dir():
            return []
        return sorted(file.name for file in self._folder.iterdir() if file.suffix.lower() in KINDS)

    def next_scene(self, position: FingerPosition) -> Scene:
        """The next act, for whichever finger; `NoScannerError` when it names no picture of this folder."""
        acts = self.acts()
        act = acts[self._at % len(acts)]
        self._at += 1
        if act in list(Trouble):
            return Scene(trouble=Trouble(act))
        if act == EMPTY:
            return Scene([np.full((SIDES_PX[0] * 4, SIDES_PX[0] * 4), GLASS, np.uint8)])
        return Scene([read_grey(self._folder / Path(act).name)])


def read_grey(file: Path) -> GreyImage:
    """The picture, (height, width) uint8; `NoScannerError` when it is none or of a size no scanner has."""
    try:
        with Image.open(file) as picture:
            if not all(SIDES_PX[0] <= side <= SIDES_PX[1] for side in picture.size):
                raise NoScannerError(f"{file.name} has {picture.size[0]} x {picture.size[1]} pixels")
            return np.asarray(picture.convert("L"), np.uint8)
    except (OSError, UnidentifiedImageError) as error:
        raise NoScannerError(f"{file.name}: {type(error).__name__}") from error


def folder_scanner(folder: Path, dpi: int) -> PlayedScanner:
    """The scanner; its resolution is what the pictures were taken with."""
    return PlayedScanner(
        ScannerInfo("Nobody", "picture folder", folder.name, dpi, previews=True), PictureFolder(folder)
    )
