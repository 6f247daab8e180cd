"""Writes a calibration as the file that `biometrics.face.calibration` reads."""

from collections.abc import Mapping, Sequence
from datetime import date

from biometrics.face.calibration import read_calibration


def calibration_file(
    head: Mapping[str, object],
    weights: Mapping[str, str],
    tables: Sequence[Mapping[str, object]],
    *,
    digits: int,
) -> str:
    """TOML of where it comes from, the weights it belongs to, and one table of rates for each number fused.

    Args:
        digits: Significant digits of every fraction.

    Raises:
        CalibrationError: The loader would refuse it: then it is not written.
    """
    lines = [f"{name} = {toml_value(value, digits)}" for name, value in head.items()]
    lines += ["", "[weights]", *(f'"{name}" = "{digest}"' for name, digest in sorted(weights.items()))]
    for table in tables:
        lines += ["", "[[fused]]", *(f"{name} = {toml_value(value, digits)}" for name, value in table.items())]
    text = "\n".join(lines) + "\n"
    read_calibration(text)
    return text


def toml_value(value: object, digits: int) -> str:
    """A value as TOML writes it."""
    match value:
        case None:
            raise TypeError("no such value is written")
        case bool():
            return str(value).lower()
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case date():
            return value.isoformat()
        case list():
            return "[" + ", ".join(toml_value(item, digits) for item in value) + "]"
        case _:
            return f"{value:.{digits}g}" if isinstance(value, float) else str(value)
