"""Who seals: the server's signing key, its certificate, and the local root that strangers are given to trust.

Both keys lie in files, or where a key ring keeps them (a token): then only certificates are files.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from counter_server.records.durable import PUBLIC_FILE, make_folder, replace_file, write_once
from counter_server.records.errors import KeyFileError
from counter_server.records.keys import read_private
from counter_server.signing.errors import SigningError
from counter_server.signing.signers import HeldKey, KeyRing, Signer, SignerKey

ROOT_YEARS = 20  # longer than any record is kept; renewed by re-timestamping before that (issue 7)
SEALING_DAYS = 730
RENEW_DAYS = 30  # a server that runs a month without a restart still seals validly

AUTHORITY_FILE = "authority.pem"
SEALING_FILE = "sealing.pem"
CERTIFICATE_FILE = "sealing.crt"  # where the key is in a ring
TRUST_FILE = "trust-root.pem"
AUTHORITY_LABEL, SEALING_LABEL = "records-authority", "record-sealing"
ALGORITHM = "ecdsa-p384-sha384"


@dataclass(frozen=True, slots=True, repr=False)
class SealingIdentity:
    """The server's signing key and certificate; `trust_root` is the file verifiers are given."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    trust_root: Path

    def sign(self, message: bytes) -> bytes:
        """ECDSA over SHA-384, DER; `KeyFileError` when whoever holds the key does not answer."""
        try:
            return self.key.sign(message, ec.ECDSA(hashes.SHA384()))
        except SigningError as error:
            raise KeyFileError(f"the sealing key: {error}") from error

    @property
    def signer(self) -> Signer:
        """The key as one that is given hashes."""
        return self.key.signer if isinstance(self.key, SignerKey) else HeldKey(self.key)

    def certificate_pem(self) -> bytes:
        """What lies beside each record as `server.pem`."""
        return self.certificate.public_bytes(Encoding.PEM)


def load_or_create_sealing_identity(folder: Path, now: datetime) -> SealingIdentity:
    """The server's identity, made at first use and renewed a month before its certificate ends.

    Raises:
        KeyFileError: A file is damaged or readable by others, or the certificate is not by the authority.
    """
    make_folder(folder)
    authority_path, sealing_path, trust_path = (folder / name for name in (AUTHORITY_FILE, SEALING_FILE, TRUST_FILE))
    if not authority_path.exists():
        write_once(authority_path, _new_authority(now))
    authority_key, root = _read_pair(authority_path)
    root_pem = root.public_bytes(Encoding.PEM)
    if not trust_path.exists():
        write_once(trust_path, root_pem, PUBLIC_FILE)
    if trust_path.read_bytes() != root_pem:
        raise KeyFileError(f"{TRUST_FILE} is not the root in {AUTHORITY_FILE}")
    if not sealing_path.exists():
        write_once(sealing_path, _new_sealing(authority_key, root, now))
    key, certificate = _read_pair(sealing_path)
    if certificate.not_valid_after_utc - now < timedelta(days=RENEW_DAYS):
        replace_file(sealing_path, _new_sealing(authority_key, root, now))
        key, certificate = _read_pair(sealing_path)
    try:
        certificate.verify_directly_issued_by(root)
    except (ValueError, InvalidSignature) as error:
        raise KeyFileError(f"{SEALING_FILE} was not issued by {AUTHORITY_FILE}") from error
    return SealingIdentity(key, certificate, trust_path)


def sealing_identity_in_ring(folder: Path, ring: KeyRing, now: datetime) -> SealingIdentity:
    """The server's identity, its keys in a ring of P-384 keys; the certificate is renewed on the same key.

    Raises:
        KeyFileError: A certificate is damaged, or not the one of the ring's key.
        SigningError: The ring does not answer.
    """
    make_folder(folder)
    authority, key = SignerKey(ring.signer(AUTHORITY_LABEL)), SignerKey(ring.signer(SEALING_LABEL))
    trust_path, path = folder / TRUST_FILE, folder / CERTIFICATE_FILE
    if not trust_path.exists():
        write_once(trust_path, _root_certificate(authority, now).public_bytes(Encoding.PEM), PUBLIC_FILE)
    root = _read_certificate(trust_path, authority)
    if not path.exists() or _read_certificate(path, key).not_valid_after_utc - now < timedelta(days=RENEW_DAYS):
        made = _sealing_certificate(key.public_key(), authority, root, now)
        replace_file(path, made.public_bytes(Encoding.PEM), PUBLIC_FILE)
    certificate = _read_certificate(path, key)
    try:
        certificate.verify_directly_issued_by(root)
    except (ValueError, InvalidSignature) as error:
        raise KeyFileError(f"{CERTIFICATE_FILE} was not issued by {TRUST_FILE}") from error
    return SealingIdentity(key, certificate, trust_path)


def _read_certificate(path: Path, key: SignerKey) -> x509.Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError as error:
        raise KeyFileError(f"{path.name} is damaged") from error
    if certificate.public_key() != key.public_key():
        raise KeyFileError(f"{path.name} is not the certificate of the ring's key")
    return certificate


def _read_pair(path: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    pem = read_private(path)
    try:
        key = load_pem_private_key(pem, password=None)
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise KeyFileError(f"{path.name} is damaged") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != key.public_key():
        raise KeyFileError(f"{path.name}: key and certificate do not belong together")
    return key, certificate


def _pair_pem(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> bytes:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Visual Counter"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _new_authority(now: datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP384R1())
    return _pair_pem(key, _root_certificate(key, now))


def _root_certificate(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = _name("Visual Counter records root")
    builder = _builder(name, name, key.public_key(), now, timedelta(days=365 * ROOT_YEARS))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(key_usage(authority=True), critical=True)
    return builder.sign(key, hashes.SHA384())


def _new_sealing(authority: ec.EllipticCurvePrivateKey, root: x509.Certificate, now: datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP384R1())
    return _pair_pem(key, _sealing_certificate(key.public_key(), authority, root, now))


def _sealing_certificate(
    key: ec.EllipticCurvePublicKey, authority: ec.EllipticCurvePrivateKey, root: x509.Certificate, now: datetime
) -> x509.Certificate:
    name = _name("Visual Counter record sealing")
    builder = _builder(name, root.subject, key, now, timedelta(days=SEALING_DAYS))
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(key_usage(authority=False), critical=True)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    return builder.add_extension(issuer, critical=False).sign(authority, hashes.SHA384())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    start = now.astimezone(UTC).replace(microsecond=0)  # X.509 times have whole seconds
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(start + life)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def key_usage(*, authority: bool) -> x509.KeyUsage:
    """What a key of the counter may do: an authority certifies, everybody else signs."""
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=not authority,  # RFC 5280 §4.2.1.3: signs what someone must later stand by
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
