"""What an SBI device signed, checked: JSON Web Signatures (RFC 7515) whose certificate somebody vouches for.

Pure, so that a counter can check again what its desk has checked. The chain of hashes that SBI adds joins several
captures of a session; one capture stands under its own signature, so that chain is not followed here.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import BaseModel, ConfigDict, ValidationError

from hardware_drivers.errors import ScannerUntrustedError
from hardware_drivers.fingerprint.scanner import FingerPosition

CHAIN_MAX: Final = 4  # device, provider, country, root
CERTIFICATES_MAX: Final = 8
RSA_BITS_MIN: Final = 2048
CLOCKS_APART: Final = timedelta(minutes=10)  # devices follow their management server's clock, and some drift
SUBTYPES: Final = {  # SBI 0.9.5, "Biometric subtype"
    FingerPosition.UNKNOWN: "UNKNOWN",
    FingerPosition.RIGHT_THUMB: "Right Thumb",
    FingerPosition.RIGHT_INDEX: "Right IndexFinger",
    FingerPosition.RIGHT_MIDDLE: "Right MiddleFinger",
    FingerPosition.RIGHT_RING: "Right RingFinger",
    FingerPosition.RIGHT_LITTLE: "Right LittleFinger",
    FingerPosition.LEFT_THUMB: "Left Thumb",
    FingerPosition.LEFT_INDEX: "Left IndexFinger",
    FingerPosition.LEFT_MIDDLE: "Left MiddleFinger",
    FingerPosition.LEFT_RING: "Left RingFinger",
    FingerPosition.LEFT_LITTLE: "Left LittleFinger",
}


class _Outside(BaseModel):
    """Bytes from a device service: fields beyond these are its own affair."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class DigitalId(_Outside):
    """Who the device is."""

    serialNo: str  # noqa: N815 - the standard's spelling, as all below
    make: str
    model: str
    type: str = ""


class DeviceInfo(_Outside):
    """The payload of MOSIPDINFO's statement."""

    deviceStatus: str  # noqa: N815
    deviceId: str  # noqa: N815
    digitalId: str  # noqa: N815
    specVersion: tuple[str, ...] = ()  # noqa: N815


class CaptureData(_Outside):
    """The payload of RCAPTURE's statement."""

    digitalId: str  # noqa: N815
    bioType: str  # noqa: N815
    bioSubType: str  # noqa: N815
    bioValue: str  # noqa: N815
    timestamp: datetime
    transactionId: str | None = None  # noqa: N815
    registrationId: str | None = None  # noqa: N815 - its name in the first edition
    qualityScore: float = 0.0  # noqa: N815


@dataclass(frozen=True, slots=True)
class CaptureAsked:
    """What the answer must be an answer to.

    Attributes:
        transaction: Drawn for this capture alone, so that an old answer is none.
        serial: Of the device that was opened; None takes any device that somebody vouches for.
    """

    transaction: str
    position: FingerPosition
    serial: str | None


@dataclass(frozen=True, slots=True)
class SignedCapture:
    """What holds of an answer.

    Attributes:
        record: The finger image record.
        quality: 0 to 100, the device's own; 0 where it gives none.
        capture_key: SHA-256 of the public key that signed the capture, hexadecimal.
        identity_key: Of the one that signed who the device is: the same where the device signs both (SBI's L0), its
            trust module's otherwise (L1). Nothing in a statement binds the two to each other: whoever remembers keys
            can see one come under another's name.
    """

    record: bytes
    quality: int
    device: DigitalId
    capture_key: str
    identity_key: str


def open_statement(compact: str, trusted: Sequence[x509.Certificate], at: datetime) -> bytes:
    """The payload of a compact JWS, if its signature holds and somebody in `trusted` vouches for its key.

    `ScannerUntrustedError` with the reason otherwise; an unsigned one is not trusted either.
    """
    return _opened(compact, trusted, at)[0]


def _opened(compact: str, trusted: Sequence[x509.Certificate], at: datetime) -> tuple[bytes, str]:
    """The payload, and the SHA-256 of the key that signed it."""
    parts = compact.split(".")
    if len(parts) != 3:
        raise ScannerUntrustedError("not signed")
    try:
        header = json.loads(from_base64url(parts[0]))
        given = header["x5c"]
        encoded = [given] if isinstance(given, str) else list(given)[:CERTIFICATES_MAX]
        chain = [x509.load_der_x509_certificate(base64.b64decode(each, validate=True)) for each in encoded]
        algorithm = str(header["alg"])
        if "crit" in header:  # RFC 7515 §4.1.11: what is critical and unknown to us ends it
            raise ScannerUntrustedError("asks for an extension nobody here knows")
        signature = from_base64url(parts[2])
        payload = from_base64url(parts[1])
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise ScannerUntrustedError("not in the form of a signature") from error
    if not chain:
        raise ScannerUntrustedError("names no certificate")
    _check_signature(algorithm, chain[0], signature, f"{parts[0]}.{parts[1]}".encode())
    _check_chain(chain, trusted, at)
    return payload, _key_sha256(chain[0])


