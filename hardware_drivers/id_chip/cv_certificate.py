"""Card verifiable certificates: BSI TR-03110-3 v2.21 §C and §D. With them a terminal shows what a state lets it read.

Small enough for a chip to check: no ASN.1 names, one signature, dates of one day's resolution.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import IntEnum, IntFlag
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.curves import Curve, curve_with, verify_ecdsa
from hardware_drivers.id_chip.signatures import HASHES, RSA_BITS_MAX, EcKey, PublicKey

CERTIFICATE, BODY, SIGNATURE = 0x7F21, 0x7F4E, 0x5F37  # TR-03110-3 table 11
PROFILE, AUTHORITY, PUBLIC_KEY, HOLDER = 0x5F29, 0x42, 0x7F49, 0x5F20
TEMPLATE, EFFECTIVE, EXPIRES, OID, RIGHTS = 0x7F4C, 0x5F25, 0x5F24, 0x06, 0x53
REFERENCE_MAX = 16  # table 12: country, mnemonic, sequence number
CHAIN_MAX = 8  # CVCA links, DV, terminal; a longer one only costs time

TA_OID = bytes.fromhex("04007F00070202") + b"\x02"  # id-TA, 0.4.0.127.0.7.2.2.2
INSPECTION_SYSTEM = bytes.fromhex("04007F000703010201")  # id-IS, 0.4.0.127.0.7.3.1.2.1, §C.4.1
RIGHTS_MAX = 5  # bytes, of an authentication terminal (§C.4.2)
# Last two arcs of id-TA-*, §A.6.1: how the signature is made, and with which hash.
RSA_V1_5 = {(1, 1): "sha1", (1, 2): "sha256", (1, 5): "sha512"}
RSA_PSS = {(1, 3): "sha1", (1, 4): "sha256", (1, 6): "sha512"}
ECDSA = {(2, 1): "sha1", (2, 2): "sha224", (2, 3): "sha256", (2, 4): "sha384", (2, 5): "sha512"}


class Role(IntEnum):
    """The two highest bits of the certificate holder's authorisation, §C.4.1."""

    TERMINAL = 0
    FOREIGN_VERIFIER = 1
    DOMESTIC_VERIFIER = 2
    AUTHORITY = 3


class ReadRight(IntFlag):
    """The lowest bits, for inspection systems."""

    DG3 = 1
    DG4 = 2


