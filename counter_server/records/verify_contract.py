"""Do the signatures inside a contract hold? With the standard library and `cryptography` alone.

A signature in a PDF covers bytes, and whatever is appended later is seen by most viewers as part of the same document:
three of four public validators call a contract with an exchanged page "valid". So this asks for more than good
signatures: the file begins with the very bytes that were shown, every signature covers everything from the first byte
to the end of a revision, each revision between two signatures was signed by the next, and a time stamp covers all.
What a revision may contain is judged by pyHanko's difference analysis (`signing/examine.py`), where that is installed.
"""

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from counter_server.records.cms import TST_INFO, SignedMessage, TimeStamp, read_signed_message, read_time_stamp
from counter_server.records.errors import RecordFormatError
from counter_server.records.examination import BrokenError
from counter_server.records.verify_clock import check_clock
from counter_server.records.verify_revocation import check_standing, lists_in

BYTE_RANGE = re.compile(rb"/ByteRange\s*\[\s*(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s*\]")
ANY_BYTE_RANGE = re.compile(rb"/(?:B|#42)(?:y|#79)(?:t|#74)(?:e|#65)(?:R|#52)(?:a|#61)(?:n|#6[eE])(?:g|#67)(?:e|#65)")
END_OF_FILE = re.compile(rb"%%EOF(?:\r\n|\r|\n)?")
MOST_SIGNATURES = 20  # a customer, clerks, time stamps; each costs a check, so a stranger may not bring thousands


def record_name(record_id: str) -> str:
    """How a certificate says for which record it was issued."""
    return f"urn:visual-counter:record:{record_id}"


def act_name(role: str, actor: str) -> str:
    """How it says in what role, and by whose identifier."""
    return f"urn:visual-counter:act:{role}:{actor}"


def evidence_name(sha256: str) -> str:
    """How it says on which evidence."""
    return f"urn:visual-counter:evidence:sha256:{sha256}"


@dataclass(frozen=True, slots=True)
class SignedPart:
    """One signature's place in the file: it covers everything up to `end` but its own hexadecimal digits."""

    hole_begins: int
    hole_ends: int
    end: int

    def covered(self, pdf: bytes) -> bytes:
        """The bytes that were signed."""
        return pdf[: self.hole_begins] + pdf[self.hole_ends : self.end]


@dataclass(frozen=True, slots=True)
class Hand:
    """A signature that held: what its certificate says, and when a time stamp saw it."""

    names: tuple[str, ...]
    at: datetime
    end: int


def check_contract(
    pdf: bytes,
    shown_sha256: str,
    root: x509.Certificate,
    expected: Collection[tuple[str, str]],
    record_id: str,
    clocks: Sequence[x509.Certificate] = (),
) -> tuple[Hand, ...]:
    """Every hand on the contract, in order.

    Args:
        shown_sha256: Hash of the document as both sides saw it before anybody signed.
        root: Who vouches for the signers.
        expected: (role, actor) of everybody who signed, in order: no more, no fewer.
        clocks: Who vouches for time stamp authorities; the root where nobody is named.

    Raises:
        BrokenError: Anything else.
    """
    parts = _parts(pdf)
    _begins_with(pdf, shown_sha256, parts[0])
    try:
        hands = [hand for part in parts if (hand := _check(pdf, part, root, clocks or (root,))) is not None]
    except RecordFormatError as error:
        raise BrokenError(f"contract: {error}") from error
    wanted = [(record_name(record_id), act_name(*who)) for who in expected]
    if [hand.names[:2] for hand in hands] != wanted:
        raise BrokenError("contract: signed by others, or for another record")
    if len(hands) > 1 and hands[-1].end == len(pdf):  # the customer's alone was never closed: nobody countersigned
        raise BrokenError("contract: no time stamp covers the last signature")
    return tuple(hands)


def clocks_standing(pdf: bytes, clocks: Sequence[x509.Certificate]) -> str:
    """Whether the authorities of its time stamps had been revoked, by the lists in a contract that holds otherwise.

    Raises:
        BrokenError: One was.
    """
    lists = lists_in(pdf)
    said = [check_standing(stamp, clocks, lists) for stamp in time_stamps(pdf)]
    dated = [at for at in said if at is not None]
    if not dated or len(dated) < len(said):
        return "whether the time stamp authority was revoked is NOT CHECKED: no list of its issuer is in the contract"
    return f"time stamp authority not revoked by its issuer's list of {min(dated):%Y-%m-%d}"


