"""What an extractor does: take the picture of one finger, give back its minutiae and whether the picture was fit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from biometrics.fingerprint.image import FingerImage
from biometrics.fingerprint.minutiae import Minutiae
from biometrics.fingerprint.quality import FingerQuality
from biometrics.fingerprint.ridges import RidgeMaps


@dataclass(frozen=True, slots=True, eq=False)
class Extraction:
    """Everything one picture of a finger yields."""

    minutiae: Minutiae
    quality: FingerQuality
    maps: RidgeMaps


class Extractor(Protocol):
    """One way from picture to minutiae, its preprocessing included: thresholds belong to exactly one extractor.

    Not for several threads at once; give each worker its own.
    """

    @property
    def id(self) -> str:
        """Name that thresholds refer to; changes whenever minutiae would."""

    @property
    def version(self) -> str:
        """Version of the library that runs the models."""

    @property
    def sha256(self) -> Mapping[str, str]:
        """Hash of every weight file by its name."""

    def extract(self, image: FingerImage, *, dpi: float) -> Extraction:
        """Minutiae, quality and ridge maps at 500 dpi; a picture without a finger gives none of the first.

        Raises:
            FingerImageError: The picture cannot be one of a finger: its shape, its size or its dpi.
        """
