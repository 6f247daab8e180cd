"""The one door through which the finger engine is opened, and the plain words when it cannot be had."""

from typing import TYPE_CHECKING, Final

from biometrics.libraries import load

if TYPE_CHECKING:
    from biometrics.fingerprint.engine import Extractor  # needs NumPy, whose absence is an answer too

NEEDS: Final = "fingers need"
ALWAYS: Final = ("numpy", "cv2", "onnxruntime", "pyfing")  # onnx and h5py: only where nothing is cached yet


def open_extractor() -> "Extractor":
    """LEADER's network; under two seconds.

    Raises:
        LibraryMissingError: A library it needs is not installed; the message says how to get it.
        ModelError: The weight file is missing, or not the one its hash names.
    """
    leader = load("biometrics.fingerprint.leader", NEEDS, always=ALWAYS)
    return leader.LeaderExtractor()  # type: ignore[no-any-return]