def time_stamps(pdf: bytes) -> tuple[TimeStamp, ...]:
    """Every time stamp in a contract, over hands and over all; whom to believe is the caller's question."""
    found = []
    for part in _parts(pdf):
        message = read_signed_message(_message(pdf, part))
        token = _message(pdf, part) if message.content_type == TST_INFO else message.time_stamp
        if token is not None:
            found.append(read_time_stamp(token))
    return tuple(found)


def _message(pdf: bytes, part: SignedPart) -> bytes:
    try:
        return bytes.fromhex(pdf[part.hole_begins + 1 : part.hole_ends - 1].decode("ascii"))
    except ValueError as error:
        raise BrokenError("contract: a signature is not written in hexadecimal digits") from error


def _parts(pdf: bytes) -> list[SignedPart]:
    """Where the signatures are. Each must reach from the first byte to the end of a revision, the last to the end."""
    ranges = [tuple(int(number) for number in found.groups()) for found in BYTE_RANGE.finditer(pdf)]
    if not 0 < len(ranges) <= MOST_SIGNATURES or len(ranges) != len(ANY_BYTE_RANGE.findall(pdf)):
        raise BrokenError("contract: no signatures, or some in another spelling")
    parts, before = [], 0
    for start, length, second, rest in ranges:
        part = SignedPart(length, second, second + rest)
        if start != 0 or not before < length < second < part.end <= len(pdf):
            raise BrokenError("contract: a signature does not cover the file from its start")
        if pdf[length : length + 1] + pdf[second - 1 : second] != b"<>":
            raise BrokenError("contract: a signature leaves out more than itself")
        if not pdf[: part.end].rstrip(b"\r\n").endswith(b"%%EOF"):
            raise BrokenError("contract: a signature ends in the middle of a revision")
        if len(END_OF_FILE.findall(pdf, before or second, part.end)) != 1:
            raise BrokenError("contract: a revision between two hands that nobody signed")
        parts.append(part)
        before = part.end
    if before != len(pdf):
        raise BrokenError("contract: something was added after the last signature")
    return parts


def _begins_with(pdf: bytes, shown_sha256: str, first: SignedPart) -> None:
    """With the document that was shown, and nothing between it and the revision the first hand signed."""
    ends = [found.end() for found in END_OF_FILE.finditer(pdf, 0, first.hole_begins)]
    if not ends or hashlib.sha256(pdf[: ends[-1]]).hexdigest() != shown_sha256:
        raise BrokenError("contract: it does not begin with the document that was shown")


def _check(pdf: bytes, part: SignedPart, root: x509.Certificate, clocks: Sequence[x509.Certificate]) -> Hand | None:
    """The hand of a signature; None for a time stamp over the document."""
    encoded = _message(pdf, part)
    message = read_signed_message(encoded)
    covered = part.covered(pdf)
    if message.content_type == TST_INFO:
        _stamped(encoded, covered, clocks)
        return None
    if message.content is not None or not message.holds_over(hashlib.new(message.digest_name, covered).digest()):
        raise BrokenError("contract: a signature does not hold")
    if message.time_stamp is None:
        raise BrokenError("contract: a signature has no time stamp")
    stamp = _stamped(message.time_stamp, message.signature, clocks)
    _issued(message.certificate, root, stamp.at)
    return Hand(_names(message), stamp.at, part.end)


def _stamped(token: bytes, stamped: bytes, clocks: Sequence[x509.Certificate]) -> TimeStamp:
    stamp = read_time_stamp(token)
    if hashlib.new(stamp.digest_name, stamped).digest() != stamp.imprint:
        raise BrokenError("contract: a time stamp is over something else")
    try:
        check_clock(stamp, clocks)
    except BrokenError as error:
        raise BrokenError(f"contract: {error}") from error
    return stamp


def _names(message: SignedMessage) -> tuple[str, ...]:
    try:
        names = message.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound as error:
        raise BrokenError("contract: a signer's certificate does not say for what it was issued") from error
    return tuple(names.get_values_for_type(x509.UniformResourceIdentifier))


def _issued(certificate: x509.Certificate, root: x509.Certificate, at: datetime) -> None:
    try:
        certificate.verify_directly_issued_by(root)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise BrokenError("contract: a signer nobody here vouches for") from error
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise BrokenError("contract: signed outside the certificate's time")
