"""The detection error trade-off as a picture: misses against false matches on normal scales (ISO/IEC 19795-1)."""

from collections.abc import Mapping
from pathlib import Path
from statistics import NormalDist
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from biometrics.errors import EvaluationDataError
from biometrics.evaluation.scores import Distances

TICKS: Final = (1e-4, 1e-3, 1e-2, 0.05, 0.2, 0.4)
SUFFIXES: Final = (".svg", ".png", ".pdf")


def det_picture(curves: Mapping[str, tuple[Distances, Distances]], title: str, path: Path) -> None:
    """Write the curves of genuine and impostor distances; a curve ends where so few comparisons say nothing more.

    Raises:
        EvaluationDataError: Nobody has two pictures, or the file's name ends in none of `SUFFIXES`.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise EvaluationDataError(f"{path.name} must end in one of {', '.join(SUFFIXES)}")
    if not all(len(genuine) and len(impostor) for genuine, impostor in curves.values()):
        raise EvaluationDataError("nobody has two pictures, so there is nothing to draw")
    figure = Figure(figsize=(6.4, 6.0), layout="constrained")
    axes = figure.subplots()
    for name, (genuine, impostor) in curves.items():
        false, missed = det_curve(genuine, impostor)
        axes.step(_scale(false), _scale(missed), where="post", label=f"{name} ({len(genuine)}, {len(impostor)})")
    lowest = min(0.5 / len(impostor) for _, impostor in curves.values())
    ticks = [tick for tick in TICKS if tick >= lowest]
    for axis, say in ((axes.xaxis, "false match rate"), (axes.yaxis, "false non-match rate")):
        axis.set_ticks(_scale(np.array(ticks)), [f"{tick:g}" for tick in ticks])
        axis.set_label_text(say)
    span = _scale(np.array([lowest, 0.5]))
    axes.set(xlim=tuple(span), ylim=tuple(span), title=title)
    axes.grid(visible=True, alpha=0.4)
    axes.legend(title="compared (genuine, impostor)", fontsize="small")
    figure.savefig(path, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)


def det_curve(genuine: Distances, impostor: Distances) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """False match and false non-match rate at every distance that changes one of them, by rising distance."""
    at = np.unique(np.concatenate([genuine, impostor]))
    false = np.searchsorted(np.sort(impostor), at, side="right") / len(impostor)
    missed = 1 - np.searchsorted(np.sort(genuine), at, side="right") / len(genuine)
    return np.asarray(false, dtype=np.float64), np.asarray(missed, dtype=np.float64)


def _scale(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Normal deviates; rates of 0 and 1, which have none, lie off the picture."""
    normal = NormalDist()
    return np.array([normal.inv_cdf(float(np.clip(rate, 1e-7, 1 - 1e-7))) for rate in rates])
