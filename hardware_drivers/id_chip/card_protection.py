"""What a state puts into a chip against eavesdropping and copying: keys, DG14, DG15, EF.CardAccess. For test cards."""

from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from hardware_drivers.id_chip import der, tlv
from hardware_drivers.id_chip.cms_signing import signed_data
from hardware_drivers.id_chip.curves import Curve
from hardware_drivers.id_chip.cv_certificate import CvCertificate
from hardware_drivers.id_chip.domain_parameters import (
    DH_PUBLIC_NUMBER,
    EC_PUBLIC_KEY,
    STANDARD_DOMAINS,
    Domain,
)
from hardware_drivers.id_chip.files import DATA_GROUP_TAGS, EF_CVCA_LENGTH, EF_CVCA_SFI
from hardware_drivers.id_chip.issuer import TestIssuer
from hardware_drivers.id_chip.key_agreement import agreement_over
from hardware_drivers.id_chip.keys import RandomBytes
from hardware_drivers.id_chip.mrz import MrzKey
from hardware_drivers.id_chip.pace_password import PacePassword
from hardware_drivers.id_chip.security_infos import ACTIVE_AUTHENTICATION, BSI
from hardware_drivers.id_chip.simulated_pace import PaceProfile
from hardware_drivers.id_chip.simulated_proofs import ChipSecrets, StaticKey

CURVE_ID = 13  # brainpoolP256r1, Doc 9303-11 §9.5.1
GROUP_ID = 0  # 1024-bit group with a 160-bit subgroup: the quickest a chip may have
SECURITY_OBJECT = "0.4.0.127.0.7.3.2.1"  # id-SecurityObject, TR-03110-3 §A.1.2.5
PLAIN_ECDSA_SHA256 = "0.4.0.127.0.7.1.1.4.1.3"  # TR-03111 §5.2.1.1
ACTIVE_RSA_BITS = 1536  # answers in one short protected block


class PaceKind(StrEnum):
    """How the chip is opened, besides basic access."""

    GENERIC = "gm"
    INTEGRATED = "im"
    CHIP_AUTHENTICATION = "cam"


class ChipAuthenticationKind(StrEnum):
    """How the chip agrees on new keys: last arcs of id-CA, and whose numbers."""

    ECDH_AES256 = "ecdh-aes256"
    ECDH_AES128 = "ecdh-aes128"
    ECDH_3DES = "ecdh-3des"
    DH_AES128 = "dh-aes128"
    DH_3DES = "dh-3des"
    ECDH_AES128_V2 = "ecdh-aes128-v2"


class ActiveAuthenticationKind(StrEnum):
    """What the chip signs with."""

    RSA_SHA1 = "rsa-sha1"
    RSA_SHA256 = "rsa-sha256"
    ECDSA = "ecdsa"


PACE_OIDS = {PaceKind.GENERIC: "2.2", PaceKind.INTEGRATED: "4.2", PaceKind.CHIP_AUTHENTICATION: "6.2"}  # AES-128
CHIP_OIDS = {
    ChipAuthenticationKind.ECDH_AES256: "2.4",
    ChipAuthenticationKind.ECDH_AES128: "2.2",
    ChipAuthenticationKind.ECDH_3DES: "2.1",
    ChipAuthenticationKind.DH_AES128: "1.2",
    ChipAuthenticationKind.DH_3DES: "1.1",
    ChipAuthenticationKind.ECDH_AES128_V2: "2.2",
}


@dataclass(frozen=True, slots=True)
class Protection:
    """What a card is to have.

    Attributes:
        can: Six digits printed on the front, with PACE.
        inspection_authority: Certificate of the authority whose terminals may read DG3; None leaves DG3 out.
        fingers: Content of DG3; None says that no finger could be enrolled.
    """

    pace: PaceKind | None = None
    can: str = "123456"
    chip: ChipAuthenticationKind | None = None
    active: ActiveAuthenticationKind | None = None
    inspection_authority: bytes | None = field(default=None, repr=False)
    fingers: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ProtectedChip:
    """The result: files to sign, files nobody signs, and what stays inside.

    Attributes:
        groups: Data groups 14, 15 and 3, as far as they are needed.
        others: File identifier in the application to its content.
    """

    groups: dict[int, bytes]
    others: dict[int, bytes]
    secrets: ChipSecrets
    pace: PaceProfile | None


