"""The detection error trade-off as a picture: misses against false matches on normal scales (ISO/IEC 19795-1)."""

from collections.abc import Mapping
from pathlib import Path
from statistics import NormalDist
from typing import Final

import numpy as np
from matplotlib.axes import Axes
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
    figure = Figure(figsize=(12.0, 6.0), layout="constrained")
    axes, beside = figure.subplots(1, 2)
    for name, (genuine, impostor) in curves.items():
        false, missed = det_curve(genuine, impostor)
        # no error among n is drawn as half a one: the curve of a set without errors runs along its own limit
        false, missed = np.maximum(false, 0.5 / len(impostor)), np.maximum(missed, 0.5 / len(genuine))
        axes.step(_scale(false), _scale(missed), where="post", label=f"{name} ({len(genuine)}, {len(impostor)})")
    lowest = min(0.4 / len(impostor) for _, impostor in curves.values())
    ticks = [tick for tick in TICKS if tick >= lowest]
    for axis, say in ((axes.xaxis, "false match rate"), (axes.yaxis, "false non-match rate")):
        axis.set_ticks(_scale(np.array(ticks)), [f"{tick:g}" for tick in ticks])
        axis.set_label_text(say)
    span = _scale(np.array([lowest, 0.5]))
    axes.set(xlim=tuple(span), ylim=tuple(span), title=title)
    axes.grid(visible=True, alpha=0.4)
    axes.legend(title="compared (genuine, impostor)", fontsize="small")
    _draw_shares(beside, curves)
    figure.savefig(path, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)


def _draw_shares(axes: Axes, curves: Mapping[str, tuple[Distances, Distances]]) -> None:
    """Where the distances lie: of strangers the share so close, of the same people the share farther off."""
    for name, (genuine, impostor) in curves.items():
        at, farther = np.sort(genuine), 1 - np.arange(1, len(genuine) + 1) / len(genuine)
        (line,) = axes.step(at, np.maximum(farther, 0.5 / len(genuine)), where="post", linestyle="--")
        closest = np.sort(impostor)
        share = np.arange(1, len(closest) + 1) / len(closest)
        axes.step(closest, share, where="post", color=line.get_color(), label=name)
    axes.set(yscale="log", ylim=(1e-4, 1), xlabel="distance", ylabel="share")
    axes.set_title("strangers so close (line), same person farther off (dashes)", fontsize="medium")
    axes.grid(visible=True, alpha=0.4)


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
