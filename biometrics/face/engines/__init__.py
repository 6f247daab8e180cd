"""Face engines, and the one door through which they are opened.

Nothing heavy is loaded before `open_engine` is called, so that a machine without dlib, without onnxruntime or without
models learns what is missing in one line, whichever part of the product asked.
"""

from biometrics.face.engines.choice import EngineChoice, choice_from, open_engine

__all__ = ["EngineChoice", "choice_from", "open_engine"]
