"""Puts an engine together from what was chosen. Loads the libraries, so only `choice.open_engine` imports it."""

from biometrics.face.engine import FaceEngine
from biometrics.face.engines.choice import EngineChoice
from biometrics.face.engines.dlib_onnx import DlibOnnxEngine


def open_chosen(choice: EngineChoice) -> FaceEngine:
    """See `open_engine`."""
    return DlibOnnxEngine(with_68=choice.with_68)
