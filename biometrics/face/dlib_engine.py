"""The default engine under its earlier name; `biometrics.face.engines.open_engine` is the door for everything new."""

from biometrics.face.engines.dlib_onnx import DlibOnnxEngine as DlibEngine

__all__ = ["DlibEngine"]
