"""NIST's own algorithms where somebody installed them: MINDTCT's minutiae, NFIQ 2, Bozorth3's score.

`nbis-python` (MIT; NIST's code in it is public domain) is no dependency. Its wheels for newer systems do not load on
Debian 12; 0.1.9 does, with Debian's libopencv-core406, -imgproc406, -ml406 and libtbb12 (research notes, section 1).
A peer to measure against and the only honest source of an NFIQ 2 number; the default engine matches better.
"""

import importlib
import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, Final

import cv2
import numpy as np

from biometrics.errors import EngineAbsentError, FingerImageError
from biometrics.fingerprint.engine import Extraction
from biometrics.fingerprint.image import FingerImage, working_image
from biometrics.fingerprint.minutiae import WORKING_DPI, Minutiae, MinutiaKind
from biometrics.fingerprint.quality import judge
from biometrics.fingerprint.ridges import ridge_maps

PACKAGE: Final = "nbis"


@dataclass(frozen=True, slots=True, eq=False)
class NbisFinger:
    """One impression as NBIS keeps it for comparing."""

    extraction: Extraction
    native: Any
    """NBIS's own object; None where it refused the picture."""


class NbisExtractor:
    """MINDTCT and NFIQ 2; slower to load than to run.

    Raises:
        EngineAbsentError: The package, or a library it stands on, is not there.
    """

    id = "nbis-mindtct-1"

    def __init__(self) -> None:
        self._nbis = _loaded()
        settings = self._nbis.NbisExtractorSettings(
            min_quality=0.0, get_center=False, check_fingerprint=False, compute_nfiq2=True, ppi=float(WORKING_DPI)
        )
        self._native = self._nbis.new_nbis_extractor(settings)

    @property
    def version(self) -> str:
        """Version of the library that runs the algorithms."""
        return f"{PACKAGE} {importlib.metadata.version('nbis-python')}"

    @property
    def sha256(self) -> Mapping[str, str]:
        """Its random forest is compiled in; there is no file of weights."""
        return {}

    def extract(self, image: FingerImage, *, dpi: float) -> Extraction:
        """Minutiae, ours as well as NIST's quality, and ridge maps at 500 dpi.

        Raises:
            FingerImageError: The picture cannot be one of a finger: its shape, its size or its dpi.
        """
        return self.finger(image, dpi=dpi).extraction

    def finger(self, image: FingerImage, *, dpi: float) -> NbisFinger:
        """As `extract`, with what `bozorth3` compares.

        Raises:
            FingerImageError: As `extract`.
        """
        working = working_image(image, dpi=dpi)
        maps = ridge_maps(working)
        written, png = cv2.imencode(".png", working)
        if not written:
            raise FingerImageError("the picture cannot be written as PNG")
        height, width = working.shape
        try:
            native = self._native.extract_minutiae(png.tobytes())
            nfiq2 = int(native.quality().score)
        except self._nbis.NbisError:  # a blank picture is an error to NFIQ 2; to us it is one to take again
            nothing = Minutiae.none(width_px=width, height_px=height)
            return NbisFinger(Extraction(minutiae=nothing, quality=judge(working, maps, nothing), maps=maps), None)
        minutiae = self._working(native, width_px=width, height_px=height)
        quality = replace(judge(working, maps, minutiae), nfiq2=nfiq2 if nfiq2 <= 100 else None)  # 255: it failed
        return NbisFinger(Extraction(minutiae=minutiae, quality=quality, maps=maps), native)

    def _working(self, native: Any, *, width_px: int, height_px: int) -> Minutiae:
        """NBIS's minutiae in our frame. Its `to_iso_19794_2_2005` leaves the resolution out: no such record."""
        found = native.get()
        rows = [(m.x(), m.y(), np.deg2rad(m.angle())) for m in found]
        endings = [m.kind() == self._nbis.MinutiaKind.RIDGE_ENDING for m in found]
        return Minutiae.of(
            np.array(rows, np.float64).reshape(-1, 3),
            kind=np.where(endings, MinutiaKind.ENDING, MinutiaKind.BIFURCATION).astype(np.uint8).reshape(-1),
            quality=np.array([m.reliability() for m in found], np.float32),
            width_px=width_px,
            height_px=height_px,
        )

    def bozorth3(self, probe: NbisFinger, reference: NbisFinger) -> float:
        """Bozorth3's score: 0 upwards; 40 is NIST's rule of thumb for the same finger."""
        if probe.native is None or reference.native is None:
            return 0.0
        return float(probe.native.compare(reference.native))


def _loaded() -> ModuleType:
    """The package; it is native code, so a missing library shows only here."""
    try:
        return importlib.import_module(PACKAGE)
    except (ImportError, OSError) as error:  # OSError: what ctypes says of a library that does not load
        raise EngineAbsentError(f"{PACKAGE} does not load: {type(error).__name__}") from error