@dataclass(frozen=True, slots=True)
class CvPublicKey:
    """A key of a certificate.

    Attributes:
        algorithm: Last two arcs of its identifier under id-TA.
        key: None for an elliptic key whose curve is that of its issuer; see `with_curve_of`.
        point: Encoded public point of an elliptic key, empty for RSA.
    """

    algorithm: tuple[int, int]
    key: PublicKey | None
    point: bytes = b""

    def with_curve_of(self, issuer: "CvPublicKey") -> Self:
        """The same key, its curve taken from the issuer where it names none itself (§D.3.3)."""
        if self.key is not None or not isinstance(issuer.key, EcKey):
            return self
        return type(self)(self.algorithm, _point_on(issuer.key.curve, self.point), self.point)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether this key signed the message; `MalformedFileError` when it cannot sign at all."""
        if isinstance(self.key, EcKey) and self.algorithm in ECDSA:
            half = (self.key.curve.n.bit_length() + 7) // 8
            if len(signature) != 2 * half:
                return False
            pair = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
            return verify_ecdsa(self.key.curve, (self.key.x, self.key.y), pair, message, ECDSA[self.algorithm])
        if isinstance(self.key, rsa.RSAPublicKey) and self.algorithm in RSA_V1_5:
            return _rsa_holds(self.key, signature, message, padding.PKCS1v15(), RSA_V1_5[self.algorithm])
        if isinstance(self.key, rsa.RSAPublicKey) and self.algorithm in RSA_PSS:
            scheme = pss_padding(RSA_PSS[self.algorithm])
            return _rsa_holds(self.key, signature, message, scheme, RSA_PSS[self.algorithm])
        raise MalformedFileError("CV public key", "algorithm does not fit the key, or its curve is not known")


@dataclass(frozen=True, slots=True)
class CvCertificate:
    """One certificate, parsed and not yet believed.

    Attributes:
        body: The whole certificate body, tag and length included: what is signed.
        authority, holder: References of issuer and holder, as bytes.
        rights: What it allows to read, if every certificate above it does too; nothing for terminals of other kinds.
    """

    body: bytes
    signature: bytes
    authority: bytes
    holder: bytes
    public_key: CvPublicKey
    role: Role
    rights: ReadRight
    effective: date
    expires: date

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """The certificate in these bytes; `MalformedFileError` names the part that is wrong."""
        outer = tlv.parse_all(tlv.only(content, CERTIFICATE))
        if [part.tag for part in outer] != [BODY, SIGNATURE]:
            raise MalformedFileError("CV certificate", "is not one body and one signature")
        parts = tlv.parse_all(outer[0].value)
        if tlv.pick(parts, PROFILE) != b"\x00":
            raise MalformedFileError("CV certificate", "profile other than version 1")
        template = tlv.parse_all(tlv.pick(parts, TEMPLATE))
        granted = tlv.pick(template, RIGHTS)
        inspects = tlv.pick(template, OID) == INSPECTION_SYSTEM
        if not 1 <= len(granted) <= (1 if inspects else RIGHTS_MAX):
            raise MalformedFileError("CV certificate", f"authorisation of {len(granted)} bytes")
        authority, holder = tlv.pick(parts, AUTHORITY), tlv.pick(parts, HOLDER)
        if not (0 < len(authority) <= REFERENCE_MAX and 0 < len(holder) <= REFERENCE_MAX):
            raise MalformedFileError("CV certificate", "reference outside 1 to 16 bytes")
        return cls(
            body=_as_written(content, outer),
            signature=outer[1].value,
            authority=authority,
            holder=holder,
            public_key=parse_public_key(tlv.pick(parts, PUBLIC_KEY)),
            role=Role(granted[0] >> 6),
            rights=ReadRight(granted[0] & 3 if inspects else 0),
            effective=_day(tlv.pick(parts, EFFECTIVE)),
            expires=_day(tlv.pick(parts, EXPIRES)),
        )

    @property
    def self_issued(self) -> bool:
        """Whether it is a trust point rather than a link."""
        return self.authority == self.holder

    @property
    def for_chip(self) -> bytes:
        """Body and signature, as PSO: VERIFY CERTIFICATE takes them (TR-03110-3 §B.3.2)."""
        return self.body + tlv.encode(SIGNATURE, self.signature)


def parse_public_key(content: bytes) -> CvPublicKey:
    """The value of a public key object, §D.3."""
    parts = tlv.parse_all(content)
    oid = tlv.pick(parts, OID)
    if len(oid) != len(TA_OID) + 2 or not oid.startswith(TA_OID):
        raise MalformedFileError("CV public key", "no algorithm of terminal authentication")
    algorithm = (oid[-2], oid[-1])
    if algorithm[0] == 1:
        modulus, exponent = (int.from_bytes(tlv.pick(parts, tag), "big") for tag in (0x81, 0x82))
        if modulus.bit_length() > RSA_BITS_MAX:
            raise MalformedFileError("CV public key", f"RSA of {modulus.bit_length()} bits")
        try:
            return CvPublicKey(algorithm, rsa.RSAPublicNumbers(exponent, modulus).public_key())
        except ValueError as error:
            raise MalformedFileError("CV public key", "no RSA key") from error
    point = tlv.pick(parts, 0x86)
    if not any(part.tag == 0x81 for part in parts):
        return CvPublicKey(algorithm, None, point)
    p, a, b, n = (int.from_bytes(tlv.pick(parts, tag), "big") for tag in (0x81, 0x82, 0x83, 0x85))
    cofactor = int.from_bytes(tlv.pick(parts, 0x87), "big")
    curve = curve_with(p, a, b, tlv.pick(parts, 0x84), n, cofactor)
    if curve is None:
        raise MalformedFileError("CV public key", "curve whose numbers are none of the known ones")
    return CvPublicKey(algorithm, _point_on(curve, point), point)


def chain_to(trust_point: bytes, terminal: CvCertificate, known: Iterable[CvCertificate]) -> list[CvCertificate] | None:
    """The certificates a chip that trusts `trust_point` needs, from the one below it to the terminal's own.

    None when there is no such chain among those known. Only names are followed; the chip checks the signatures.
    """
    by_holder = {certificate.holder: certificate for certificate in known if not certificate.self_issued}
    chain = [terminal]
    while chain[0].authority != trust_point:
        above = by_holder.get(chain[0].authority)
        if above is None or len(chain) >= CHAIN_MAX:
            return None
        chain.insert(0, above)
    return chain


def pss_padding(hash_name: str) -> padding.PSS:
    """RSASSA-PSS as TR-03110-3 §A.6.2 fixes it: one hash throughout, a salt of its length."""
    return padding.PSS(padding.MGF1(HASHES[hash_name]), HASHES[hash_name].digest_size)


def _rsa_holds(
    key: rsa.RSAPublicKey,
    signature: bytes,
    message: bytes,
    scheme: padding.PKCS1v15 | padding.PSS,
    hash_name: str,
) -> bool:
    """RSA in either padding."""
    try:
        key.verify(signature, message, scheme, HASHES[hash_name])
    except InvalidSignature:
        return False
    return True


def _as_written(content: bytes, outer: list[tlv.Tlv]) -> bytes:
    """The body's bytes as they stand in the certificate, lengths included: nothing signed is encoded again."""
    begin = tlv.read_header(content).header_length
    return content[begin : begin + tlv.read_header(content, begin).header_length + len(outer[0].value)]


def _point_on(curve: Curve, encoded: bytes) -> EcKey:
    """An uncompressed point of that curve."""
    size = curve.field_bytes
    x, y = int.from_bytes(encoded[1 : 1 + size], "big"), int.from_bytes(encoded[1 + size :], "big")
    if len(encoded) != 1 + 2 * size or encoded[0] != 4 or not curve.holds(x, y):
        raise MalformedFileError("CV public key", "no point of its curve")
    return EcKey(curve, x, y)


def _day(digits: bytes) -> date:
    """Six bytes of one digit each, YYMMDD in this century (§D.2.1.3)."""
    if len(digits) != 6 or any(digit > 9 for digit in digits):
        raise MalformedFileError("CV certificate", "date is not six digits")
    year, month, day = (10 * digits[at] + digits[at + 1] for at in (0, 2, 4))
    try:
        return date(2000 + year, month, day)
    except ValueError as error:
        raise MalformedFileError("CV certificate", "no date of the calendar") from error
