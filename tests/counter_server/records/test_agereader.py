"""The middle of an age file, read alone, against pyrage's decryption of the whole."""

import io
import random

import pyrage  # type: ignore[import-untyped]  # ships no type information
import pytest

from counter_server.records.agefile import CHUNK, AgeIdentity
from counter_server.records.agereader import AgeReader
from counter_server.records.errors import RecordFormatError, WrongKeyError

SEED = 20261121


def sealed(size: int) -> tuple[AgeIdentity, bytes, bytes]:
    identity = pyrage.x25519.Identity.generate()
    content = random.Random(size).randbytes(size)  # noqa: S311  # content to encrypt, not a key
    return AgeIdentity.parse(str(identity)), content, pyrage.encrypt(content, [identity.to_public()])


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 17])
def test_any_place_of_a_file_of_any_size(size: int) -> None:
    identity, content, stored = sealed(size)
    reader, rng = AgeReader(identity, io.BytesIO(stored)), random.Random(SEED)  # noqa: S311
    assert reader.size == size
    places = [(0, size), (0, 0), (size, 5), (max(0, size - 3), 9), (CHUNK - 2, 4)]
    places += [(rng.randrange(size + 1), rng.randrange(2 * CHUNK)) for _ in range(40)]
    for offset, length in places:
        assert reader.read_at(offset, length) == content[offset : offset + length]


def test_only_the_chunks_asked_for_are_believed() -> None:
    identity, content, stored = sealed(3 * CHUNK)
    changed = bytearray(stored)
    changed[-CHUNK - 100] ^= 1  # in the second chunk's end, before the last
    reader = AgeReader(identity, io.BytesIO(bytes(changed)))
    assert reader.read_at(10, 100) == content[10:110]
    with pytest.raises(WrongKeyError, match="chunk 1"):
        reader.read_at(2 * CHUNK - 10, 20)


def test_a_file_cut_anywhere_is_refused_at_opening() -> None:
    identity, _, stored = sealed(3 * CHUNK)
    payload_at = len(stored) - 3 * (CHUNK + 16)
    for cut in (payload_at, payload_at + 10, payload_at + CHUNK + 16, payload_at + 2 * (CHUNK + 16), len(stored) - 1):
        with pytest.raises((WrongKeyError, RecordFormatError)):
            AgeReader(identity, io.BytesIO(stored[:cut]))
    other = AgeIdentity.parse(str(pyrage.x25519.Identity.generate()))
    with pytest.raises(WrongKeyError):
        AgeReader(other, io.BytesIO(stored))
