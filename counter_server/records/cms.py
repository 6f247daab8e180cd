"""Signed messages (RFC 5652) as a contract holds them: one signer, signed attributes, no options.

Read with the standard library and `cryptography`, so that a stranger needs no PDF library to check who signed.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from counter_server.records.der import (
    GENERALIZED_TIME,
    OCTETS,
    OID,
    SEQUENCE,
    SET,
    Node,
    element,
    oid,
    read_der,
    read_first,
)
from counter_server.records.errors import UNREADABLE, RecordFormatError

SIGNED_DATA, PLAIN_DATA = oid("1.2.840.113549.1.7.2"), oid("1.2.840.113549.1.7.1")
TST_INFO = oid("1.2.840.113549.1.9.16.1.4")  # RFC 3161 §2.4.2
CONTENT_TYPE, MESSAGE_DIGEST = oid("1.2.840.113549.1.9.3"), oid("1.2.840.113549.1.9.4")
SIGNING_CERTIFICATE = oid("1.2.840.113549.1.9.16.2.47")  # RFC 5035: signing-certificate-v2
TIME_STAMP_TOKEN = oid("1.2.840.113549.1.9.16.2.14")  # RFC 3161 appendix A
SHA256, SHA384, SHA512 = (oid(f"2.16.840.1.101.3.4.2.{arc}") for arc in (1, 2, 3))
DIGESTS = {SHA256: "sha256", SHA384: "sha384", SHA512: "sha512"}
HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
CERTIFICATES, ATTRIBUTES, UNSIGNED = 0xA0, 0xA0, 0xA1  # context tags of SignedData and SignerInfo


@dataclass(frozen=True, slots=True, repr=False)
class SignedMessage:
    """One signature: over what kind of content, by which certificate, with which attributes."""

    content_type: bytes
    content: bytes | None
    certificate: x509.Certificate  # the signer's
    digest_name: str
    signed_attributes: bytes  # as SET OF, which is what was signed
    attributes: dict[bytes, Node]
    signature: bytes
    time_stamp: bytes | None  # the token over the signature, if there is one
    carried: tuple[bytes, ...]  # every certificate that came along, DER, not read

    def holds_over(self, digest: bytes) -> bool:
        """Whether the signature is good and over content of this hash (by `digest_name`).

        Raises:
            RecordFormatError: An attribute that must be there is not, or the key is of no kind that is known.
        """
        try:
            named = self.attributes[MESSAGE_DIGEST].wanted(OCTETS).content
            return hmac.compare_digest(named, digest) and self._names_its_certificate() and self._is_signed()
        except UNREADABLE as error:
            raise RecordFormatError("CMS: a signature of an unknown shape") from error

    def _names_its_certificate(self) -> bool:
        """RFC 5035 §3: without it, another certificate on the same key could take the signer's place."""
        first = self.attributes[SIGNING_CERTIFICATE].children()[0].children()[0].children()
        name = "sha256"  # the default, which DER leaves out
        if first[0].tag == SEQUENCE:
            name = DIGESTS.get(first[0].children()[0].whole, "")
            first = first[1:]
        if name not in HASHES:
            return False
        return first[0].wanted(OCTETS).content == self.certificate.fingerprint(HASHES[name])

    def _is_signed(self) -> bool:
        key, algorithm = self.certificate.public_key(), HASHES[self.digest_name]
        try:
            if isinstance(key, ec.EllipticCurvePublicKey):
                key.verify(self.signature, self.signed_attributes, ec.ECDSA(algorithm))
            elif isinstance(key, rsa.RSAPublicKey):
                key.verify(self.signature, self.signed_attributes, padding.PKCS1v15(), algorithm)
            else:
                return False
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True, repr=False)
class TimeStamp:
    """What a time stamp says: this hash existed then. `signer` made it."""

    digest_name: str
    imprint: bytes
    at: datetime
    nonce: int | None
    signer: x509.Certificate
    carried: tuple[bytes, ...] = ()  # certificates that came along, DER


