"""LEADER run our way against pyfing's own output, and against pictures that are none of a finger."""

import importlib.util
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from biometrics.errors import FingerImageError, ModelError
from biometrics.fingerprint import leader_weights
from biometrics.fingerprint.leader import LeaderExtractor
from biometrics.fingerprint.minutiae import MinutiaKind
from hardware_drivers.fingerprint.synthetic_impression import empty_glass

RECORDED = Path(__file__).with_name("recorded")

# pyfing's own way over a picture, to be run where Keras and a backend are installed
PYFING = """
import json, sys
import cv2, torch
torch.set_grad_enabled(False)
from pyfing.minutiae_end_to_end import Leader, LeaderParameters
found = Leader(LeaderParameters(minutia_quality_threshold=0.3)).run(cv2.imread(sys.argv[1], cv2.IMREAD_GRAYSCALE))
json.dump([[x, y, d, t, q] for x, y, d, t, q in found], sys.stdout)
"""


@cache
def extractor() -> LeaderExtractor:
    return LeaderExtractor()


def recorded_finger() -> NDArray[np.uint8]:
    """A synthetic whorl, 288 x 320: multiples of 32, so that nobody pads."""
    return np.asarray(cv2.imread(str(RECORDED / "synthetic_finger.png"), cv2.IMREAD_GRAYSCALE), np.uint8)


def agrees(minutiae: list[list[Any]]) -> None:
    """Our run over the recorded finger finds exactly these."""
    points, kinds, certainties = extractor().run(recorded_finger())
    ours = {
        (round(x), round(y)): (angle, kind, certainty)
        for (x, y, angle), kind, certainty in zip(points.tolist(), kinds.tolist(), certainties.tolist(), strict=True)
    }
    assert ours.keys() == {(x, y) for x, y, *_ in minutiae}
    for x, y, direction, letter, quality in minutiae:
        angle, kind, certainty = ours[x, y]
        assert abs(np.angle(np.exp(1j * (angle - direction)))) < 1e-4
        assert kind == (MinutiaKind.ENDING if letter == "E" else MinutiaKind.BIFURCATION)
        assert certainty == pytest.approx(quality, abs=1e-4)


def test_a_recorded_run_of_pyfing_is_met_minutia_by_minutia() -> None:
    recorded = json.loads((RECORDED / "pyfing.json").read_text())
    assert len(recorded["minutiae"]) == 25
    agrees(recorded["minutiae"])


@pytest.mark.skipif(
    not (importlib.util.find_spec("keras") and importlib.util.find_spec("torch")),
    reason="wants Keras 3 and torch, which pyfing runs on and the product does not",
)
def test_pyfing_itself_finds_the_same() -> None:
    command = [sys.executable, "-c", PYFING, str(RECORDED / "synthetic_finger.png")]
    told = subprocess.run(
        command, env={**os.environ, "KERAS_BACKEND": "torch"}, stdout=subprocess.PIPE, check=True, timeout=100
    )
    agrees(json.loads(told.stdout))


def test_extraction_finds_what_the_network_finds_where_it_is_sure() -> None:
    found = extractor().extract(recorded_finger(), dpi=500)
    sure = {(x, y) for x, y, _, _, q in json.loads((RECORDED / "pyfing.json").read_text())["minutiae"] if q > 0.6}
    ours = {(round(float(x)), round(float(y))) for x, y in zip(found.minutiae.x_px, found.minutiae.y_px, strict=True)}
    # cropping and padding may move a peak by a pixel
    missed = [a for a in sure if not any(max(abs(a[0] - b[0]), abs(a[1] - b[1])) <= 2 for b in ours)]
    assert missed == []
    assert found.quality.acceptable
    assert (np.diff(found.minutiae.quality) <= 0).all()


