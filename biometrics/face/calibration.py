"""Calibrations as data: no engine decides anything without the file of figures it was measured to.

`counter calibrate face` writes such a file; `thresholds.toml` beside this module is the default engine's.
"""

import tomllib
from datetime import date
from importlib.resources import files
from itertools import pairwise
from math import isfinite

from biometrics.decision import Calibration, Curves, Thresholds
from biometrics.errors import CalibrationError
from biometrics.face.engine import FaceEngine
from biometrics.face.gallery import NEEDED

FIELDS = {
    "calibration", "engine", "measured_on", "measured_at", "people", "pictures", "worst_group", "worst_group_people",
    "target_fmr", "weights", "fused",
}  # fmt: skip
FUSED_FIELDS = {
    "frames", "accept_distance", "refer_distance", "comparisons", "worst_group_comparisons", "genuine", "distances",
    "fmr", "fmr_upper", "fmr_worst_group", "fmr_upper_worst_group", "fnmr", "likelihood_ratio",
}  # fmt: skip


def load_calibration(engine: FaceEngine, text: str | None = None) -> Calibration:
    """The calibration measured for this engine: `text`, else the engine's own, else the one shipped.

    Raises:
        CalibrationError: For another engine or other weights; a field missing, unknown or senseless; curves that
            do not rise; an accept distance that the curves do not hold.
    """
    text = text or engine.calibration
    if text is None:
        text = files("biometrics.face").joinpath("thresholds.toml").read_text(encoding="utf-8")
    calibration = read_calibration(text)
    if calibration.engine != engine.id:
        raise CalibrationError(f"measured for {calibration.engine}, this engine is {engine.id}")
    # one network comes in several wrappings (dlib's file, the graph made of it), so not every name need be in both
    shared = calibration.weights.keys() & engine.sha256.keys()
    if not shared or any(calibration.weights[name] != engine.sha256[name] for name in shared):
        raise CalibrationError(f"measured with other weights than this engine's {', '.join(sorted(engine.sha256))}")
    return calibration


def read_calibration(text: str) -> Calibration:
    """The calibration in a file's text, whichever engine's.

    Raises:
        CalibrationError: As `load_calibration`, but for the engine.
    """
    try:
        return _calibration(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise CalibrationError(f"calibration: {type(error).__name__}: {error}") from error


def load_thresholds(engine: FaceEngine, text: str | None = None) -> Thresholds:
    """The thresholds for as many frames as a session must fuse; `load_calibration` for any other number.

    Raises:
        CalibrationError: As `load_calibration`, or nothing was measured with so few frames.
    """
    thresholds = load_calibration(engine, text).of(NEEDED)
    if thresholds is None:
        raise CalibrationError(f"nothing was measured with {NEEDED} frames or fewer")
    return thresholds


def _calibration(table: dict[str, object]) -> Calibration:
    _exactly(table, FIELDS)
    weights, fused, measured_at = table["weights"], table["fused"], table["measured_at"]
    if not isinstance(weights, dict) or not weights or not isinstance(fused, list) or not isinstance(measured_at, date):
        raise ValueError("weights must be a table, fused a list of tables and measured_at a date")
    by_frames = tuple(_thresholds(one, str(table["calibration"]), str(table["engine"])) for one in fused)
    if not by_frames or any(a.frames_fused >= b.frames_fused for a, b in pairwise(by_frames)):
        raise ValueError("fused must rise by its frames")
    return Calibration(
        id=str(table["calibration"]),
        engine=str(table["engine"]),
        weights={str(name): str(digest) for name, digest in weights.items()},
        measured_on=str(table["measured_on"]),
        measured_at=measured_at,
        people=_count(table["people"]),
        worst_group=str(table["worst_group"]),
        worst_group_people=_count(table["worst_group_people"]),
        fused=by_frames,
    )


def _thresholds(table: object, calibration: str, engine: str) -> Thresholds:
    if not isinstance(table, dict):
        raise ValueError("fused must be a list of tables")
    _exactly(table, FUSED_FIELDS)
    thresholds = Thresholds(
        calibration=calibration,
        engine=engine,
        frames_fused=_count(table["frames"]),
        accept_distance=float(table["accept_distance"]),
        refer_distance=float(table["refer_distance"]),
        comparisons=_count(table["comparisons"]),
        worst_group_comparisons=_count(table["worst_group_comparisons"]),
        curves=Curves(
            distances=_column(table, "distances"),
            fmr=_column(table, "fmr"),
            fmr_upper=_column(table, "fmr_upper"),
            fmr_worst_group=_column(table, "fmr_worst_group"),
            fmr_upper_worst_group=_column(table, "fmr_upper_worst_group"),
            fnmr=_column(table, "fnmr", rising=False),
            likelihood_ratio=_column(table, "likelihood_ratio", rising=False),
        ),
    )
    curves = thresholds.curves
    if not 0 < thresholds.accept_distance < thresholds.refer_distance <= curves.distances[-1]:
        raise ValueError("accept must lie below refer, and refer within the distances")
    for rates in (curves.fmr, curves.fmr_upper, curves.fmr_worst_group, curves.fmr_upper_worst_group, curves.fnmr):
        if not all(0 < rate <= 1 for rate in rates):
            raise ValueError("a rate is not above 0 and at most 1")  # no count ever supports a rate of nothing
    if any(low > high for low, high in zip(curves.fmr_worst_group, curves.fmr_upper_worst_group, strict=True)):
        raise ValueError("an upper bound lies below its rate")
    return thresholds


def _column(table: dict[str, object], name: str, *, rising: bool = True) -> tuple[float, ...]:
    values, distances = table[name], table["distances"]
    if not isinstance(values, list) or not isinstance(distances, list) or len(values) != len(distances) or not values:
        raise ValueError(f"{name} must have a value for each distance")
    column = tuple(float(value) for value in values)
    steps = pairwise(column if rising else reversed(column))
    if not all(isfinite(value) for value in column) or any(a > b for a, b in steps):
        raise ValueError(f"{name} must {'rise' if rising else 'fall'} with the distance")
    return column


def _exactly(table: dict[str, object], fields: set[str]) -> None:
    if table.keys() != fields:
        raise ValueError(f"missing {sorted(fields - table.keys())}, unknown {sorted(table.keys() - fields)}")


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError("a count must be a whole number above 0")
    return value