def protect(protection: Protection, key: MrzKey, issuer: TestIssuer, rng: RandomBytes) -> ProtectedChip:
    """Keys and files for one chip; RSA primes come from the system, everything else from `rng`."""
    infos: list[bytes] = []
    static_keys: tuple[StaticKey, ...] = ()
    if protection.chip is not None:
        static, described = _chip_key(protection.chip, rng)
        static_keys = (static,)
        infos += described
    groups: dict[int, bytes] = {}
    active = _active_key(protection.active, rng)
    if active is not None:
        info = active.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        groups[15] = tlv.encode(DATA_GROUP_TAGS[15], info)
        if isinstance(active, ec.EllipticCurvePrivateKey):
            infos.append(_info(ACTIVE_AUTHENTICATION, der.encode_unsigned(1), _oid(PLAIN_ECDSA_SHA256)))
    others: dict[int, bytes] = {}
    if protection.inspection_authority is not None:
        trust_point = CvCertificate.parse(protection.inspection_authority)
        infos.append(_info(f"{BSI}.2", der.encode_unsigned(1)))
        others[0x0100 | EF_CVCA_SFI] = tlv.encode(0x42, trust_point.holder).ljust(EF_CVCA_LENGTH, b"\x00")
        # no finger could be enrolled: zero instances and a random number, Doc 9303-10 §4.7.3
        empty = tlv.encode(0x7F61, tlv.encode(0x02, b"\x00") + tlv.encode(0x53, rng(16)))
        groups[3] = protection.fingers or tlv.encode(DATA_GROUP_TAGS[3], empty)
    pace = _pace(protection, key, issuer, static_keys, rng)
    if pace is not None:
        infos.insert(0, tlv.only(pace.card_access, der.SET))
    if infos:
        groups[14] = tlv.encode(DATA_GROUP_TAGS[14], tlv.encode(der.SET, b"".join(infos)))
    digest = "sha1" if protection.active is ActiveAuthenticationKind.RSA_SHA1 else "sha256"
    secrets = ChipSecrets(
        b"" if active is None else _pkcs8(active),
        digest,
        static_keys,
        protection.inspection_authority or b"",
        issuer.made_at.date(),
    )
    return ProtectedChip(groups, others, secrets, pace)


def _pace(
    protection: Protection, key: MrzKey, issuer: TestIssuer, static_keys: tuple[StaticKey, ...], rng: RandomBytes
) -> PaceProfile | None:
    """EF.CardAccess and, with chip authentication mapping, a key signed in EF.CardSecurity."""
    if protection.pace is None:
        return None
    oid = f"{BSI}.4.{PACE_OIDS[protection.pace]}"
    access = tlv.encode(der.SET, _info(oid, der.encode_unsigned(2), der.encode_unsigned(CURVE_ID)))
    passwords = (PacePassword.mrz(key), PacePassword.can(protection.can))
    if protection.pace is not PaceKind.CHIP_AUTHENTICATION:
        return PaceProfile(access, passwords)
    domain = STANDARD_DOMAINS[CURVE_ID]
    fitting = [static.private for static in static_keys if static.domain == domain]
    private = fitting[0] if fitting else agreement_over(domain).draw_private_key(rng)
    described = _info(f"{BSI}.1.2", _public_key_info(domain, private), der.encode_unsigned(CURVE_ID))
    security = signed_data(SECURITY_OBJECT, tlv.encode(der.SET, described), issuer)
    return PaceProfile(access, passwords, security, private)


def _chip_key(kind: ChipAuthenticationKind, rng: RandomBytes) -> tuple[StaticKey, list[bytes]]:
    """A static key, and the two infos of DG14 that describe it."""
    family = CHIP_OIDS[kind].split(".")[0]
    domain = STANDARD_DOMAINS[CURVE_ID if family == "2" else GROUP_ID]
    private = agreement_over(domain).draw_private_key(rng)
    oid, version = f"{BSI}.3.{CHIP_OIDS[kind]}", 2 if kind is ChipAuthenticationKind.ECDH_AES128_V2 else 1
    infos = [
        _info(f"{BSI}.1.{family}", _public_key_info(domain, private), der.encode_unsigned(1)),
        _info(oid, der.encode_unsigned(version), der.encode_unsigned(1)),
    ]
    return StaticKey(oid, domain, private, key_id=1, version=version), infos


def _active_key(
    kind: ActiveAuthenticationKind | None, rng: RandomBytes
) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None:
    """A key that signs."""
    match kind:
        case None:
            return None
        case ActiveAuthenticationKind.ECDSA:
            return ec.derive_private_key(1 + int.from_bytes(rng(31), "big"), ec.BrainpoolP256R1())
        case ActiveAuthenticationKind.RSA_SHA1 | ActiveAuthenticationKind.RSA_SHA256:
            return rsa.generate_private_key(public_exponent=65537, key_size=ACTIVE_RSA_BITS)


def _pkcs8(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    """The private key's file."""
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _public_key_info(domain: Domain, private: int) -> bytes:
    """SubjectPublicKeyInfo, the curve by its name and the group spelled out (RFC 5480, RFC 3279 §2.3.3)."""
    agreement = agreement_over(domain)
    public = agreement.power(agreement.generator, private) or b""
    if isinstance(domain, Curve):
        algorithm, bits = _oid(EC_PUBLIC_KEY) + _oid(domain.oid), public
    else:
        numbers = b"".join(der.encode_unsigned(number) for number in (domain.p, domain.g, domain.q or 0))
        algorithm = _oid(DH_PUBLIC_NUMBER) + tlv.encode(der.SEQUENCE, numbers)
        bits = der.encode_unsigned(int.from_bytes(public, "big"))
    return tlv.encode(der.SEQUENCE, tlv.encode(der.SEQUENCE, algorithm) + tlv.encode(der.BIT_STRING, b"\x00" + bits))


def _info(oid: str, *parts: bytes) -> bytes:
    """One SecurityInfo."""
    return tlv.encode(der.SEQUENCE, _oid(oid) + b"".join(parts))


def _oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER with tag and length."""
    return tlv.encode(der.OBJECT_IDENTIFIER, der.encode_object_identifier(dotted))
