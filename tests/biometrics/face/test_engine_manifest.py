"""An operator's own network: what its manifest must say, and that it starts with figures of its own or not at all."""

import hashlib
import shutil
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from biometrics.errors import BiometricsError, CalibrationError, ManifestError, ModelError
from biometrics.face.engine import Metric
from biometrics.face.engines import EngineChoice, open_engine
from biometrics.face.engines.align import cut_out, similarity
from biometrics.face.engines.manifest import read_manifest
from biometrics.face.engines.onnx_file import Graph
from counter_server.__main__ import main
from tests.biometrics.simulated_customer import head_and_shoulders, read_picture
from tests.journeys.photographs import photograph

SIDE, DIMENSIONS = 32, 16
MANIFEST = """
manifest = 1
name = "example-net"
licence = "CC0-1.0"
metric = "cosine"
calibration = "figures.toml"
[network]
file = "net.onnx"
sha256 = "{sha256}"
side_px = 32
channels = "rgb"
mean = [127.5, 127.5, 127.5]
scale = [0.0078125, 0.0078125, 0.0078125]
dimensions = 16
template = [[10.0, 11.0], [22.0, 11.0], [16.0, 17.0], [11.0, 23.0], [21.0, 23.0]]
"""


def network(dimensions: int = DIMENSIONS) -> bytes:
    """A real network, if a poor one: one linear layer of random weights."""
    drawn = Graph("linear")
    inputs = 3 * SIDE * SIDE
    weights = np.random.default_rng(8).normal(size=(inputs, dimensions)).astype(np.float32)
    flat = drawn.node("Flatten", ["x"], "flat")
    drawn.node("MatMul", [flat, drawn.constant("weights", weights)], "y")
    return drawn.model({"x": ["N", 3, SIDE, SIDE]}, {"y": ["N", dimensions]})


def written(folder: Path, change: Callable[[str], str] = str, content: bytes | None = None) -> Path:
    """A manifest with its network beside it."""
    content = network() if content is None else content
    (folder / "net.onnx").write_bytes(content)
    path = folder / "engine.toml"
    path.write_text(change(MANIFEST.format(sha256=hashlib.sha256(content).hexdigest())), encoding="utf-8")
    return path


def figures_for(path: Path) -> str:
    """The shipped calibration, claimed for this engine."""
    engine = open_engine(EngineChoice(str(path), with_68=False), to_calibrate=True)
    shipped = files("biometrics.face").joinpath("thresholds.toml").read_text(encoding="utf-8")
    lines = []
    for line in shipped.splitlines():
        if line.startswith("engine ="):
            line = f'engine = "{engine.id}"'
        if ".dat" in line:
            continue  # hashes of other weights
        lines.append(line)
    return "\n".join(lines).replace(
        "[weights]", "[weights]\n" + "\n".join(f'"{name}" = "{digest}"' for name, digest in engine.sha256.items())
    )


def test_without_figures_it_does_not_start(tmp_path: Path) -> None:
    path = written(tmp_path)
    with pytest.raises(CalibrationError, match=r"figures\.toml"):
        open_engine(EngineChoice(str(path), with_68=False))


