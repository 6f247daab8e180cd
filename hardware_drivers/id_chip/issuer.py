"""A state for tests: its country signing authority and one document signer. Never trusted outside a test or demo."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.keys import RandomBytes

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
CSCA_YEARS, SIGNER_YEARS = 15, 11  # Doc 9303-12 §4.3: signer use plus document validity; authority use plus that
RSA_BITS = 3072


class KeyKind(StrEnum):
    """What the test state signs with."""

    BRAINPOOL_P256 = "brainpoolP256r1"
    P256 = "secp256r1"
    RSA = "rsa"


@dataclass(frozen=True, slots=True)
class TestIssuer:
    """Keys and certificates of one generated state.

    Attributes:
        csca_der: The certificate to put into a trust store.
        made_at: The moment everything this issuer signs is dated.
    """

    __test__ = False  # the name begins as pytest's own classes do

    csca_der: bytes
    signer_der: bytes
    signer_key: PrivateKey
    made_at: datetime

    @classmethod
    def create(
        cls, rng: RandomBytes, at: datetime, *, country: str = "UT", kind: KeyKind = KeyKind.BRAINPOOL_P256
    ) -> Self:
        """A new state with a key of each; `country` is two letters, UT is ICAO's Utopia."""
        csca_key, signer_key = _new_key(kind, rng), _new_key(kind, rng)
        csca_name = _name(country, "Visual Counter test CSCA " + rng(4).hex())
        csca = _certificate(csca_name, csca_key, csca_name, csca_key, rng, at, years=CSCA_YEARS, authority=True)
        signer_name = _name(country, "Visual Counter test document signer")
        signer = _certificate(signer_name, signer_key, csca_name, csca_key, rng, at, years=SIGNER_YEARS)
        return cls(_der(csca), _der(signer), signer_key, at)

    def save(self, path: Path) -> None:
        """Keep the issuer, so that several cards come from the same state."""
        private = self.signer_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        document = {
            "csca": self.csca_der.hex(),
            "signer": self.signer_der.hex(),
            "signer_key": private.decode(),
            "made_at": self.made_at.isoformat(),
        }
        path.touch(mode=0o600)
        path.write_text(json.dumps(document), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """The inverse of `save`; `MalformedFileError` when it is something else."""
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            key = serialization.load_pem_private_key(document["signer_key"].encode(), None)
            if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
                raise MalformedFileError("issuer file", "key of another kind")
            csca, signer = bytes.fromhex(document["csca"]), bytes.fromhex(document["signer"])
            return cls(csca, signer, key, datetime.fromisoformat(document["made_at"]))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise MalformedFileError("issuer file", type(error).__name__) from error


def _new_key(kind: KeyKind, rng: RandomBytes) -> PrivateKey:
    """A key of that kind; RSA primes come from the system, the library takes no others."""
    match kind:
        case KeyKind.BRAINPOOL_P256:
            return ec.derive_private_key(1 + int.from_bytes(rng(31), "big"), ec.BrainpoolP256R1())
        case KeyKind.P256:
            return ec.derive_private_key(1 + int.from_bytes(rng(31), "big"), ec.SECP256R1())
        case KeyKind.RSA:
            return rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)


def _name(country: str, common_name: str) -> x509.Name:
    """Country and common name, as Doc 9303-12 §7.1 wants them."""
    return x509.Name(
        [x509.NameAttribute(NameOID.COUNTRY_NAME, country), x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    )


def _certificate(
    subject: x509.Name,
    subject_key: PrivateKey,
    issuer: x509.Name,
    issuer_key: PrivateKey,
    rng: RandomBytes,
    at: datetime,
    *,
    years: int,
    authority: bool = False,
) -> x509.Certificate:
    """One certificate with the extensions of Doc 9303-12 §7.1."""
    usage = x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(subject_key.public_key())
        .serial_number(int.from_bytes(b"\x01" + rng(8), "big"))
        .not_valid_before(at.astimezone(UTC) - timedelta(days=30))
        .not_valid_after(at.astimezone(UTC) + timedelta(days=365 * years))
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(subject_key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if authority:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


def _der(certificate: x509.Certificate) -> bytes:
    """The certificate's bytes."""
    return certificate.public_bytes(serialization.Encoding.DER)