def test_another_resolution_gives_the_same_finger() -> None:
    picture = recorded_finger()
    twice = np.asarray(cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)
    one = extractor().extract(picture, dpi=500).minutiae.above(0.8)
    two = extractor().extract(twice, dpi=1000).minutiae
    near = np.hypot(one.x_px[:, None] - two.x_px, one.y_px[:, None] - two.y_px).min(axis=1)
    assert (near < 3).mean() > 0.9
    assert (two.width_px, two.height_px) == (288, 320)


def test_a_finger_in_the_corner_of_a_large_glass_is_cropped_to() -> None:
    picture = np.full((1000, 1000), 235, np.uint8)
    picture[640:960, 700:988] = recorded_finger()
    found = extractor().extract(picture, dpi=500)
    assert len(found.minutiae.above(0.8)) >= 18
    assert found.minutiae.x_px.min() > 690


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((300, 300), np.uint8),
        np.full((300, 300), 255, np.uint8),
        empty_glass(),
        np.random.default_rng(1).integers(0, 256, (500, 500)).astype(np.uint8),
        np.full((64, 64), 9, np.uint8),
        np.tile(np.array([0, 255], np.uint8), (200, 100)),
        np.tile(np.linspace(0, 255, 400).astype(np.uint8), (300, 1)),
        (np.indices((2000, 2000)).sum(axis=0) % 2 * 255).astype(np.uint8),
    ],
    ids=["black", "white", "empty glass", "noise", "smallest", "grid", "slope", "largest"],
)
def test_a_picture_without_a_finger_gives_advice_and_not_an_exception(picture: NDArray[np.uint8]) -> None:
    found = extractor().extract(picture, dpi=500)
    assert not found.quality.acceptable
    assert found.quality.score < 40
    assert np.isfinite(found.maps.orientation_rad).all()


@pytest.mark.parametrize("dpi", [0, -500, float("nan"), float("inf"), 72, 10_000])
def test_a_resolution_nobody_builds_is_refused(dpi: float) -> None:
    with pytest.raises(FingerImageError, match="dpi"):
        extractor().extract(np.zeros((300, 300), np.uint8), dpi=dpi)


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((300, 300, 3), np.uint8),
        np.zeros((300, 300), np.uint16),
        np.zeros((0, 300), np.uint8),
        np.zeros((2100, 300), np.uint8),
        np.zeros((63, 300), np.uint8),
        np.zeros((5000, 5000), np.uint8),
    ],
    ids=["colour", "16 bits", "no rows", "too high", "too narrow", "a poster"],
)
def test_a_shape_no_finger_has_is_refused(picture: NDArray[Any]) -> None:
    with pytest.raises(FingerImageError):
        extractor().extract(picture, dpi=500)


def test_a_torn_cache_is_made_anew(tmp_path: Path) -> None:
    made = leader_weights.graphs(tmp_path)
    kept = sorted(tmp_path.iterdir())
    assert len(kept) == 2
    for path in kept:
        path.write_bytes(path.read_bytes()[:1000])
    assert leader_weights.graphs(tmp_path) == made
    assert leader_weights.graphs(tmp_path) == made


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    assert leader_weights.graphs(blocked / "folder").keys() == {"trunk", "heads"}


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(leader_weights, "SHA256", "0" * 64)
    with pytest.raises(ModelError, match="SHA-256"):
        leader_weights.graphs(tmp_path)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, leader_weights.PACKAGE, None)  # as where it is not installed
    with pytest.raises(ModelError, match=r"pip install .*pyfing"):
        leader_weights.graphs(tmp_path)


def test_neither_torch_nor_tensorflow_nor_keras_is_loaded() -> None:
    code = (
        "import sys; from biometrics.fingerprint.leader import LeaderExtractor; LeaderExtractor();"
        "sys.exit(bool({'torch', 'tensorflow', 'keras', 'pyfing', 'onnx', 'h5py'} & sys.modules.keys()))"
    )
    LeaderExtractor()  # the cache is warm now
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