def test_figures_of_another_engine_do_not_serve(tmp_path: Path) -> None:
    path = written(tmp_path)
    shipped = files("biometrics.face").joinpath("thresholds.toml").read_text(encoding="utf-8")
    for text in (shipped, "", "calibration = 1", "no toml", "\x00", figures_for(path).replace("engine = ", "motor = ")):
        (tmp_path / "figures.toml").write_text(text, encoding="utf-8")
        with pytest.raises(CalibrationError):
            open_engine(EngineChoice(str(path), with_68=False))
    (tmp_path / "figures.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(CalibrationError, match="UTF-8"):
        open_engine(EngineChoice(str(path), with_68=False))
    (tmp_path / "figures.toml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(CalibrationError, match="more than"):
        open_engine(EngineChoice(str(path), with_68=False))


def test_with_its_own_figures_it_starts_and_embeds(tmp_path: Path) -> None:
    path = written(tmp_path)
    (tmp_path / "figures.toml").write_text(figures_for(path), encoding="utf-8")
    engine = open_engine(EngineChoice(str(path)))
    picture = head_and_shoulders(read_picture(photograph("obama.jpg")))
    chip = engine.align(picture, engine.detect(picture)[0])
    assert chip.shape == (SIDE, SIDE, 3)
    one, two = engine.embed_many([chip, chip])
    assert one.shape == (DIMENSIONS,)
    assert np.array_equal(one, two)
    assert np.linalg.norm(one) == pytest.approx(1)
    assert engine.metric is Metric.COSINE
    planes = (chip.transpose(2, 0, 1).astype(np.float64) - 127.5) * 0.0078125
    weights = np.random.default_rng(8).normal(size=(planes.size, DIMENSIONS)).astype(np.float32)
    expected = planes.ravel() @ weights
    assert np.allclose(one, expected / np.linalg.norm(expected), atol=1e-5)


def test_the_id_changes_with_whatever_changes_embeddings_and_with_nothing_else(tmp_path: Path) -> None:
    first = read_manifest(written(tmp_path)).engine_id
    for old, new in (
        ('"rgb"', '"bgr"'),
        ("127.5, 127.5, 127.5", "127.5, 127.5, 127"),
        ("[16.0, 17.0]", "[16.0, 17.5]"),
        ('"cosine"', '"euclidean"'),
        ("0.0078125]", "0.0078]"),
    ):
        path = written(tmp_path)
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
        assert read_manifest(path).engine_id != first
    assert read_manifest(written(tmp_path, content=network() + b"\x2a\x00")).engine_id != first
    assert read_manifest(written(tmp_path, lambda text: text.replace("CC0-1.0", "MIT"))).engine_id == first


@pytest.mark.parametrize(
    ("old", "new"),
    [
        *[(line, "") for line in MANIFEST.strip().splitlines() if line != "[network]"],
        ("manifest = 1", "manifest = 2"),
        ('licence = "CC0-1.0"', 'licence = "   "'),
        ('"cosine"', '"manhattan"'),
        ('"rgb"', '"gbr"'),
        ("side_px = 32", 'side_px = "32"'),
        ("side_px = 32", "side_px = 32.0"),
        ("side_px = 32", "side_px = 100000"),
        ("[127.5, 127.5, 127.5]", "[127.5, 127.5]"),
        ("[127.5, 127.5, 127.5]", "127.5"),
        ("[127.5, 127.5, 127.5]", "[127.5, 127.5, nan]"),
        ("0.0078125]", "0]"),
        ("[[10.0, 11.0], [22.0, 11.0]", "[[22.0, 11.0], [10.0, 11.0]"),
        ("[[10.0, 11.0]", "[[10.0, 111.0]"),
        ('"net.onnx"', '"../net.onnx"'),
        ('"net.onnx"', '"/etc/passwd"'),
        ('"figures.toml"', '"a/figures.toml"'),
        ('"example-net"', '"Example Net\\n"'),
        ("dimensions = 16", "dimensions = 16\nthreshold = 0.6"),
        ("manifest = 1", "manifest = 1\naccept = true"),
        ("manifest = 1", "manifest = ["),
    ],
)
def test_a_manifest_that_says_too_little_too_much_or_nonsense_is_refused(tmp_path: Path, old: str, new: str) -> None:
    path = written(tmp_path)
    text = path.read_text(encoding="utf-8")
    old = next((line for line in text.splitlines() if line.startswith(old.partition("{")[0])), old)
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ManifestError, match=r"engine\.toml"):
        open_engine(EngineChoice(str(path), with_68=False), to_calibrate=True)


def test_files_that_are_not_what_the_manifest_says_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    (tmp_path / "net.onnx").write_bytes(network() + b"\x00")
    refused: list[tuple[Path, type[BiometricsError], str]] = [(path, ModelError, "SHA-256")]
    for name, content, word in (
        ("torn", network()[:300], "cannot load"),
        ("words", b"no network", "cannot load"),
        ("small", network(8), r"says \(2, 16\)"),
    ):
        (tmp_path / name).mkdir()
        refused.append((written(tmp_path / name, content=content), ModelError, word))
    refused.append((tmp_path / "absent.toml", ManifestError, "cannot be read"))
    (tmp_path / "long.toml").write_bytes(b"#" * 20_001)
    refused.append((tmp_path / "long.toml", ManifestError, "more than"))
    for one, error, word in refused:
        with pytest.raises(error, match=word):
            open_engine(EngineChoice(str(one), with_68=False), to_calibrate=True)


def test_the_similarity_finds_the_turn_that_was_made() -> None:
    rng = np.random.default_rng(3)
    template = rng.uniform(0, 100, (5, 2))
    for _ in range(50):
        angle, scale, shift = rng.uniform(-3, 3), rng.uniform(0.2, 5), rng.uniform(-500, 500, 2)
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        points = template @ turn.T + shift
        back = similarity(points, template)
        assert np.allclose(points @ back[:, :2].T + back[:, 2], template, atol=1e-8)
    with pytest.raises(ValueError, match="one place"):
        similarity(np.ones((5, 2)), template)


def test_a_face_far_larger_than_the_template_is_shrunk_before_it_is_cut_out() -> None:
    stripes = np.zeros((800, 800, 3), np.uint8)
    stripes[:, ::2] = 255  # finer than the chip can show: sampled without shrinking they would stay black or white
    template = np.array([[10.0, 11.0], [22.0, 11.0], [16.0, 17.0], [11.0, 23.0], [21.0, 23.0]])
    chip = cut_out(stripes, template * 25, template, SIDE)
    assert np.abs(chip.astype(int) - 127).max() < 40


def test_the_command_that_writes_the_figures_does_not_ask_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("obama", "biden"):
        (tmp_path / "people" / name).mkdir(parents=True)
        shutil.copy(photograph(f"{name}.jpg"), tmp_path / "people" / name)
    monkeypatch.setenv("COUNTER_FACE_ENGINE", str(written(tmp_path)))
    words = [
        "--data",
        str(tmp_path / "people"),
        "--measured-on",
        "two people",
        "--write",
        str(tmp_path / "figures.toml"),
    ]
    assert main(["calibrate", "face", *words]) == 2
    assert "at least 20" in capsys.readouterr().err  # people, not figures, are what it lacks
