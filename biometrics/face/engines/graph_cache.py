"""The converted network on this machine's disk: made at the first use, known by its hash, never shipped by us."""

import hashlib
import logging
import os
import tempfile
from pathlib import Path
from typing import Final

from biometrics.errors import ModelError
from biometrics.face.engines.dlib_weights import read_resnet
from biometrics.face.engines.resnet import draw_resnet
from biometrics.face.models import EMBEDDER, locate

log = logging.getLogger(__name__)

GRAPH_NAME: Final = "dlib_face_recognition_resnet_model_v1.onnx"
GRAPH_SHA256: Final = "2c19b219e8bee9136a631e8b6595a550904cea8e99349168fdf5bad76ec21318"
"""Of the graph drawn from the one weight file we know; `tests/biometrics/face` holds it against dlib's own run."""


def cache_folder() -> Path:
    """Where this user's caches are (XDG base directory specification)."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(named) if Path(named).is_absolute() else Path.home() / ".cache"
    return root / "visual-counter"


def resnet_graph(folder: Path | None = None) -> bytes:
    """dlib's face network as ONNX: from the cache where it lies there unharmed, otherwise converted (0.2 s).

    Raises:
        ModelError: The weight file is absent or another one, or the conversion gives other bytes than measured.
    """
    path = (folder or cache_folder()) / GRAPH_NAME
    try:
        cached = path.read_bytes()
    except OSError:
        cached = b""  # the first use, or a folder we may not read
    if _is_ours(cached):
        return cached  # these very bytes are run: what changes on the disk after this line changes nothing
    graph = draw_resnet(read_resnet(locate(EMBEDDER).read_bytes()))
    if not _is_ours(graph):
        digest = hashlib.sha256(graph).hexdigest()
        raise ModelError(f"the converted face network has SHA-256 {digest}, measured was {GRAPH_SHA256}")
    try:
        _keep(graph, path)
    except OSError as error:  # a read-only home costs 0.2 s at every start and nothing else
        log.warning("the converted face network cannot be kept: %s", error.strerror)
    return graph


def _is_ours(content: bytes) -> bool:
    return hashlib.sha256(content).hexdigest() == GRAPH_SHA256


def _keep(content: bytes, path: Path) -> None:
    """Write beside the place, then rename: two processes that start at once never read half a file."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.", delete=False) as unfinished:
        try:
            unfinished.write(content)
            unfinished.flush()
            os.fsync(unfinished.fileno())
            os.replace(unfinished.name, path)
        except OSError:
            Path(unfinished.name).unlink(missing_ok=True)
            raise
