"""Puts an engine together from what was chosen. Loads the libraries, so only `choice.open_engine` imports it."""

from pathlib import Path

from biometrics.errors import CalibrationError
from biometrics.face.calibration import load_thresholds
from biometrics.face.engine import FaceEngine
from biometrics.face.engines.choice import COMPATIBLE, COMPATIBLE_ALSO, DEFAULT, EngineChoice
from biometrics.face.engines.dlib_onnx import DlibOnnxEngine
from biometrics.face.engines.yunet import YunetDetector
from biometrics.libraries import load

MOST_CALIBRATION_BYTES = 1_000_000  # ours has a few thousand


def open_chosen(choice: EngineChoice, *, to_calibrate: bool) -> FaceEngine:
    """See `open_engine`."""
    if choice.engine not in (DEFAULT, COMPATIBLE):
        return _open_manifest(Path(choice.engine), with_68=choice.with_68, to_calibrate=to_calibrate)
    calibration = None if choice.calibration is None else read_calibration(choice.calibration)
    if choice.engine == COMPATIBLE:
        # its import costs a second and may fail: only for whoever asked for it
        module = "biometrics.face.engines.face_recognition_api"
        compatible = load(module, "face_recognition needs", always=COMPATIBLE_ALSO)
        return compatible.FaceRecognitionEngine(calibration=calibration)  # type: ignore[no-any-return]
    detector = None if choice.yunet is None else YunetDetector(choice.yunet)
    return DlibOnnxEngine(detector=detector, calibration=calibration, with_68=choice.with_68)


def _open_manifest(path: Path, *, with_68: bool, to_calibrate: bool) -> FaceEngine:
    # late, because the default engine does without pydantic
    own = load("biometrics.face.engines.onnx_manifest", "an engine by manifest needs")
    manifest = own.read_manifest(path)
    calibration = None if to_calibrate else read_calibration(path.parent / manifest.calibration)
    engine: FaceEngine = own.ManifestEngine(manifest, path.parent, calibration=calibration, with_68=with_68)
    if calibration is not None:
        load_thresholds(engine, calibration)  # a network without figures of its own does not even start
    return engine


def read_calibration(path: Path) -> str:
    """The text of a calibration file.

    Raises:
        CalibrationError: It is absent, unreadable or far too long.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_CALIBRATION_BYTES + 1)
        if len(content) > MOST_CALIBRATION_BYTES:
            raise CalibrationError(f"{path.name} has more than {MOST_CALIBRATION_BYTES} bytes: no calibration")
        return content.decode()
    except OSError as error:
        raise CalibrationError(f"the calibration {path.name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CalibrationError(f"the calibration {path.name} is not UTF-8 text") from error
