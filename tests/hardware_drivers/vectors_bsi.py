"""The BSI's and OpenPACE's worked examples, read where the evaluation data lie."""

import json
from functools import cache

import pytest

from tests.hardware_drivers.cards import ID_CARD_DATA

VECTORS = ID_CARD_DATA / "vectors" / "vectors.json"
needs_vectors = pytest.mark.skipif(
    not VECTORS.exists(), reason="wants the worked examples in $COUNTER_EVALUATION_DATA/id_card/vectors"
)


@cache
def _document() -> dict[str, dict[str, str]]:
    document: dict[str, dict[str, str]] = json.loads(VECTORS.read_text(encoding="utf-8"))
    return document


def example(name: str) -> bytes:
    """One value of the BSI's example, by the name that OpenPACE's eactest.c gives it."""
    return bytes.fromhex(_document()["openpace/eactest.c"][name])
