"""The weights of LEADER: where they come from, by which hash we know them, and the graphs made of them once.

The file comes with the package `pyfing` (Cappelli, University of Bologna, MIT), which is never imported: it would load
Keras and a framework behind it. Conversion needs `onnx` and `h5py` once; afterwards the two graphs lie in a cache.
"""

import hashlib
import importlib.util
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from biometrics.errors import ModelError
from biometrics.libraries import WHERE_FROM, load

PACKAGE: Final = "pyfing"
FILE: Final = "LEADER.weights.h5"
SHA256: Final = "0cbf12af936482d10ba54b23f40a9b192ab767df2f81bc96c5954585735fefe6"
GRAPH: Final = "2"
"""Part of the cache's key: change it with `leader_graph`."""


def source() -> Path:
    """The weight file, its hash the one measured with.

    Raises:
        ModelError: The package is not installed, the file is not in it, or the file is another one.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"package {PACKAGE} is not installed ({WHERE_FROM[PACKAGE]})")
    path = Path(spec.submodule_search_locations[0]) / "models" / FILE
    if not path.is_file():
        raise ModelError(f"{FILE} is not in the package {PACKAGE}")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != SHA256:
        raise ModelError(f"{FILE} has SHA-256 {digest}, measured was {SHA256}")
    return path


def graphs(cache: Path | None = None) -> Mapping[str, bytes]:
    """The ONNX graphs "trunk" and "heads", converted at the first call and then read from the cache.

    A cached file carries its own hash in its name, so a torn or changed one is made anew. Where nothing can be
    written, the conversion (half a second) happens at every start.

    Raises:
        ModelError: As `source`.
        LibraryMissingError: What converts is not installed; the message says how to get it.
    """
    weights = source()
    folder = cache or _own_cache()
    found = {name: _cached(folder, name) for name in ("trunk", "heads")}
    ready = {name: graph for name, graph in found.items() if graph is not None}
    if len(ready) == len(found):
        return ready
    # late: onnx and h5py are 60 MB that a warm start never needs
    graph_of = load(
        "biometrics.fingerprint.leader_graph", "converting the fingers' network needs", always=("onnx", "h5py")
    )
    made: Mapping[str, bytes] = graph_of.convert(weights)
    for name, graph in made.items():
        _keep(folder, name, graph)
    return made


def _own_cache() -> Path:
    """The account's cache folder by the XDG rule."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "visual-counter"


def _stem(name: str) -> str:
    """First part of a cached file's name: which graph, of which conversion, of which weights."""
    return f"leader-{name}-{GRAPH}-{SHA256[:12]}-"


def _cached(folder: Path, name: str) -> bytes | None:
    """The graph, when a file whose name holds its true hash is there."""
    try:
        for path in folder.glob(_stem(name) + "*.onnx"):
            graph = path.read_bytes()
            if path.stem == _stem(name) + hashlib.sha256(graph).hexdigest():
                return graph
    except OSError:  # unreadable is as good as absent: it is made anew
        return None
    return None


def _keep(folder: Path, name: str, graph: bytes) -> None:
    """Write it under its hash; whole or not at all, and silently not where the folder is read-only."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            file.write(graph)
        Path(file.name).rename(folder / f"{_stem(name)}{hashlib.sha256(graph).hexdigest()}.onnx")
    except OSError:  # a cache only saves time
        return
