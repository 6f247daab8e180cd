"""The official vectors of the age format, each refused for the reason it was made for."""

import base64
import hashlib
import io
import json
import zlib
from pathlib import Path

import pytest

from counter_server.records.agefile import AgeIdentity, payload_key
from counter_server.records.agereader import AgeReader
from counter_server.records.errors import RecordFormatError, WrongKeyError

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "c2sp-cctv-age" / "vectors.json").read_text())


def read_vector(name: str) -> tuple[dict[str, list[str]], bytes]:
    head, _, sealed = base64.b64decode(VECTORS[name]).partition(b"\n\n")
    words: dict[str, list[str]] = {}
    for line in head.decode().split("\n"):
        key, _, value = line.partition(": ")
        words.setdefault(key, []).append(value)
    return words, zlib.decompress(sealed) if "compressed" in words else sealed


def verdict(sealed: bytes, identities: list[AgeIdentity]) -> tuple[str, bytes]:
    try:
        payload_key(sealed, identities)
    except RecordFormatError:
        return "header failure", b""
    except WrongKeyError as error:
        return ("HMAC failure" if "changed" in str(error) else "no match"), b""
    for identity in identities:
        try:
            return "success", identity.open(sealed)
        except WrongKeyError as error:
            if "not encrypted" not in str(error):
                return "payload failure", b""
        except RecordFormatError:
            return "payload failure", b""
    raise AssertionError("a key that gave the file key opens nothing")


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_an_official_vector_ends_as_it_must(name: str) -> None:
    words, sealed = read_vector(name)
    identities = [AgeIdentity.parse(spelling) for spelling in words.get("identity", [])]
    found, content = verdict(sealed, identities)
    assert found == words["expect"][0]
    if found == "success":
        assert hashlib.sha256(content).hexdigest() == words["payload"][0]


@pytest.mark.parametrize("name", sorted(name for name in VECTORS if read_vector(name)[0]["expect"] == ["success"]))
def test_the_seeking_reader_finds_the_same_content(name: str) -> None:
    words, sealed = read_vector(name)
    reader = AgeReader(AgeIdentity.parse(words["identity"][0]), io.BytesIO(sealed))
    assert hashlib.sha256(reader.read_at(0, reader.size)).hexdigest() == words["payload"][0]


@pytest.mark.parametrize(
    "name", sorted(name for name in VECTORS if read_vector(name)[0]["expect"] == ["payload failure"])
)
def test_the_seeking_reader_refuses_what_the_other_refuses(name: str) -> None:
    words, sealed = read_vector(name)
    identity = AgeIdentity.parse(words["identity"][0])
    with pytest.raises((WrongKeyError, RecordFormatError)):
        AgeReader(identity, io.BytesIO(sealed)).read_at(0, 1 << 30)
