"""Who vouches for the people who sign: the counter's own authority for contracts, and what it issues.

Customers get a certificate for one signature: the key is made, used and forgotten within a second, the certificate
ends the same day, and it says for which record and on which evidence it was issued. Clerks keep their key, in the
same key ring as the authority's. All of it hangs on one root that every record carries and the manifest commits to.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from counter_server.records.authority import key_usage
from counter_server.records.durable import PUBLIC_FILE, make_folder, replace_file, write_once
from counter_server.records.errors import KeyFileError
from counter_server.records.verify_contract import act_name, evidence_name, record_name
from counter_server.signing.signers import HeldKey, KeyRing, Signer, SignerKey, hash_name, locked

ROOT_FILE = "contract-root.pem"
CERTIFICATES = "signers"
ROOT_YEARS, ONCE, TIME = 20, timedelta(hours=24), timedelta(days=1000)
RENEW_BEFORE = timedelta(days=10)
# RFC 5280 §5.1.2.5: a list is made anew for every signature, so this only says how long an old one may be believed
LIST_LIFE = timedelta(days=7)
CLOCK_SLACK = timedelta(minutes=5)  # between this machine and the time stamp authority
AUTHORITY, CLOCK = "contract-authority", "time-stamps"
LONGEST_NAME = 64  # RFC 5280 appendix A.1, ub-common-name


@dataclass(frozen=True, slots=True, repr=False)
class Certified:
    """A signer and the certificate that says whose it is."""

    signer: Signer
    certificate: x509.Certificate


@dataclass(frozen=True, slots=True)
class Act:
    """What is being signed: whose hand, in which record, after which evidence.

    `actor` is "holder" or a clerk's identifier; `name` is printed in the certificate.
    """

    record_id: str
    role: str
    actor: str
    name: str
    evidence_sha256: str


class ContractAuthority:
    """The authority of one installation; its files lie in `folder`, its keys in the ring."""

    def __init__(self, folder: Path, ring: KeyRing, now: datetime) -> None:
        make_folder(folder)
        self._folder, self._ring = folder, ring
        self._signer = ring.signer(AUTHORITY)
        self._key = SignerKey(self._signer)
        path = folder / ROOT_FILE
        if not path.exists():
            with locked(folder):
                write_once(path, self._make_root(now).public_bytes(Encoding.PEM), PUBLIC_FILE)
        self.root = _load(path)
        if self.root.public_key() != self._signer.public_key:
            raise KeyFileError(f"{ROOT_FILE} is not the certificate of the authority's key")

    def for_once(self, act: Act, now: datetime) -> Certified:
        """A key in memory and its certificate, for one act; whoever drops it has destroyed the key."""
        key = HeldKey(ec.generate_private_key(ec.SECP256R1()))
        return Certified(key, self._issue(key, act.name or act.actor, now, ONCE, act=act))

    def for_staff(self, act: Act, now: datetime) -> Certified:
        """The kept key of somebody who works here, with a certificate for this act."""
        signer = self._ring.signer(f"staff-{act.actor}")
        return Certified(signer, self._issue(signer, act.name or act.actor, now, ONCE, act=act))

    def for_clock(self, now: datetime) -> Certified:
        """The small time stamp authority's key; its certificate is renewed before it ends."""
        signer = self._ring.signer(CLOCK)
        folder = self._folder / CERTIFICATES
        make_folder(folder)
        path = folder / f"{CLOCK}.crt"
        with locked(folder):
            if not path.exists() or _is_old(_load(path), signer, self.root, now):
                made = self._issue(signer, "Visual Counter time stamps", now, TIME, act=None)
                replace_file(path, made.public_bytes(Encoding.PEM), PUBLIC_FILE)
        return Certified(signer, _load(path))

    def revocation_list(self, now: datetime) -> x509.CertificateRevocationList:
        """The list of what was revoked, as of now. One-shot certificates end before anybody could revoke them."""
        number = int(now.timestamp() * 1000)  # rises, also over a restart (RFC 5280 §5.2.3)
        return (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.root.subject)
            .last_update(_whole(now) - CLOCK_SLACK)
            .next_update(_whole(now) + LIST_LIFE)
            .add_extension(x509.CRLNumber(number), critical=False)
            .add_extension(_issuer_key(self.root), critical=False)
            .sign(self._key, _hash(self._signer))
        )

    def _make_root(self, now: datetime) -> x509.Certificate:
        name = _name("Visual Counter contracts root")
        key = self._signer.public_key
        builder = _builder(name, name, key, now, timedelta(days=365 * ROOT_YEARS))
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        return builder.add_extension(key_usage(authority=True), critical=True).sign(self._key, _hash(self._signer))

    def _issue(
        self, signer: Signer, common: str, now: datetime, life: timedelta, *, act: Act | None
    ) -> x509.Certificate:
        builder = _builder(_name(common[:LONGEST_NAME]), self.root.subject, signer.public_key, now, life)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(key_usage(authority=False), critical=True)
        builder = builder.add_extension(_issuer_key(self.root), critical=False)
        if act is None:
            purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])  # RFC 3161 §2.3: alone and critical
            builder = builder.add_extension(purpose, critical=True)
        else:
            says = (
                record_name(act.record_id),
                act_name(act.role, act.actor),
                evidence_name(act.evidence_sha256),
            )
            names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(name) for name in says])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, _hash(self._signer))


def _is_old(certificate: x509.Certificate, signer: Signer, root: x509.Certificate, now: datetime) -> bool:
    others = certificate.public_key() != signer.public_key or certificate.issuer != root.subject
    return others or certificate.not_valid_after_utc - now < RENEW_BEFORE


def _load(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError as error:
        raise KeyFileError(f"{path.name} is damaged") from error


def _hash(signer: Signer) -> hashes.SHA256 | hashes.SHA384:
    return hashes.SHA256() if hash_name(signer.public_key) == "sha256" else hashes.SHA384()


def _whole(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)  # X.509 times have whole seconds


def _issuer_key(root: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    key = root.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)  # noqa: S101 - it was made from a signer's key
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Visual Counter"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    start = _whole(now) - CLOCK_SLACK
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start)
    builder = builder.not_valid_after(start + CLOCK_SLACK + life)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
