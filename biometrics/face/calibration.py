"""Thresholds as data: no engine decides anything without the file of figures it was measured to."""

import tomllib
from datetime import date
from importlib.resources import files

from biometrics.decision import Threshold, Thresholds
from biometrics.errors import CalibrationError
from biometrics.face.engine import FaceEngine


def load_thresholds(engine: FaceEngine, text: str | None = None) -> Thresholds:
    """The thresholds measured for this engine, from `thresholds.toml` beside this file unless `text` is given.

    Raises:
        CalibrationError: The file is for another engine, or a field is missing or makes no sense.
    """
    if text is None:
        text = files("biometrics.face").joinpath("thresholds.toml").read_text(encoding="utf-8")
    try:
        table = tomllib.loads(text)
        thresholds = Thresholds(
            calibration=str(table["calibration"]),
            engine=str(table["engine"]),
            frames_fused=int(table["frames_fused"]),
            accept=_threshold(table, "accept"),
            refer=_threshold(table, "refer"),
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise CalibrationError(f"thresholds: {type(error).__name__}: {error}") from error
    if thresholds.engine != engine.id:
        raise CalibrationError(f"thresholds were measured for {thresholds.engine}, this engine is {engine.id}")
    if not 0 < thresholds.accept.distance < thresholds.refer.distance:
        raise CalibrationError("the accept distance must lie below the refer distance")
    return thresholds


def _threshold(table: dict[str, object], name: str) -> Threshold:
    band = table[name]
    measured_at = table["measured_at"]
    if not isinstance(band, dict) or not isinstance(measured_at, date):
        raise ValueError(f"{name} must be a table and measured_at a date")
    return Threshold(
        distance=float(band["distance"]),
        fmr_upper=float(band["fmr_upper"]),
        fmr_upper_worst_group=float(band["fmr_upper_worst_group"]),
        comparisons=int(band["comparisons"]),
        false_matches=int(band["false_matches"]),
        worst_group_comparisons=int(band["worst_group_comparisons"]),
        measured_on=str(table["measured_on"]),
        measured_at=measured_at,
    )
