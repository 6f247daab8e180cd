"""Whose time stamps count: an operator's provider under another root is believed where it is listed, and only there."""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from counter_server.config import SigningSettings
from counter_server.records.authority import key_usage
from counter_server.records.examination import BrokenError
from counter_server.records.verify_clock import CLOCKS_FILE
from counter_server.records.verify_contract import check_contract
from counter_server.signing.contract import sign_by_staff
from counter_server.signing.errors import SignerGoneError, TimeStampError
from counter_server.signing.examine import examine
from counter_server.signing.signers import HeldKey
from counter_server.signing.time_authority import RemoteTimeAuthority, TimeAuthority
from counter_server.signing.worker import open_desk
from tests.counter_server.signing.contracts import CLERK, EXPECTED, RECORD, Contract, document, hand
from tests.counter_server.signing.public_clock import PublicClock, public_clock
from tests.counter_server.signing.services import served
from tests.counter_server.signing.test_contract_script import SCRIPT

Roots = Sequence[x509.Certificate]
NOW = datetime.now(UTC).replace(microsecond=0)
STAMPING, SIGNING = ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> PublicClock:
    return public_clock(tmp_path_factory.mktemp("provider") / "files")


def stamped_by(contract: Contract, clock: TimeAuthority | RemoteTimeAuthority) -> bytes:
    """The same contract, its hands and itself stamped by another clock."""
    desk = replace(contract.desk, clock=clock, clock_chain=())
    return sign_by_staff(desk, hand(desk, document().pdf), CLERK, datetime.now(UTC))


def ours(contract: Contract, pdf: bytes, roots: Roots) -> str:
    """What our checker says: "" where it believes."""
    try:
        check_contract(pdf, contract.shown.sha256, contract.desk.authority.root, EXPECTED, RECORD, roots)
    except BrokenError as error:
        return str(error)
    return ""


def script(contract: Contract, pdf: bytes, roots: Roots, folder: Path) -> str:
    """What openssl says, asked by the script: its last line."""
    root, path, clocks = folder / "root.pem", folder / "contract.pdf", folder / "clocks.pem"
    root.write_bytes(contract.desk.authority.root.public_bytes(Encoding.PEM))
    path.write_bytes(pdf)
    clocks.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in roots))
    words = ["sh", str(SCRIPT), str(root), str(path), *([str(clocks)] if roots else [])]
    said = subprocess.run(words, capture_output=True, text=True, check=False)
    return said.stdout.replace(str(path), "contract.pdf").splitlines()[-1]


def test_a_provider_under_another_root_is_believed_where_it_is_listed(
    contract: Contract, provider: PublicClock, tmp_path: Path
) -> None:
    listed = x509.load_pem_x509_certificates(provider.root_pem)
    with served(provider) as url:
        pdf = stamped_by(contract, RemoteTimeAuthority(url, listed))
    root = contract.desk.authority.root
    assert ours(contract, pdf, listed) == ""
    assert examine(pdf, root, listed).flaws == ()
    assert script(contract, pdf, listed, tmp_path) == "WHOLE contract.pdf"
    assert "nobody here vouches for" in ours(contract, pdf, ())
    assert examine(pdf, root).flaws
    assert script(contract, pdf, (), tmp_path).startswith("BROKEN")


def test_the_list_counts_alone_and_vouches_for_no_signer(
    contract: Contract, provider: PublicClock, tmp_path: Path
) -> None:
    """Our own clock is not in a provider's list; and who is listed for time is not believed about people."""
    listed = x509.load_pem_x509_certificates(provider.root_pem)
    assert "nobody here vouches for" in ours(contract, contract.countersigned, listed)
    assert script(contract, contract.countersigned, listed, tmp_path).startswith("BROKEN")
    root = contract.desk.authority.root
    with pytest.raises(BrokenError, match="a signer nobody here vouches for"):
        check_contract(contract.countersigned, contract.shown.sha256, listed[0], EXPECTED, RECORD, (root,))


