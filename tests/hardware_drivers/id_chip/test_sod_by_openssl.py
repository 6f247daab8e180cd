"""Security objects and master lists that another program signed: openssl's cms command, in all algorithms in use."""

import hashlib
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import core

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.checks import Check, Outcome
from hardware_drivers.id_chip.master_list import LIST_SIGNING, MASTER_LIST, ListSigner
from hardware_drivers.id_chip.sod import SECURITY_OBJECT, parse_sod
from hardware_drivers.id_chip.sod_report import sod_report
from hardware_drivers.id_chip.trust import TrustStore
from tests.hardware_drivers.cards import ID_CARD_DATA, SPECIMENS_MISSING, evidence_of, make_card

GROUPS = evidence_of(make_card()).data_groups
KEYS = {
    "rsa": ["rsa:2048"],
    "P-256": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "P-521": ["ec", "-pkeyopt", "ec_paramgen_curve:P-521"],
    "secp224r1": ["ec", "-pkeyopt", "ec_paramgen_curve:secp224r1"],
    "explicit": ["ec", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1", "-pkeyopt", "ec_param_enc:explicit"],
    "brainpoolP320r1": ["ec", "-pkeyopt", "ec_paramgen_curve:brainpoolP320r1"],
    "brainpoolP384t1": ["ec", "-pkeyopt", "ec_paramgen_curve:brainpoolP384t1"],
}
PSS = ["-keyopt", "rsa_padding_mode:pss"]


def openssl(folder: Path, *words: str, content: bytes = b"") -> bytes:
    command = ["openssl", *words]
    return subprocess.run(command, cwd=folder, input=content, check=True, capture_output=True).stdout


def state(folder: Path, kind: str, digest: str = "sha256") -> bytes:
    """An authority and a signer in the folder; the authority's certificate in DER."""
    subject = ["-subj", "/C=UT/CN=CSCA"]
    new = ["req", "-newkey", *KEYS[kind], "-nodes"]
    openssl(folder, *new, "-x509", *subject, f"-{digest}", "-keyout", "a.key", "-out", "a.pem")
    openssl(folder, *new, "-subj", "/C=UT/CN=Signer", "-keyout", "s.key", "-out", "s.csr")
    (folder / "s.ext").write_text(f"subjectKeyIdentifier = hash\nextendedKeyUsage = {LIST_SIGNING}\n")
    signing = ["-CA", "a.pem", "-CAkey", "a.key", "-CAcreateserial", "-extfile", "s.ext"]
    openssl(folder, "x509", "-req", "-in", "s.csr", *signing, f"-{digest}", "-out", "s.pem")
    return openssl(folder, "x509", "-in", "a.pem", "-outform", "DER")


def security_object(digest: str) -> bytes:
    """LDSSecurityObject, Doc 9303-10 §4.6.2.3, over a card's groups."""
    oids = {"sha1": "1.3.14.3.2.26", "sha224": "2.16.840.1.101.3.4.2.4", "sha256": "2.16.840.1.101.3.4.2.1"}
    oids |= {"sha384": "2.16.840.1.101.3.4.2.2", "sha512": "2.16.840.1.101.3.4.2.3"}
    hashes = b"".join(
        tlv.encode(0x30, tlv.encode(2, bytes((n,))) + tlv.encode(4, hashlib.new(digest, content).digest()))
        for n, content in sorted(GROUPS.items())
    )
    algorithm = tlv.encode(0x30, core.ObjectIdentifier(oids[digest]).dump())
    return tlv.encode(0x30, tlv.encode(2, b"\x00") + algorithm + tlv.encode(0x30, hashes))


def signed(folder: Path, digest: str, *options: str) -> bytes:
    """EF.SOD around openssl's CMS."""
    words = [
        "cms",
        "-sign",
        "-binary",
        "-nodetach",
        "-econtent_type",
        SECURITY_OBJECT,
        "-md",
        digest,
        "-outform",
        "DER",
    ]
    content = security_object(digest)
    return tlv.encode(0x77, openssl(folder, *words, "-signer", "s.pem", "-inkey", "s.key", *options, content=content))


def not_passed(checks: tuple[Check, ...]) -> set[str]:
    return {check.name.value for check in checks if check.outcome is not Outcome.PASSED}


@pytest.mark.parametrize(
    ("kind", "digest", "options"),
    [
        ("rsa", "sha256", []),
        ("rsa", "sha224", []),
        ("rsa", "sha512", []),
        ("rsa", "sha256", PSS),
        ("rsa", "sha384", [*PSS, "-keyopt", "rsa_pss_saltlen:20"]),
        ("P-256", "sha256", []),
        ("P-256", "sha256", ["-keyid"]),
        ("P-256", "sha256", ["-noattr"]),
        ("P-256", "sha256", ["-stream"]),  # BER with indefinite lengths
        ("P-521", "sha512", []),
        ("secp224r1", "sha224", []),
        ("explicit", "sha256", []),
        ("brainpoolP320r1", "sha384", []),
        ("brainpoolP384t1", "sha384", ["-stream"]),
    ],
)
def test_what_openssl_signed_is_verified(tmp_path: Path, kind: str, digest: str, options: list[str]) -> None:
    trust = TrustStore.of([state(tmp_path, kind, "sha256")])
    sod = signed(tmp_path, digest, *options)
    now = datetime.now(UTC)
    undecided = {"signer_not_revoked"}  # there is no list
    assert not_passed(sod_report(sod, GROUPS, trust, now)) == undecided
    forged = {**GROUPS, 1: GROUPS[1][:-1] + b"A"}
    assert not_passed(sod_report(sod, forged, trust, now)) == {*undecided, "dg_hash_1"}
    signature = parse_sod(sod).signed.signer["signature"].native
    assert not parse_sod(sod.replace(signature, signature[:-1] + bytes((signature[-1] ^ 1,)))).signature_holds()


def test_sha_1_is_refused_by_policy_and_verified_all_the_same(tmp_path: Path) -> None:
    trust = TrustStore.of([state(tmp_path, "rsa", "sha1")])
    checks = sod_report(signed(tmp_path, "sha1"), GROUPS, trust, datetime.now(UTC))
    assert not_passed(checks) == {"signer_not_revoked", "algorithms_accepted"}


def test_two_signers_are_refused(tmp_path: Path) -> None:
    state(tmp_path, "P-256")
    twice = signed(tmp_path, "sha256", "-signer", "a.pem", "-inkey", "a.key")
    with pytest.raises(MalformedFileError, match="2 signers"):
        parse_sod(twice)


def master_list(
    folder: Path, *entries: bytes, options: tuple[str, ...] = ("-signer", "s.pem", "-inkey", "s.key")
) -> Path:
    """A list of these entries beside the authority's own certificate, in a folder of its own."""
    own = openssl(folder, "x509", "-in", "a.pem", "-outform", "DER")
    content = tlv.encode(0x30, tlv.encode(2, b"\x00") + tlv.encode(0x31, b"".join((own, *entries))))
    words = ["cms", "-sign", "-binary", "-nodetach", "-econtent_type", MASTER_LIST, "-md", "sha256", "-outform", "DER"]
    (folder / "trust").mkdir()
    (folder / "trust/utopia.ml").write_bytes(openssl(folder, *words, *options, content=content))
    return folder / "trust"


@pytest.mark.parametrize("stream", [[], ["-stream"], ["-outform", "PEM"]])
def test_a_list_that_openssl_signed_is_taken(tmp_path: Path, stream: list[str]) -> None:
    state(tmp_path, "explicit")
    folder = master_list(tmp_path, options=("-signer", "s.pem", "-inkey", "s.key", *stream))
    (report,) = TrustStore.load(folder).lists
    assert (report.certificates, report.unreadable, report.signer, report.objection) == (1, 0, ListSigner.OWN_CSCA, "")


def test_an_entry_that_is_no_certificate_costs_only_itself(tmp_path: Path) -> None:
    other = state(tmp_path, "P-256")
    state(tmp_path, "rsa")
    trust = TrustStore.load(master_list(tmp_path, other, tlv.encode(0x30, b"\x02\x01\x00"), b"\x04\x00"))
    assert len(trust) == 2
    assert (trust.lists[0].certificates, trust.lists[0].unreadable) == (4, 2)


def test_a_list_signed_for_another_purpose_is_taken_with_an_objection(tmp_path: Path) -> None:
    state(tmp_path, "P-256")
    (report,) = TrustStore.load(master_list(tmp_path, options=("-signer", "a.pem", "-inkey", "a.key"))).lists
    assert report.objection == "its signer is not certified to sign master lists"


def test_a_list_of_a_stranger_says_so(tmp_path: Path) -> None:
    state(tmp_path, "P-256")
    (tmp_path / "own.pem").write_bytes((tmp_path / "a.pem").read_bytes())
    state(tmp_path, "rsa")
    (tmp_path / "a.pem").write_bytes((tmp_path / "own.pem").read_bytes())
    (report,) = TrustStore.load(master_list(tmp_path)).lists
    assert report.signer is ListSigner.UNKNOWN


@pytest.mark.skipif(not ID_CARD_DATA.exists(), reason=SPECIMENS_MISSING)
@pytest.mark.parametrize("name", ["bsi_specimen_2008/EF_SOD.bin", "nl_specimen_2006/ef011D.bin"])
def test_openssl_agrees_on_the_specimens(tmp_path: Path, name: str) -> None:
    content = (ID_CARD_DATA / name).read_bytes()
    (tmp_path / "sod.der").write_bytes(tlv.only(content, 0x77))
    said = openssl(tmp_path, "cms", "-verify", "-noverify", "-inform", "DER", "-in", "sod.der")
    assert said == parse_sod(content).content
    assert parse_sod(content).signature_holds()
