"""Terminal authentication version 1: BSI TR-03110-1 v2.20 §3.5, TR-03110-3 v2.21 §B.3. The terminal shows its rights.

Fingerprints (DG3) open only for terminals that a state has certified. The operator supplies certificates and key; who
has none, or none this document's state accepts, may not read them: that is an answer, not a fault.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from asn1crypto import keys, pem
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.chip_auth import EphemeralKey
from hardware_drivers.id_chip.curves import Curve
from hardware_drivers.id_chip.cv_certificate import (
    ECDSA,
    REFERENCE_MAX,
    RSA_PSS,
    RSA_V1_5,
    CvCertificate,
    ReadRight,
    Role,
    chain_to,
    pss_padding,
)
from hardware_drivers.id_chip.files import EF_CVCA_LENGTH, EF_CVCA_SFI
from hardware_drivers.id_chip.mrz import NUMBER_LENGTH, MrzKey, check_digit
from hardware_drivers.id_chip.pace import PaceSession
from hardware_drivers.id_chip.pace_password import PacePassword
from hardware_drivers.id_chip.security_infos import Agreement
from hardware_drivers.id_chip.signatures import ASN1_ERRORS, HASHES, LIBRARY_CURVES, EcKey
from hardware_drivers.smartcard.apdu import Command
from hardware_drivers.smartcard.channel import Channel

CHALLENGE_LENGTH = 8  # TR-03110-3 §B.3.4
REFERENCE = 0x42  # certification authority references in EF.CVCA, TR-03110-1 §A.2
TRUST_POINTS_MAX = 2  # §A.2: the current one and the one before
CERTIFICATE_SUFFIXES, KEY_SUFFIXES = (".cvcert", ".cvc"), (".pkcs8", ".key", ".pem")


@dataclass(frozen=True, slots=True)
class TerminalCredential:
    """What the operator got from the state: certificates, and the key of one of them.

    Attributes:
        terminal: The certificate this key belongs to.
        known: All certificates at hand, the terminal's own included.
        key: Its private key; never shown.
    """

    terminal: CvCertificate
    known: tuple[CvCertificate, ...]
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = field(repr=False)

    @classmethod
    def of(cls, certificates: Sequence[CvCertificate], key_der: bytes) -> Self:
        """The terminal's certificate found among these by its key (PKCS#8 in DER).

        `MalformedFileError` when no certificate of a terminal has this key, or its curve is one we do not sign with.
        """
        authorities = [certificate for certificate in certificates if certificate.role is Role.AUTHORITY]
        for terminal in certificates:
            if terminal.role is not Role.TERMINAL:
                continue
            for authority in authorities or [terminal]:
                public = terminal.public_key.with_curve_of(authority.public_key).key
                key = _private_key(key_der, public) if public is not None else None
                if key is not None:
                    return cls(terminal, tuple(certificates), key)
        raise MalformedFileError("terminal key", "belongs to no terminal certificate here")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The credential in a folder: certificates (.cvcert, .cvc) and one key (.pkcs8, .key, .pem).

        The authority's own certificate must be among them: elliptic keys below take their curve from it.
        """
        certificates, found_keys = [], []
        for path in sorted(folder.iterdir()):
            suffix = path.suffix.lower()
            if suffix in CERTIFICATE_SUFFIXES:
                certificates.append(CvCertificate.parse(path.read_bytes()))
            elif suffix in KEY_SUFFIXES:
                content = path.read_bytes()
                found_keys.append(pem.unarmor(content)[2] if pem.detect(content) else content)
        if len(found_keys) != 1:
            raise MalformedFileError("terminal credential", f"{len(found_keys)} keys in the folder, one expected")
        return cls.of(certificates, found_keys[0])

    def rights(self, chain: Sequence[CvCertificate]) -> ReadRight:
        """What the chain as a whole allows: every certificate in it must (TR-03110-3 §2.7)."""
        granted = ReadRight.DG3 | ReadRight.DG4
        for certificate in chain:
            granted &= certificate.rights
        return granted

    def sign(self, message: bytes) -> bytes:
        """The signature a chip checks: r || s for ECDSA (TR-03110-3 §A.6.3), else RSA."""
        algorithm = self.terminal.public_key.algorithm
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            r, s = utils.decode_dss_signature(self.key.sign(message, ec.ECDSA(HASHES[ECDSA[algorithm]])))
            size = (self.key.curve.key_size + 7) // 8
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        if algorithm in RSA_PSS:
            return self.key.sign(message, pss_padding(RSA_PSS[algorithm]), HASHES[RSA_PSS[algorithm]])
        return self.key.sign(message, padding.PKCS1v15(), HASHES[RSA_V1_5[algorithm]])


def parse_cvca(content: bytes) -> list[bytes]:
    """The trust points in EF.CVCA, newest first; the file is padded with zeros (TR-03110-1 §A.2)."""
    references: list[bytes] = []
    at = 0
    while at < len(content) and content[at]:
        found, at = tlv.parse_first(content, at)
        if found.tag != REFERENCE or not 0 < len(found.value) <= REFERENCE_MAX:
            raise MalformedFileError("EF.CVCA", f"tag {found.tag:X} of {len(found.value)} bytes is no reference")
        references.append(found.value)
    if not 1 <= len(references) <= TRUST_POINTS_MAX:
        raise MalformedFileError("EF.CVCA", f"{len(references)} trust points")
    return references


