"""Kiosks: each has a certificate of the counter's own kiosk CA and is known by its hash.

Certificates are made here and carried to the kiosk; enrolment over the network (EST) and TPM keys come later.
"""

import datetime
import hashlib
import time
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from sqlalchemy import Connection, delete, insert, select, update

from counter_server.people.tables import kiosk

CA_YEARS, LEAF_DAYS = 10, 397


@dataclass(frozen=True, slots=True)
class Kiosk:
    """One enrolled desk."""

    kiosk_id: str
    name: str


class KioskAuthority:
    """The CA that knows our kiosks and gives the counter its own certificate towards them."""

    def __init__(self, folder: Path) -> None:
        self.ca_file = folder / "kiosk-ca.pem"
        self.server_cert = folder / "kiosk-door.pem"
        self.server_key = folder / "kiosk-door.key"
        self._ca_key_file = folder / "kiosk-ca.key"
        folder.mkdir(parents=True, exist_ok=True)
        if not self.ca_file.exists():
            self._make_ca()
        self._ca = x509.load_pem_x509_certificate(self.ca_file.read_bytes())
        key = serialization.load_pem_private_key(self._ca_key_file.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101 - our own file, made below
        self._ca_key = key

    def make_door(self, hosts: tuple[str, ...]) -> None:
        """A fresh certificate for the counter's kiosk port, valid for these names and addresses."""
        names: list[x509.GeneralName] = []
        for host in hosts:
            try:
                names.append(x509.IPAddress(ip_address(host)))
            except ValueError:
                names.append(x509.DNSName(host))
        cert, key = self._issue("counter", ExtendedKeyUsageOID.SERVER_AUTH, names)
        write_private(self.server_key, key)
        self.server_cert.write_bytes(cert.public_bytes(serialization.Encoding.PEM))

    def make_kiosk(self, kiosk_id: str, folder: Path) -> bytes:
        """Write ca.pem, kiosk.pem and kiosk.key for one desk; returns the certificate's SHA-256 (32 bytes)."""
        folder.mkdir(parents=True, exist_ok=True)
        cert, key = self._issue(kiosk_id, ExtendedKeyUsageOID.CLIENT_AUTH, [x509.DNSName(kiosk_id)])
        write_private(folder / "kiosk.key", key)
        (folder / "kiosk.pem").write_bytes(cert.public_bytes(serialization.Encoding.PEM))
        (folder / "ca.pem").write_bytes(self.ca_file.read_bytes())
        return cert.fingerprint(hashes.SHA256())

    def _make_ca(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Visual Counter kiosk CA")])
        now = datetime.datetime.now(datetime.UTC)
        cert = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + datetime.timedelta(days=365 * CA_YEARS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(sign_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        write_private(self._ca_key_file, key)
        self.ca_file.write_bytes(cert.public_bytes(serialization.Encoding.PEM))

    def _issue(
        self, common_name: str, usage: x509.ObjectIdentifier, names: list[x509.GeneralName]
    ) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.UTC)
        cert = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
            .issuer_name(self._ca.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + datetime.timedelta(days=LEAF_DAYS))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(sign_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._ca_key.public_key()), critical=False
            )
            .sign(self._ca_key, hashes.SHA256())
        )
        return cert, key


def write_private(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Write a private key so that only its owner can read it, from the first byte on."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def enrol(connection: Connection, kiosk_id: str, name: str, certificate_sha256: bytes) -> None:
    """Know this desk from now on; an earlier certificate of the same id is forgotten."""
    connection.execute(delete(kiosk).where(kiosk.c.kiosk_id == kiosk_id))
    connection.execute(
        insert(kiosk).values(
            kiosk_id=kiosk_id, name=name, certificate_sha256=certificate_sha256, enrolled_at_s=int(time.time())
        )
    )


def revoke(connection: Connection, kiosk_id: str) -> bool:
    """Believe this desk's certificate no longer; False for a desk nobody enrolled."""
    return connection.execute(update(kiosk).where(kiosk.c.kiosk_id == kiosk_id).values(revoked=1)).rowcount > 0


def find(connection: Connection, certificate_der: bytes) -> Kiosk | None:
    """The desk that shows this certificate, unless it was revoked."""
    row = connection.execute(
        select(kiosk).where(
            kiosk.c.certificate_sha256 == hashlib.sha256(certificate_der).digest(), kiosk.c.revoked == 0
        )
    ).first()
    return None if row is None else Kiosk(row.kiosk_id, row.name)
