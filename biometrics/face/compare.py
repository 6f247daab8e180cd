"""From embeddings to one distance."""

import math
from collections.abc import Sequence

import numpy as np

from biometrics.face.engine import Embedding


def fuse(embeddings: Sequence[Embedding]) -> Embedding:
    """One embedding of several frames of a person: their mean, which thresholds must be measured with.

    Raises:
        ValueError: There is nothing to fuse.
    """
    if not embeddings:
        raise ValueError("no embeddings to fuse")
    return np.asarray(np.mean(np.stack(embeddings), axis=0), dtype=np.float64)


def at_length_one(embedding: Embedding) -> Embedding:
    """The embedding's direction, which is what is compared with a portrait and what calibrations are measured with.

    The length of dlib's embeddings tells pictures apart rather than people: without it the strangers of the group told
    apart worst lie 5.3 instead of 4.7 standard deviations from the mean of genuine pairs (93 people, 5 frames).

    Raises:
        ValueError: It has no direction.
    """
    length = float(np.linalg.norm(embedding))
    if not np.isfinite(length) or length == 0:
        raise ValueError("an embedding without direction")
    return np.asarray(embedding / length, dtype=np.float64)


def distance(one: Embedding, other: Embedding) -> float:
    """Euclidean distance; means nothing without the engine's thresholds. Infinite where one of both is no number."""
    apart = float(np.linalg.norm(one - other))
    return math.inf if math.isnan(apart) else apart  # NaN is above no limit: it would be everybody


def erase(embedding: Embedding) -> None:
    """Overwrite an embedding with zeros; one that cannot be written to is a copy's source and stays its owner's."""
    if embedding.flags.writeable:
        embedding.fill(0.0)
