"""What a CSCA certificate is found by, skimmed from its bytes without parsing all of it.

A list of 600 certificates is loaded at every start, and a document needs two or three of them. So only the two names
and the key identifier are looked at (about 15 µs each); a certificate is parsed when it becomes a candidate. Nothing
here is believed: what is found wrongly fails its signature later.
"""

from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from asn1crypto import x509

from hardware_drivers.errors import MalformedFileError

SEQUENCE, SET, OCTET_STRING, BOOLEAN, EXPLICIT_VERSION = 0x30, 0x31, 0x04, 0x01, 0xA0
SUBJECT_KEY_IDENTIFIER = bytes.fromhex("0603551D0E")  # id-ce-subjectKeyIdentifier, RFC 5280 §4.2.1.2
STRING_ENCODINGS = {  # X.690 §8.23 tags of the string types that RFC 5280 §4.1.2.4 allows in names
    0x0C: "utf-8",
    0x13: "latin-1",
    0x14: "latin-1",  # teletexString: strictly T.61, in practice Latin-1
    0x16: "latin-1",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}


@dataclass(frozen=True)
class Authority:
    """A certificate that may be somebody's issuer.

    Attributes:
        subject, issuer: Names as `comparable_name` writes them.
        key_identifier: As in its own extension, None where it has none.
        anchor: True when whoever filled the store vouches for it; else it needs a predecessor that has signed it,
            or its own signature.
    """

    der: bytes = field(repr=False)
    subject: bytes
    issuer: bytes
    key_identifier: bytes | None
    anchor: bool

    @cached_property
    def certificate(self) -> x509.Certificate:
        """The certificate, parsed at the first look."""
        return x509.Certificate.load(self.der, strict=True)


def skim(der: bytes, *, anchor: bool) -> Authority:
    """The authority in these bytes; `MalformedFileError` when they are no DER certificate (RFC 5280 §4.1)."""
    try:
        return _skim(der, anchor=anchor)
    except IndexError as error:
        raise MalformedFileError("CSCA certificate", "no X.509 certificate") from error


def _skim(der: bytes, *, anchor: bool) -> Authority:
    """The walk through the fields of TBSCertificate, in their order."""
    at, end = _open(der, 0, SEQUENCE)
    if end != len(der):
        raise MalformedFileError("CSCA certificate", f"{len(der) - end} bytes follow")
    at, end = _open(der, at, SEQUENCE)
    if der[at] == EXPLICIT_VERSION:
        at = _end(der, at)
    at = _end(der, _end(der, at))  # serialNumber, signature
    issuer, at = der[at : _end(der, at)], _end(der, at)
    at = _end(der, at)  # validity
    subject, at = der[at : _end(der, at)], _end(der, at)
    at = _end(der, at)  # subjectPublicKeyInfo
    identifier = _key_identifier(der[at:end])
    return Authority(der, comparable_name(subject), comparable_name(issuer), identifier, anchor)


def _key_identifier(extensions: bytes) -> bytes | None:
    """The value of the subject key identifier extension."""
    found = extensions.find(SUBJECT_KEY_IDENTIFIER)
    if found < 0:
        return None
    at = found + len(SUBJECT_KEY_IDENTIFIER)
    if extensions[at] == BOOLEAN:
        at = _end(extensions, at)
    at, _ = _open(extensions, at, OCTET_STRING)
    at, end = _open(extensions, at, OCTET_STRING)
    return extensions[at:end]


@lru_cache(maxsize=2048)  # issuers repeat: half of a list is self-issued
def comparable_name(name: bytes) -> bytes:
    """A distinguished name in DER as bytes that do not depend on string type, letter case or spaces (RFC 5280 §7.1)."""
    at, end = _open(name, 0, SEQUENCE)
    parts: list[bytes] = []
    while at < end:
        inner, set_end = _open(name, at, SET)
        values: list[bytes] = []
        while inner < set_end:
            oid_at, value_end = _open(name, inner, SEQUENCE)
            value_at = _end(name, oid_at)
            values.append(name[oid_at:value_at] + b"=" + _comparable_text(name, value_at))
            inner = value_end
        parts.extend(sorted(values))
        at = set_end
    return b"\x00".join(parts)


def _comparable_text(name: bytes, at: int) -> bytes:
    """One value of a name, without what does not count."""
    encoding = STRING_ENCODINGS.get(name[at])
    begin, end = _open(name, at, name[at])
    try:
        return " ".join(name[begin:end].decode(encoding or "").casefold().split()).encode()
    except (LookupError, UnicodeDecodeError):  # another type, or not what its type says: only the same bytes are equal
        return name[at:end]


def _open(source: bytes, at: int, tag: int) -> tuple[int, int]:
    """Where the value of the object at `at` begins and ends; one-byte tags and definite lengths only."""
    if source[at] != tag:
        raise MalformedFileError("CSCA certificate", f"tag {source[at]:02X} where {tag:02X} belongs")
    length, begin = source[at + 1], at + 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 3:
            raise MalformedFileError("CSCA certificate", f"length in {count} bytes")
        length, begin = int.from_bytes(source[begin : begin + count], "big"), begin + count
    if begin + length > len(source):
        raise MalformedFileError("CSCA certificate", "cut off")
    return begin, begin + length


def _end(source: bytes, at: int) -> int:
    """Where the object at `at` ends."""
    return _open(source, at, source[at])[1]