def read_signed_message(encoded: bytes) -> SignedMessage:
    """A CMS SignedData with one signer; `RecordFormatError` for anything else."""
    try:
        return _read(read_first(encoded))
    except UNREADABLE as error:
        raise RecordFormatError("CMS: not a signed message of one signer") from error


def read_time_stamp(token: bytes) -> TimeStamp:
    """A time stamp whose own signature holds; whom to believe is the caller's question."""
    message = read_signed_message(token)
    if message.content_type != TST_INFO or message.content is None:
        raise RecordFormatError("CMS: not a time stamp")
    if not message.holds_over(hashlib.new(message.digest_name, message.content).digest()):
        raise RecordFormatError("CMS: the time stamp's signature does not hold")
    try:
        fields = read_der(message.content).wanted(SEQUENCE).children()
        algorithm, imprint = fields[2].children()
        when = fields[4].wanted(GENERALIZED_TIME).content.decode("ascii").partition(".")[0].rstrip("Z")
        nonce = next((field.number() for field in fields[5:] if field.tag == 0x02), None)
        return TimeStamp(
            DIGESTS[algorithm.children()[0].whole],
            imprint.wanted(OCTETS).content,
            datetime.strptime(when, "%Y%m%d%H%M%S").replace(tzinfo=UTC),
            nonce,
            message.certificate,
            message.carried,
        )
    except UNREADABLE as error:
        raise RecordFormatError("CMS: a time stamp of an unknown shape") from error


def _read(whole: Node) -> SignedMessage:
    kind, wrapped = whole.wanted(SEQUENCE).children()
    if kind.whole != SIGNED_DATA:
        raise RecordFormatError("CMS: no signed data")
    (body,) = wrapped.wanted(0xA0).children()
    parts = body.wanted(SEQUENCE).children()
    inner, (signers,) = parts[2].children(), parts[-1:]
    certificates = next((part.children() for part in parts[3:-1] if part.tag == CERTIFICATES), [])
    (info,) = signers.wanted(SET).children()
    fields = info.wanted(SEQUENCE).children()
    issuer, serial = fields[1].wanted(SEQUENCE).children()
    digest_name = DIGESTS[fields[2].children()[0].whole]
    attributes = _attributes(fields[3].wanted(ATTRIBUTES))
    if attributes[CONTENT_TYPE].wanted(OID).whole != inner[0].whole:
        raise RecordFormatError("CMS: content of another type than was signed")
    unsigned = _attributes(fields[6].wanted(UNSIGNED)) if len(fields) > 6 else {}
    stamp = unsigned.get(TIME_STAMP_TOKEN)
    return SignedMessage(
        inner[0].wanted(OID).whole,
        inner[1].children()[0].wanted(OCTETS).content if len(inner) > 1 else None,
        _signer(certificates, issuer.whole, serial.number()),
        digest_name,
        element(SET, fields[3].content),
        attributes,
        fields[5].wanted(OCTETS).content,
        None if stamp is None else stamp.whole,
        tuple(node.whole for node in certificates),
    )


def _attributes(node: Node) -> dict[bytes, Node]:
    """Attributes by type, each once and with one value: a second one could say the opposite."""
    found: dict[bytes, Node] = {}
    for attribute in node.children():
        kind, values = attribute.wanted(SEQUENCE).children()
        (value,) = values.wanted(SET).children()
        if kind.whole in found:
            raise RecordFormatError("CMS: an attribute stands twice")
        found[kind.whole] = value
    return found


def _signer(certificates: list[Node], issuer: bytes, serial: int) -> x509.Certificate:
    for node in certificates:
        certificate = x509.load_der_x509_certificate(node.whole)
        if certificate.serial_number == serial and certificate.issuer.public_bytes() == issuer:
            # parsed only when asked for: what stumbles shall stumble here
            _ = certificate.public_key(), certificate.extensions
            return certificate
    raise RecordFormatError("CMS: the signer's certificate is not there")
