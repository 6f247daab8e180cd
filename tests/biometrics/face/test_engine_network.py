"""dlib's network as ONNX: the file that is written, the cache it lies in, and dlib's own run as the oracle."""

import hashlib
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest

from biometrics.errors import ModelError
from biometrics.face.engines import graph_cache
from biometrics.face.engines.dlib_weights import read_resnet
from biometrics.face.engines.graph_cache import GRAPH_NAME, GRAPH_SHA256, resnet_graph
from biometrics.face.engines.network import load_network
from biometrics.face.engines.onnx_file import Graph
from biometrics.face.engines.resnet import draw_resnet
from biometrics.face.models import EMBEDDER, ModelFile, locate


@cache
def dat() -> bytes:
    return locate(EMBEDDER).read_bytes()


@cache
def graph() -> bytes:
    return draw_resnet(read_resnet(dat()))


def test_the_graph_is_valid_onnx_by_the_judgement_of_onnx_itself() -> None:
    model = onnx.load_from_string(graph())
    onnx.checker.check_model(model, full_check=True)
    assert [one.name for one in model.graph.input] == ["chips"]
    assert sum(node.op_type == "Conv" for node in model.graph.node) == 29


def test_the_same_weights_give_the_same_bytes_and_the_pinned_hash() -> None:
    assert hashlib.sha256(graph()).hexdigest() == GRAPH_SHA256


@pytest.mark.parametrize("runtime", ["onnxruntime", "opencv"])
def test_both_runtimes_compute_what_dlib_computes(runtime: str) -> None:
    dlib = pytest.importorskip("dlib")
    theirs = dlib.face_recognition_model_v1(str(locate(EMBEDDER)))
    network = load_network(graph(), prefer=runtime)
    assert network.runtime.startswith(runtime)
    rng = np.random.default_rng(4)
    chips = rng.integers(0, 256, (3, 150, 150, 3), dtype=np.uint8)
    ours = network.run(chips.transpose(0, 3, 1, 2).astype(np.float32))
    for chip, vector in zip(chips, ours, strict=True):
        assert np.linalg.norm(np.array(theirs.compute_face_descriptor(chip)) - vector) < 1e-5
    again = network.run(chips.transpose(0, 3, 1, 2).astype(np.float32))
    assert np.array_equal(ours, again)


def test_an_operator_of_ours_reads_back_as_it_was_written() -> None:
    drawn = Graph("small")
    weights = np.arange(6, dtype=np.float32).reshape(2, 3) - 2.5
    amounts = drawn.constant("amounts", np.array([0, 0, 0, 300], np.int64))
    padded = drawn.node("Pad", ["x", amounts], "padded")
    drawn.node("MatMul", [padded, drawn.constant("weights", weights)], "y")
    model = onnx.load_from_string(drawn.model({"x": ["N", 2]}, {"y": ["N", 3]}))
    held = {one.name: onnx.numpy_helper.to_array(one) for one in model.graph.initializer}
    assert np.array_equal(held["weights"], weights)
    assert held["amounts"].tolist() == [0, 0, 0, 300]
    assert [side.dim_param or side.dim_value for side in model.graph.input[0].type.tensor_type.shape.dim] == ["N", 2]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        bytes(1000),
        dat()[: len(dat()) // 2],
        dat()[:400],
        b"\x05con_4" + b"\x01\x02" + b"\x04\xff\xff\xff\x7f" * 4,  # a tensor larger than any memory
        b"\x05con_4" + b"\x01\x02" + b"\x84\xff\xff\xff\x7f" * 4,  # sides below nothing
        b"\x05con_4\x7f",
        b"\x04fc_2\x01\x80",
    ],
    ids=["empty", "zeros", "half", "start", "giant tensor", "negative tensor", "integer of 127 bytes", "torn"],
)
def test_bytes_that_are_not_the_network_are_refused_by_name(content: bytes) -> None:
    with pytest.raises(ModelError):
        draw_resnet(read_resnet(content))


def test_the_first_use_converts_and_the_second_needs_no_weight_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "new" / "cache"
    first = resnet_graph(folder)
    assert [path.name for path in folder.iterdir()] == [GRAPH_NAME]  # nothing half-written lies beside it

    def gone(_: ModelFile) -> Path:
        raise ModelError("no weight file")

    monkeypatch.setattr(graph_cache, "locate", gone)
    assert resnet_graph(folder) == first
    (folder / GRAPH_NAME).unlink()
    with pytest.raises(ModelError):
        resnet_graph(folder)


@pytest.mark.parametrize("damage", ["cut", "one bit", "empty"])
def test_a_damaged_cache_is_not_run_but_made_again(tmp_path: Path, damage: str) -> None:
    good = bytearray(resnet_graph(tmp_path))
    path = tmp_path / GRAPH_NAME
    bad = {"cut": good[: len(good) // 2], "empty": good[:0]}.get(damage, good[:5000] + b"\x01" + good[5001:])
    assert bad != good
    path.write_bytes(bad)
    assert resnet_graph(tmp_path) == good
    assert path.read_bytes() == good


def test_a_place_that_cannot_be_written_costs_time_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    assert hashlib.sha256(resnet_graph(file / "cache")).hexdigest() == GRAPH_SHA256
    assert "cannot be kept" in caplog.text


@pytest.mark.parametrize("runtime", ["onnxruntime", "opencv"])
def test_bytes_that_are_no_onnx_are_a_model_error(runtime: str) -> None:
    with pytest.raises(ModelError, match="cannot load"):
        load_network(b"\x08\x08 no network follows", prefer=runtime)