def device_in(statement: str, trusted: Sequence[x509.Certificate], at: datetime) -> tuple[DeviceInfo, DigitalId]:
    """MOSIPDINFO's statement and the identity inside it, both signed."""
    try:
        told = DeviceInfo.model_validate_json(open_statement(statement, trusted, at))
        return told, DigitalId.model_validate_json(open_statement(told.digitalId, trusted, at))
    except ValidationError as error:
        raise ScannerUntrustedError("signed something that describes no device") from error


def capture_in(statement: str, asked: CaptureAsked, trusted: Sequence[x509.Certificate], at: datetime) -> SignedCapture:
    """The finger image record that a device signed for this very capture.

    `ScannerUntrustedError` when it is of another device, capture, finger or time.
    """
    try:
        payload, capture_key = _opened(statement, trusted, at)
        data = CaptureData.model_validate_json(payload)
        identity, identity_key = _opened(data.digitalId, trusted, at)
        device = DigitalId.model_validate_json(identity)
        record = from_base64url(data.bioValue)
    except (ValidationError, ValueError) as error:
        raise ScannerUntrustedError("signed something that is no capture") from error
    if asked.serial is not None and device.serialNo != asked.serial:
        raise ScannerUntrustedError("another device signed")
    if not asked.transaction or asked.transaction not in (data.transactionId, data.registrationId):
        raise ScannerUntrustedError("signed for another capture")
    if data.bioSubType not in (SUBTYPES[asked.position], SUBTYPES[FingerPosition.UNKNOWN]):
        raise ScannerUntrustedError("signed for another finger")
    if data.timestamp.tzinfo is None or abs(data.timestamp - at) > CLOCKS_APART:
        raise ScannerUntrustedError("signed at another time")
    quality = max(0, min(100, round(data.qualityScore)))
    return SignedCapture(record, quality, device, capture_key, identity_key)


def from_base64url(text: str) -> bytes:
    """RFC 7515 §2: without padding, though some devices add it; `ValueError` for anything else."""
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("no base64url") from error


def _check_signature(algorithm: str, signer: x509.Certificate, signature: bytes, signed: bytes) -> None:
    """RFC 7518 §3: the algorithms a device may use; which one the header names must fit the key."""
    try:
        key = signer.public_key()
        match algorithm, key:
            case "RS256", rsa.RSAPublicKey() if key.key_size >= RSA_BITS_MIN:
                key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
            case "PS256", rsa.RSAPublicKey() if key.key_size >= RSA_BITS_MIN:
                key.verify(signature, signed, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
            case "ES256", ec.EllipticCurvePublicKey() if key.curve.name == "secp256r1" and len(signature) == 64:
                numbers = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
                key.verify(utils.encode_dss_signature(*numbers), signed, ec.ECDSA(hashes.SHA256()))
            case _:
                raise ScannerUntrustedError("signed with an algorithm or key we do not take")
    except InvalidSignature as error:
        raise ScannerUntrustedError("the signature does not hold") from error
    except (UnsupportedAlgorithm, ValueError) as error:
        raise ScannerUntrustedError("signed with an algorithm or key we do not take") from error


def _key_sha256(signer: x509.Certificate) -> str:
    """Of the key and not of its certificate, which is renewed more often."""
    key = signer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(key).hexdigest()


def _check_chain(chain: Sequence[x509.Certificate], trusted: Sequence[x509.Certificate], at: datetime) -> None:
    """From the signer up to one of `trusted`, which may be the signer itself."""
    current = chain[0]
    for _ in range(CHAIN_MAX):
        _check_times(current, at)
        if current in trusted:
            return
        issuer = next((each for each in (*trusted, *chain[1:]) if _issued(each, current)), None)
        if issuer is None:
            break
        current = issuer
    raise ScannerUntrustedError("nobody we trust vouches for its certificate")


def _check_times(certificate: x509.Certificate, at: datetime) -> None:
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise ScannerUntrustedError("a certificate is not valid now")


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Whether `issuer` may sign certificates and has signed this one."""
    try:
        certificate.verify_directly_issued_by(issuer)
        limits = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound):
        return False
    return limits.ca