@dataclass(frozen=True)
class Maker:
    """An authority in memory that issues clocks, good ones and others."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def issue(
        self,
        key: ec.EllipticCurvePrivateKey,
        name: str,
        *extensions: tuple[x509.ExtensionType, bool],
        days: tuple[int, int] = (-1, 30),
    ) -> x509.Certificate:
        builder = x509.CertificateBuilder().subject_name(named(name)).issuer_name(self.certificate.subject)
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(NOW + timedelta(days=days[0])).not_valid_after(NOW + timedelta(days=days[1]))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self.key, hashes.SHA256())

    def below(self, name: str, *, authority: bool = True) -> "Maker":
        key = ec.generate_private_key(ec.SECP256R1())
        return Maker(
            key, self.issue(key, name, constraints(authority=authority), (key_usage(authority=authority), True))
        )

    def clock(
        self, *extensions: tuple[x509.ExtensionType, bool], days: tuple[int, int] = (-1, 30), chain: Roots = ()
    ) -> TimeAuthority:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self.issue(key, "Clock", constraints(authority=False), *extensions, days=days)
        return TimeAuthority(HeldKey(key), certificate, chain)


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def constraints(*, authority: bool) -> tuple[x509.ExtensionType, bool]:
    return x509.BasicConstraints(ca=authority, path_length=None), True


def maker(name: str = "Made root") -> Maker:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder().subject_name(named(name)).issuer_name(named(name)).public_key(key.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(NOW - timedelta(days=9)).not_valid_after(NOW + timedelta(days=90))
    )
    for extension, critical in (constraints(authority=True), (key_usage(authority=True), True)):
        builder = builder.add_extension(extension, critical=critical)
    return Maker(key, builder.sign(key, hashes.SHA256()))


GOOD = (x509.ExtendedKeyUsage([STAMPING]), True)


def test_a_clock_below_an_issuer_of_its_own_is_believed_by_root_or_by_issuer(
    contract: Contract, tmp_path: Path
) -> None:
    root = maker()
    issuer = root.below("Made issuer")
    pdf = stamped_by(contract, issuer.clock(GOOD, chain=(issuer.certificate,)))
    for listed in (root.certificate, issuer.certificate):
        assert ours(contract, pdf, (listed,)) == ""
        assert script(contract, pdf, (listed,), tmp_path) == "WHOLE contract.pdf"


@pytest.mark.parametrize(
    ("evil", "why"),
    [
        ("another root of the same name", "nobody here vouches for"),
        ("not critical", "no time stamp authority"),
        ("for code too", "no time stamp authority"),
        ("no purpose", "no time stamp authority"),
        ("expired", "outside its authority's time"),
        ("not yet", "outside its authority's time"),
        ("issued by no authority", "nobody here vouches for"),
    ],
)
def test_an_evil_clock_is_refused_by_us_and_by_openssl(contract: Contract, tmp_path: Path, evil: str, why: str) -> None:
    root = maker()
    clerk = root.below("A clerk", authority=False)
    clocks: dict[str, Callable[[], TimeAuthority]] = {
        "another root of the same name": lambda: maker().clock(GOOD),
        "not critical": lambda: root.clock((x509.ExtendedKeyUsage([STAMPING]), False)),
        "for code too": lambda: root.clock((x509.ExtendedKeyUsage([STAMPING, SIGNING]), True)),
        "no purpose": root.clock,
        "expired": lambda: root.clock(GOOD, days=(-8, -1)),
        "not yet": lambda: root.clock(GOOD, days=(1, 8)),
        "issued by no authority": lambda: clerk.clock(GOOD, chain=(clerk.certificate,)),
    }
    pdf = stamped_by(contract, clocks[evil]())
    assert why in ours(contract, pdf, (root.certificate,))
    assert script(contract, pdf, (root.certificate,), tmp_path).startswith("BROKEN")


def test_a_provider_nobody_listed_is_refused_before_anything_is_signed(
    contract: Contract, provider: PublicClock
) -> None:
    with served(provider) as url, pytest.raises(TimeStampError, match="nobody here vouches for"):
        stamped_by(contract, RemoteTimeAuthority(url, (contract.desk.authority.root,)))


def test_a_list_that_leaves_out_our_own_clock_wants_a_provider(provider: PublicClock, tmp_path: Path) -> None:
    (tmp_path / CLOCKS_FILE).write_bytes(provider.root_pem)
    with pytest.raises(SignerGoneError, match="time_stamp_url is missing"):
        open_desk(tmp_path, SigningSettings())