def compressed(public: bytes, *, elliptic: bool) -> bytes:
    """Comp() of an ephemeral key: the x coordinate of a point, SHA-1 of a number (TR-03110-3 §A.2.2.3).

    Args:
        public: An uncompressed point, or a number at the length of its prime.
    """
    if elliptic:
        return public[1 : 1 + (len(public) - 1) // 2]
    return hashlib.sha1(public, usedforsecurity=False).digest()


def signed_message(chip_identity: bytes, challenge: bytes, ephemeral: bytes) -> bytes:
    """What the terminal signs (TR-03110-1 §3.5).

    Args:
        chip_identity: After BAC the document number with its check digit; after PACE, Comp() of the chip's key in it.
        ephemeral: Comp() of the terminal's key in chip authentication, which binds both protocols together.
    """
    return chip_identity + challenge + ephemeral


def authenticate_terminal(
    channel: Channel,
    credential: TerminalCredential,
    trust_points: Sequence[bytes],
    chip_identity: bytes,
    ephemeral: bytes,
) -> ReadRight:
    """What the chip now lets us read: empty when it accepts none of our certificates.

    `TamperedAnswerError` when the answers break secure messaging.
    """
    chains = [chain_to(point, credential.terminal, credential.known) for point in trust_points]
    chain = next((found for found in chains if found), None)
    if chain is None:
        return ReadRight(0)
    for certificate in chain:
        if not _accepted(channel, Command(0x00, 0x22, 0x81, 0xB6, tlv.encode(0x83, certificate.authority))):
            return ReadRight(0)
        if not _accepted(channel, Command(0x00, 0x2A, 0x00, 0xBE, certificate.for_chip)):
            return ReadRight(0)
    if not _accepted(channel, Command(0x00, 0x22, 0x81, 0xA4, tlv.encode(0x83, credential.terminal.holder))):
        return ReadRight(0)
    challenge = channel.transmit(Command(0x00, 0x84, 0x00, 0x00, ne=CHALLENGE_LENGTH))
    if challenge.sw != 0x9000 or len(challenge.data) != CHALLENGE_LENGTH:
        return ReadRight(0)
    signature = credential.sign(signed_message(chip_identity, challenge.data, ephemeral))
    if not _accepted(channel, Command(0x00, 0x82, 0x00, 0x00, signature)):
        return ReadRight(0)
    return credential.rights(chain)


def chip_identity(access: MrzKey | PacePassword, pace: PaceSession | None) -> bytes:
    """ID_PICC: the chip's key in PACE compressed, or after basic access the document number with its check digit."""
    if pace is not None:
        return compressed(pace.chip_public, elliptic=pace.info.agreement is Agreement.ECDH)
    if not isinstance(access, MrzKey):
        raise ValueError("basic access opens with the printed zone")
    number = access.document_number.upper().ljust(NUMBER_LENGTH, "<")
    return (number + check_digit(number)).encode("ascii")


def open_fingerprints(
    channel: Channel,
    credential: TerminalCredential,
    identity: bytes,
    ephemeral: EphemeralKey,
    pace: PaceSession | None,
) -> ReadRight:
    """Terminal authentication with what the chip itself says it trusts: after PACE it told, else it stands in EF.CVCA.

    Empty rights where the chip trusts nobody we have a certificate from; `StatusError` where it breaks off.
    """
    references = list(pace.authority_references) if pace is not None else []
    if not references:
        told = channel.transmit(Command(0x00, 0xB0, 0x80 | EF_CVCA_SFI, 0x00, ne=EF_CVCA_LENGTH))
        if told.sw not in (0x9000, 0x6282):
            return ReadRight(0)
        references = parse_cvca(told.data)
    own = compressed(ephemeral.public, elliptic=isinstance(ephemeral.domain, Curve))
    return authenticate_terminal(channel, credential, references, identity, own)


def _accepted(channel: Channel, command: Command) -> bool:
    """Whether the chip said yes."""
    return channel.transmit(command).sw == 0x9000


def _private_key(der: bytes, public: EcKey | rsa.RSAPublicKey) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None:
    """The key in this PKCS#8 structure if it is the other half of `public`."""
    try:
        if isinstance(public, EcKey):
            # Taken out of its wrapping by hand: OpenSSL refuses the explicit parameters that states write around it.
            number = keys.PrivateKeyInfo.load(der, strict=True)["private_key"].parsed["private_key"].native
            if public.curve.name not in LIBRARY_CURVES or not 0 < number < public.curve.n:
                return None
            key = ec.derive_private_key(number, LIBRARY_CURVES[public.curve.name])
            numbers = key.public_key().public_numbers()
            return key if (numbers.x, numbers.y) == (public.x, public.y) else None
        loaded = serialization.load_der_private_key(der, None)
    except ASN1_ERRORS as error:
        raise MalformedFileError("terminal key", type(error).__name__) from error
    if isinstance(loaded, rsa.RSAPrivateKey) and loaded.public_key().public_numbers() == public.public_numbers():
        return loaded
    return None
