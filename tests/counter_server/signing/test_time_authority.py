"""Time stamps: openssl's client is answered, answers to other questions are refused, and why they are always quick."""

import hashlib
import subprocess
from pathlib import Path

import pytest
from asn1crypto import core
from cryptography.hazmat.primitives.serialization import Encoding

from counter_server.records.cms import read_time_stamp
from counter_server.records.der import OCTETS, element, sequence
from counter_server.signing.errors import TimeStampError
from counter_server.signing.time_authority import RemoteTimeAuthority, TimeAuthority
from tests.counter_server.signing.contracts import Contract
from tests.counter_server.signing.services import served

DIGEST = hashlib.sha256(b"what existed").digest()


def clock(contract: Contract) -> TimeAuthority:
    own = contract.desk.clock
    assert isinstance(own, TimeAuthority)
    return own


def test_openssl_asks_and_believes_the_answer(contract: Contract, tmp_path: Path) -> None:
    question, answer, root = (tmp_path / name for name in ("q.tsq", "a.tsr", "root.pem"))
    root.write_bytes(contract.desk.authority.root.public_bytes(Encoding.PEM))
    words = ["openssl", "ts", "-query", "-digest", DIGEST.hex(), "-sha256", "-cert", "-out", str(question)]
    subprocess.run(words, check=True, capture_output=True)
    answer.write_bytes(clock(contract).answer(question.read_bytes()))
    words = ["openssl", "ts", "-verify", "-queryfile", str(question), "-in", str(answer), "-CAfile", str(root)]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert "Verification: OK" in done.stdout + done.stderr


def test_an_authority_over_http_is_asked_and_checked(contract: Contract) -> None:
    with served(lambda _m, _p, body, _h: (200, clock(contract).answer(body))) as url:
        said = read_time_stamp(RemoteTimeAuthority(url).stamp(DIGEST))
    assert said.imprint == DIGEST


@pytest.mark.parametrize("lie", ["nonsense", "refusal", "another question", "an old answer"])
def test_an_authority_that_answers_something_else_is_refused(contract: Contract, lie: str) -> None:
    granted = sequence(sequence(b"\x02\x01\x00"), clock(contract).stamp(DIGEST))  # a token without our nonce
    other = sequence(sequence(b"\x02\x01\x00"), clock(contract).stamp(bytes(32)))
    answers = {"nonsense": b"<html>", "refusal": clock(contract).answer(b""), "another question": other}
    with served(lambda *_: (200, answers.get(lie, granted))) as url, pytest.raises(TimeStampError):
        RemoteTimeAuthority(url).stamp(DIGEST)


def test_asn1crypto_encodes_anew_what_has_a_length_that_ends_in_0x80() -> None:
    """The cause of the five seconds, held here: when this fails, `cms_writer` has one reason less to exist."""

    class Counting(core.OctetString):  # type: ignore[misc]  # asn1crypto comes without types
        forced = 0

        def dump(self, force: bool = False) -> bytes:
            Counting.forced += force
            encoded: bytes = super().dump(force)
            return encoded

    class Pair(core.Sequence):  # type: ignore[misc]  # asn1crypto comes without types
        _fields = [("text", Counting)]  # noqa: RUF012 - its way of saying

    seen = {}
    for length in (120, 126, 127):  # in an element of two bytes more; 128 is written 0x81 0x80
        Counting.forced = 0
        parsed = Pair.load(sequence(element(OCTETS, bytes(length))))
        assert len(parsed["text"].native) == length
        parsed.dump()
        seen[length] = Counting.forced
    assert seen == {120: 0, 126: 1, 127: 0}
