"""Time stamps (RFC 3161): asked from an authority over HTTP, or made by a small one of our own for tests and the demo.

An authority of one's own proves nothing to strangers about the time, since whoever runs the counter runs its clock;
an operator names a real one in `counter.toml`. Ours exists so that everything around it can be run and measured: it
answers in half a millisecond, each time (see `cms_writer` for what made its forerunner take seconds).
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

import httpx
from cryptography import x509

from counter_server.records.cms import DIGESTS, SHA256, TST_INFO, read_time_stamp
from counter_server.records.der import (
    BITS,
    GENERALIZED_TIME,
    OCTETS,
    SEQUENCE,
    element,
    integer,
    oid,
    read_der,
    sequence,
)
from counter_server.records.errors import RecordFormatError
from counter_server.records.examination import BrokenError
from counter_server.records.verify_clock import check_clock
from counter_server.signing.cms_writer import sign_message
from counter_server.signing.errors import TimeStampError
from counter_server.signing.signers import Signer, hash_name

POLICY = oid("2.25.244853062405539954068218172624542263818")  # ITU-T X.667: drawn at random, ours
GRANTED = (0, 1)  # RFC 3161 §2.4.2: granted, granted with modifications
REJECTED = sequence(sequence(integer(2), element(BITS, b"\x05\x04")))  # badDataFormat, bit 5
LARGEST_ANSWER = 64 * 1024
ANSWER_S = 5.0
DIGEST_BYTES = {"sha256": 32, "sha384": 48, "sha512": 64}


class TimeStamper(Protocol):
    """Somebody who says when a hash existed."""

    def stamp(self, sha256: bytes) -> bytes:
        """A time stamp token over this SHA-256.

        Raises:
            TimeStampError: No token, or one for something else.
        """
        ...


class TimeAuthority:
    """The small authority: answers requests as bytes, and serves as a time stamper by itself."""

    def __init__(
        self,
        signer: Signer,
        certificate: x509.Certificate,
        chain: Sequence[x509.Certificate],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._signer, self._certificate, self._chain, self._now = signer, certificate, tuple(chain), now

    def stamp(self, sha256: bytes) -> bytes:
        """A token over this hash."""
        return self._token(sequence(sequence(SHA256), element(OCTETS, sha256)), b"", carry=True)

    def answer(self, request: bytes) -> bytes:
        """The response to a time stamp request; a rejection when it is none."""
        try:
            version, imprint, *rest = read_der(request).wanted(SEQUENCE).children()
            algorithm, hashed = imprint.children()
            name = DIGESTS.get(algorithm.children()[0].whole, "")
            if version.number() != 1 or len(hashed.wanted(OCTETS).content) != DIGEST_BYTES.get(name):
                return REJECTED
            nonce = b"".join(field.whole for field in rest if field.tag == 0x02)
            carry = any(field.tag == 0x01 and field.content == b"\xff" for field in rest)
        except (RecordFormatError, IndexError, ValueError):
            return REJECTED
        return sequence(sequence(integer(0)), self._token(imprint.whole, nonce, carry=carry))

    def _token(self, imprint: bytes, nonce: bytes, *, carry: bool) -> bytes:
        when = self._now().astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode()
        info = sequence(
            integer(1),
            POLICY,
            imprint,
            integer(secrets.randbits(127)),
            element(GENERALIZED_TIME, when),
            sequence(integer(1)),  # accurate to a second
            nonce,
        )
        digest = hashlib.new(hash_name(self._signer.public_key), info).digest()
        chain = self._chain if carry else ()
        return sign_message(digest, self._signer, self._certificate, chain, content=(TST_INFO, info))


class RemoteTimeAuthority:
    """An authority behind a URL."""

    def __init__(self, url: str, roots: Sequence[x509.Certificate] = (), *, client: httpx.Client | None = None) -> None:
        """Where it is, and who must vouch for it; without roots that is left to whoever checks."""
        self._url, self._roots = url, tuple(roots)
        self._client = client or httpx.Client(timeout=ANSWER_S, follow_redirects=False)

    def stamp(self, sha256: bytes) -> bytes:
        """A token over this hash, as the authority gave it; checked to answer this very question."""
        nonce = secrets.randbits(63)
        question = sequence(
            integer(1),
            sequence(sequence(SHA256, b"\x05\x00"), element(OCTETS, sha256)),
            integer(nonce),
            b"\x01\x01\xff",  # send the certificates along
        )
        try:
            answered = self._client.post(
                self._url, content=question, headers={"Content-Type": "application/timestamp-query"}
            )
            answered.raise_for_status()
        except httpx.HTTPError as error:
            raise TimeStampError(f"the time stamp authority: {type(error).__name__}") from error
        if len(answered.content) > LARGEST_ANSWER:
            raise TimeStampError("the time stamp authority: too long an answer")
        return _token_of(answered.content, sha256, nonce, self._roots)


def _token_of(answer: bytes, sha256: bytes, nonce: int, roots: tuple[x509.Certificate, ...]) -> bytes:
    try:
        status, *rest = read_der(answer).wanted(SEQUENCE).children()
        if status.children()[0].number() not in GRANTED or not rest:
            raise TimeStampError("the time stamp authority refused")
        said = read_time_stamp(rest[0].whole)
    except (RecordFormatError, IndexError) as error:
        raise TimeStampError("the time stamp authority: not an answer of RFC 3161") from error
    if (said.digest_name, said.imprint, said.nonce) != ("sha256", sha256, nonce):
        raise TimeStampError("the time stamp authority answered another question")
    if roots:
        try:
            check_clock(said, roots)  # found out now, and not when the record is sealed
        except BrokenError as error:
            raise TimeStampError(str(error)) from error
    return rest[0].whole
