"""Runs an ONNX network on the processor, one thread: onnxruntime where it is installed, OpenCV's otherwise."""

import hashlib
import importlib
from pathlib import Path
from typing import Any, Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.errors import ModelError

Numbers = NDArray[np.float32]

MOST_AT_ONCE: Final = 8
"""Inputs per run: four already gain all there is to gain (17 %), and memory grows with each."""


class Network(Protocol):
    """One input, one output."""

    @property
    def runtime(self) -> str:
        """What runs it, with its version."""

    def run(self, inputs: Numbers) -> Numbers:
        """(n, …) to (n, …)."""


def read_checked(path: Path, sha256: str) -> bytes:
    """The bytes of a network's file: these are run, whatever happens to the file later.

    Raises:
        ModelError: It cannot be read or has another hash.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"the network {path.name} cannot be read: {error.strerror}") from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise ModelError(f"{path.name} has SHA-256 {digest}, its manifest says {sha256}")
    return content


def load_network(content: bytes, *, prefer: str = "onnxruntime") -> Network:
    """The network in these bytes, whose hash the caller has checked. `prefer` is `onnxruntime` or `opencv`.

    Raises:
        ModelError: No runtime can read them.
    """
    if prefer == "onnxruntime":
        try:
            runtime = importlib.import_module("onnxruntime")
        except ImportError:
            pass  # OpenCV is there anyway, and takes 2.2 times as long
        else:
            return _OnnxRuntime(runtime, content)
    return _OpenCv(content)


class _OnnxRuntime:
    def __init__(self, runtime: Any, content: bytes) -> None:
        options = runtime.SessionOptions()
        options.intra_op_num_threads = 1  # the second core belongs to the media worker
        options.inter_op_num_threads = 1
        options.use_deterministic_compute = True
        options.log_severity_level = 3  # errors only; they come as exceptions too
        try:
            self._session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except _refusals(runtime) as error:
            raise ModelError(f"onnxruntime cannot load the network: {type(error).__name__}") from error
        self._input = self._session.get_inputs()[0].name
        self.runtime = f"onnxruntime {runtime.__version__}"

    def run(self, inputs: Numbers) -> Numbers:
        return np.asarray(self._session.run(None, {self._input: inputs})[0], np.float32)


class _OpenCv:
    def __init__(self, content: bytes) -> None:
        try:
            self._network = cv2.dnn.readNetFromONNX(np.frombuffer(content, np.uint8))
        except cv2.error as error:
            raise ModelError(f"OpenCV cannot load the network: {error.func}") from error
        self.runtime = f"opencv {cv2.__version__}"

    def run(self, inputs: Numbers) -> Numbers:
        self._network.setInput(inputs)
        return np.asarray(self._network.forward(), np.float32).copy()  # the next run writes over its own memory


def _refusals(runtime: Any) -> tuple[type[Exception], ...]:
    """What onnxruntime raises; its exceptions have no root of their own."""
    names = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NotImplemented", "RuntimeException")
    native = runtime.capi.onnxruntime_pybind11_state
    return tuple(getattr(native, name) for name in names)
