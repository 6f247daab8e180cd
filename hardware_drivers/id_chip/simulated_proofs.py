"""The chip's side of chip, active and terminal authentication: what a chip with secrets can do and a copy cannot.

Like `simulated_pace` it shares arithmetic with the reader and nothing of the protocols: what both must agree on is held
against the BSI's worked examples.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import der, tlv
from hardware_drivers.id_chip.curves import Curve
from hardware_drivers.id_chip.cv_certificate import CERTIFICATE, CvCertificate, ReadRight, Role
from hardware_drivers.id_chip.domain_parameters import Domain
from hardware_drivers.id_chip.key_agreement import agreement_over
from hardware_drivers.id_chip.keys import AUTHENTICATION, ENCRYPTION, RandomBytes
from hardware_drivers.id_chip.secure_messaging import SessionKeys
from hardware_drivers.id_chip.security_infos import SUITES
from hardware_drivers.id_chip.signatures import HASHES
from hardware_drivers.smartcard.apdu import Command, Response

OK, FAILED, NOT_SATISFIED, BAD_DATA, NO_SUCH_KEY, UNKNOWN = 0x9000, 0x6300, 0x6982, 0x6A80, 0x6A88, 0x6D00
TDES = "1"  # last arc of id-CA-*-3DES-CBC-CBC


@dataclass(frozen=True, slots=True)
class StaticKey:
    """One private key of chip authentication.

    Attributes:
        oid: The protocol it is for, id-CA-*.
        version: 1, or 2 with a nonce and a token in the answer.
    """

    oid: str
    domain: Domain
    private: int = field(repr=False)
    key_id: int | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class ChipSecrets:
    """What never leaves a genuine chip, and whom it lets read its fingerprints.

    Attributes:
        active_key: PKCS#8 in DER, for active authentication; empty where there is none.
        active_digest: The hash it signs with, by its hashlib name.
        static_keys: For chip authentication.
        trust_point: The state's certificate that terminals must descend from; empty where no file asks for one.
        today: The chip's idea of the date, from the newest certificate it has seen.
    """

    active_key: bytes = field(default=b"", repr=False)
    active_digest: str = "sha256"
    static_keys: tuple[StaticKey, ...] = ()
    trust_point: bytes = b""
    today: date | None = None


class SimulatedProofs:
    """One chip's proofs and its demands; everything but the secrets is forgotten with the session.

    Args:
        secrets: The keys.
        document_number: With its check digit, the name terminals sign after basic access.
        rng: Nonces, and M1 of signatures.
    """

    def __init__(self, secrets: ChipSecrets, document_number: bytes, rng: RandomBytes) -> None:
        self._secrets = secrets
        self._anchor = CvCertificate.parse(secrets.trust_point) if secrets.trust_point else None
        self._active = (
            serialization.load_der_private_key(secrets.active_key, None, unsafe_skip_rsa_key_validation=True)
            if secrets.active_key
            else None
        )
        self._document_number = document_number
        self._rng = rng
        self.reset()

    def reset(self) -> None:
        """The session ended."""
        self.rights = ReadRight(0)
        self.chip_name = self._document_number
        self._chosen: StaticKey | None = None
        self._renewed: SessionKeys | None = None
        self._terminal_public: bytes | None = None
        self._issuer: CvCertificate | None = None
        self._verified: list[CvCertificate] = []
        self._terminal: CvCertificate | None = None
        self._challenge: bytes | None = None

    @property
    def asks_for_terminals(self) -> bool:
        """Whether fingerprints are behind terminal authentication."""
        return self._anchor is not None

    def take_session(self) -> SessionKeys | None:
        """Keys that the last answer agreed on, once."""
        renewed, self._renewed = self._renewed, None
        return renewed

    def answer(self, command: Command) -> Response | None:
        """The answer, or None for a command of other protocols."""
        try:
            match command.ins, command.p1, command.p2:
                case 0x22, 0x41, 0xA6:
                    return self._set_kat(command.data)
                case 0x22, 0x41, 0xA4:
                    return self._choose(command.data)
                case 0x86, 0x00, 0x00 if self._chosen is not None:
                    return self._agree(command.data)
                case 0x88, 0x00, 0x00:
                    return self._sign(command.data)
                case 0x22, 0x81, 0xB6:
                    return self._set_issuer(command.data)
                case 0x2A, 0x00, 0xBE:
                    return self._verify_certificate(command.data)
                case 0x22, 0x81, 0xA4:
                    return self._set_terminal(command.data)
                case 0x84, 0x00, 0x00 if self._terminal is not None:
                    self._challenge = self._rng(8)
                    return Response(self._challenge, OK)
                case 0x82, 0x00, 0x00 if self._challenge is not None:
                    return self._verify_terminal(command.data)
                case _:
                    return None
        except MalformedFileError:
            return Response(b"", BAD_DATA)

    def _set_kat(self, content: bytes) -> Response:
        """MSE:Set KAT, chip authentication with 3DES in one command."""
        objects = tlv.parse_all(content)
        key = self._key(objects, lambda found: found.oid.split(".")[-1] == TDES)
        return Response(b"", NO_SUCH_KEY) if key is None else self._renew(key, tlv.pick(objects, 0x91))

    def _choose(self, content: bytes) -> Response:
        """MSE:Set AT: which key is to be used."""
        objects = tlv.parse_all(content)
        oid = der.object_identifier(tlv.pick(objects, 0x80))
        self._chosen = self._key(objects, lambda found: found.oid == oid)
        return Response(b"", NO_SUCH_KEY if self._chosen is None else OK)

    def _agree(self, content: bytes) -> Response:
        """GENERAL AUTHENTICATE."""
        key, self._chosen = self._chosen, None
        public = tlv.pick(tlv.parse_all(tlv.only(content, 0x7C)), 0x80)
        return Response(b"", NO_SUCH_KEY) if key is None else self._renew(key, public)

    def _key(self, objects: Sequence[tlv.Tlv], fits: Callable[[StaticKey], bool]) -> StaticKey | None:
        """The key that is meant, by reference where one is given."""
        named = [int.from_bytes(found.value, "big") for found in objects if found.tag == 0x84]
        keys = [key for key in self._secrets.static_keys if fits(key)]
        keys = [key for key in keys if not named or key.key_id in named]
        return keys[0] if len(keys) == 1 else None

    def _renew(self, key: StaticKey, public: bytes) -> Response:
        """New session keys from the terminal's public key and our private one."""
        agreement = agreement_over(key.domain)
        theirs = agreement.received(public)
        if theirs is None:
            return Response(b"", BAD_DATA)
        suite = SUITES[key.oid.split(".")[-1]]
        nonce = self._rng(8) if key.version == 2 else b""
        secret = agreement.shared_secret(theirs, key.private) + nonce
        mac = suite.derive_key(secret, AUTHENTICATION)
        self._renewed = SessionKeys(suite.derive_key(secret, ENCRYPTION), mac, 0, suite)
        self._terminal_public = public
        if key.oid.split(".")[-1] == TDES:
            return Response(b"", OK)
        inner = b""
        if key.version == 2:
            body = tlv.encode(0x06, der.encode_object_identifier(key.oid))
            body += tlv.encode(0x86 if isinstance(key.domain, Curve) else 0x84, public)
            token = suite.token_mac(mac, tlv.encode(0x7F49, body))
            inner = tlv.encode(0x81, nonce) + tlv.encode(0x82, token)
        return Response(tlv.encode(0x7C, inner), OK)

    def _sign(self, challenge: bytes) -> Response:
        """INTERNAL AUTHENTICATE."""
        key, digest = self._active, self._secrets.active_digest
        if isinstance(key, rsa.RSAPrivateKey):
            return Response(sign_9796_2(key, challenge, digest, self._rng), OK)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            return Response(b"", UNKNOWN)
        r, s = utils.decode_dss_signature(key.sign(challenge, ec.ECDSA(HASHES[digest])))
        size = (key.curve.key_size + 7) // 8
        return Response(r.to_bytes(size, "big") + s.to_bytes(size, "big"), OK)

    def _set_issuer(self, content: bytes) -> Response:
        """MSE:Set DST: whose key the next certificate is to be checked with."""
        reference = tlv.pick(tlv.parse_all(content), 0x83)
        known = [certificate for certificate in (self._anchor, *self._verified) if certificate is not None]
        self._issuer = next((certificate for certificate in known if certificate.holder == reference), None)
        return Response(b"", NO_SUCH_KEY if self._issuer is None else OK)

    def _verify_certificate(self, content: bytes) -> Response:
        """PSO: VERIFY CERTIFICATE."""
        issuer, anchor = self._issuer, self._anchor
        if issuer is None or anchor is None:
            return Response(b"", NOT_SATISFIED)
        certificate = CvCertificate.parse(tlv.encode(CERTIFICATE, content))
        key = issuer.public_key.with_curve_of(anchor.public_key)
        may_issue = issuer.role is Role.AUTHORITY or certificate.role is Role.TERMINAL
        out_of_date = self._secrets.today is not None and certificate.expires < self._secrets.today
        signed = certificate.authority == issuer.holder and key.verifies(certificate.signature, certificate.body)
        if issuer.role is Role.TERMINAL or not may_issue or out_of_date or not signed:
            return Response(b"", FAILED)
        self._verified.append(certificate)
        return Response(b"", OK)

    def _set_terminal(self, content: bytes) -> Response:
        """MSE:Set AT: which terminal is about to prove itself."""
        reference = tlv.pick(tlv.parse_all(content), 0x83)
        terminals = [certificate for certificate in self._verified if certificate.role is Role.TERMINAL]
        self._terminal = next((one for one in terminals if one.holder == reference), None)
        return Response(b"", NO_SUCH_KEY if self._terminal is None else OK)

    def _verify_terminal(self, signature: bytes) -> Response:
        """EXTERNAL AUTHENTICATE: the signature binds this chip, this challenge and the key of chip authentication."""
        challenge, self._challenge = self._challenge, None
        terminal, anchor = self._terminal, self._anchor
        if challenge is None or terminal is None or anchor is None or self._terminal_public is None:
            return Response(b"", NOT_SATISFIED)
        public = self._terminal_public
        on_curve = public[:1] == b"\x04" and len(public) % 2 == 1
        ephemeral = (
            public[1 : 1 + len(public) // 2] if on_curve else hashlib.sha1(public, usedforsecurity=False).digest()
        )
        key = terminal.public_key.with_curve_of(anchor.public_key)
        if not key.verifies(signature, self.chip_name + challenge + ephemeral):
            return Response(b"", FAILED)
        self.rights = anchor.rights
        for certificate in self._verified:
            self.rights &= certificate.rights
        return Response(b"", OK)


def sign_9796_2(key: rsa.RSAPrivateKey, challenge: bytes, digest: str, rng: RandomBytes) -> bytes:
    """ISO/IEC 9796-2 scheme 1 with partial recovery over random M1 and the challenge (Doc 9303-11 §6.1.2.2)."""
    numbers = key.private_numbers()
    modulus = numbers.public_numbers.n
    size = (modulus.bit_length() + 7) // 8
    trailer = {
        "sha1": b"\xbc",
        "sha224": b"\x38\xcc",
        "sha256": b"\x34\xcc",
        "sha384": b"\x36\xcc",
        "sha512": b"\x35\xcc",
    }
    hashed_length = hashlib.new(digest, usedforsecurity=False).digest_size
    m1 = rng(size - 1 - hashed_length - len(trailer[digest]))
    hashed = hashlib.new(digest, m1 + challenge, usedforsecurity=False).digest()
    block = b"\x6a" + m1 + hashed + trailer[digest]
    return pow(int.from_bytes(block, "big"), numbers.d, modulus).to_bytes(size, "big")
