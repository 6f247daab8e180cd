import shutil
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.algorithm_policy import AlgorithmPolicy, AlgorithmUse, Role
from hardware_drivers.id_chip.checks import Check, CheckName, Code, Outcome
from hardware_drivers.id_chip.crl import parse_crl
from hardware_drivers.id_chip.issuer import TestIssuer
from hardware_drivers.id_chip.issuing_states import TABLE, signer_countries
from hardware_drivers.id_chip.master_list import ListSigner, parse_master_list
from hardware_drivers.id_chip.signatures import public_key
from hardware_drivers.id_chip.sod_report import sod_report
from hardware_drivers.id_chip.trust import ChainResult, TrustStore
from hardware_drivers.id_chip.trust_index import comparable_name, skim
from tests.hardware_drivers.authorities import KEYS, YEAR, Authority, certificate, named
from tests.hardware_drivers.cards import ID_CARD_DATA, NOW, SPECIMENS_MISSING, evidence_of, make_card

needs_specimens = pytest.mark.skipif(not ID_CARD_DATA.exists(), reason=SPECIMENS_MISSING)
MASTER_LISTS = ID_CARD_DATA / "master_lists"
UTOPIA = Authority.new()


def made(issuer: TestIssuer, trust: TrustStore, name: CheckName, at: datetime = NOW) -> Check:
    """That one check of a card this signer made."""
    evidence = evidence_of(make_card(issuer))
    checks = {check.name: check for check in sod_report(evidence.ef_sod, evidence.data_groups, trust, at)}
    return checks[name]


def verdict(check: Check) -> tuple[str, str]:
    return check.outcome.value, check.code.value


def folder_of(tmp_path: Path, files: Iterable[tuple[str, bytes]]) -> Path:
    for name, content in files:
        (tmp_path / name).write_bytes(content)
    return tmp_path


# --- master lists ---


@needs_specimens
def test_every_key_of_the_given_lists_is_usable_and_their_signatures_agree() -> None:
    # research id_card.md §3: 683 of 692 over nineteen lists; the same nine lack their predecessor on these three
    trust = TrustStore.load(MASTER_LISTS)
    results: Counter[str] = Counter()
    for one in trust.certificates():
        public_key(one["tbs_certificate"]["subject_public_key_info"])  # or MalformedFileError
        results[trust.check(one).value] += 1
    print(f"{len(trust)} CSCA keys usable, {dict(results)}")
    assert len(trust) == 622
    assert results["trusted"] == 613


@needs_specimens
def test_each_given_list_is_signed_by_a_csca_it_lists_itself() -> None:
    reports = TrustStore.load(MASTER_LISTS).lists
    assert {report.name[:2]: report.certificates for report in reports} == {"DE": 577, "NL": 392}
    assert [report.certificates for report in reports] == [557, 577, 392]
    assert {report.signer for report in reports} == {ListSigner.OWN_CSCA}
    assert reports[0].signed_at == "2025-03-05T07:05:28+00:00"


@needs_specimens
def test_a_list_signed_under_the_operators_certificate_says_so(tmp_path: Path) -> None:
    source = MASTER_LISTS / "DE_ML_2025-11-27-07-39-21.ml"
    shutil.copyfile(source, tmp_path / "DE.ml")
    signed = parse_master_list(source.read_bytes()).signed
    (csca,) = signed.others
    (tmp_path / "germany.cer").write_bytes(csca.dump())
    (report,) = TrustStore.load(tmp_path).lists
    assert report.signer is ListSigner.TRUSTED


@needs_specimens
@pytest.mark.parametrize("at", [0.2, 0.5, 0.9])
def test_a_list_changed_after_signing_is_refused_by_name(tmp_path: Path, at: float) -> None:
    content = bytearray((MASTER_LISTS / "NL_ML_2026-02-16.ml").read_bytes())
    content[int(len(content) * at)] ^= 1
    with pytest.raises(MalformedFileError, match=r"NL\.ml"):
        TrustStore.load(folder_of(tmp_path, [("NL.ml", bytes(content))]))


@needs_specimens
def test_what_is_skimmed_is_what_is_parsed() -> None:
    for der in parse_master_list((MASTER_LISTS / "NL_ML_2026-02-16.ml").read_bytes()).certificates:
        skimmed, parsed = skim(der, anchor=True), asn1_x509.Certificate.load(der)
        assert skimmed.key_identifier == parsed.key_identifier
        # asn1crypto folds names its own way (RFC 4518): both must say the same about self-issued
        assert (skimmed.subject == skimmed.issuer) == (parsed.subject.hashable == parsed.issuer.hashable)


def test_names_are_compared_without_string_type_case_or_spaces() -> None:
    printable = asn1_x509.Name.build({"country_name": "UT", "common_name": "CSCA Utopia"}, use_printable=True)
    utf8 = asn1_x509.Name.build({"country_name": "ut", "common_name": "csca   UTOPIA "})
    assert comparable_name(printable.dump()) == comparable_name(utf8.dump())
    other = asn1_x509.Name.build({"country_name": "UT", "common_name": "CSCA Utopia 2"})
    assert comparable_name(printable.dump()) != comparable_name(other.dump())


# --- links ---

SECOND = named("CSCA Utopia 2")
THIRD = named("CSCA Utopia 3")
LINK_2 = UTOPIA.issue(SECOND, KEYS[1], authority=True)
LINK_3 = Authority(SECOND, KEYS[1], b"").issue(THIRD, KEYS[2], authority=True)
SIGNER_OF_THIRD = Authority(THIRD, KEYS[2], b"").signer()


def test_a_successor_is_believed_over_its_links(tmp_path: Path) -> None:
    trust = TrustStore.load(folder_of(tmp_path, [("1.cer", UTOPIA.der), ("2.cer", LINK_2), ("3.cer", LINK_3)]))
    check = made(SIGNER_OF_THIRD, trust, CheckName.SIGNER_CERTIFICATE_CHAIN)
    assert check.outcome is Outcome.PASSED
    assert "2 links" in check.why


@pytest.mark.parametrize("missing", [0, 1])
def test_a_link_without_what_came_before_it_is_not_believed(tmp_path: Path, missing: int) -> None:
    files = [("1.cer", UTOPIA.der), ("2.cer", LINK_2), ("3.cer", LINK_3)]
    del files[missing]
    trust = TrustStore.load(folder_of(tmp_path, files))
    check = made(SIGNER_OF_THIRD, trust, CheckName.SIGNER_CERTIFICATE_CHAIN)
    assert verdict(check) == ("failed", "unknown_issuer")
    assert "predecessors" in check.why


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    back = Authority(THIRD, KEYS[2], b"").issue(SECOND, KEYS[1], authority=True)
    trust = TrustStore.load(folder_of(tmp_path, [("2.cer", back), ("3.cer", LINK_3)]))
    assert made(SIGNER_OF_THIRD, trust, CheckName.SIGNER_CERTIFICATE_CHAIN).code is Code.UNKNOWN_ISSUER


def test_a_renewed_key_under_the_same_name_is_linked_by_its_identifier(tmp_path: Path) -> None:
    link = UTOPIA.issue(UTOPIA.name, KEYS[1], authority=True)
    signer = Authority(UTOPIA.name, KEYS[1], b"").signer()
    trust = TrustStore.load(folder_of(tmp_path, [("old.cer", UTOPIA.der), ("link.cer", link)]))
    assert made(signer, trust, CheckName.SIGNER_CERTIFICATE_CHAIN).outcome is Outcome.PASSED


def test_an_authority_that_says_it_is_none_may_issue_when_its_usage_says_so(tmp_path: Path) -> None:
    # as the CSCA certificates of five states on the German list do
    name = named("CSCA Modesta")
    itself = name, KEYS[1], name, KEYS[1]
    modest = certificate(*itself, since=NOW - YEAR, years=15, authority=True, says_ca=False)
    trust = TrustStore.load(folder_of(tmp_path, [("modest.cer", modest)]))
    signer = Authority(name, KEYS[1], modest).signer()
    assert made(signer, trust, CheckName.SIGNER_CERTIFICATE_CHAIN).outcome is Outcome.PASSED
    no_authority = certificate(*itself, since=NOW - YEAR, years=15, authority=False)
    trust = TrustStore.of([no_authority])
    assert made(signer, trust, CheckName.SIGNER_CERTIFICATE_CHAIN).outcome is Outcome.FAILED


def test_of_two_certificates_of_one_key_the_one_valid_at_the_time_counts() -> None:
    expired = Authority.new(since=NOW - 4 * YEAR, years=2)
    for order in ([expired.der, UTOPIA.der], [UTOPIA.der, expired.der]):
        check = made(SIGNER, TrustStore.of(order), CheckName.ISSUER_VALID_WHEN_ISSUING)
        assert check.outcome is Outcome.PASSED


def test_a_certificate_that_names_two_algorithms_is_unusable() -> None:
    forged = bytearray(UTOPIA.issue(named("Signer"), KEYS[3]))
    ecdsa_sha256 = bytes.fromhex("06082A8648CE3D040302")
    at = bytes(forged).rindex(ecdsa_sha256)
    forged[at + 9] = 0x03  # ecdsa-with-SHA384 outside, SHA-256 inside
    assert TrustStore.of([UTOPIA.der]).check(asn1_x509.Certificate.load(bytes(forged))) is ChainResult.UNUSABLE


def test_a_signature_with_bits_left_over_is_unusable() -> None:
    der = UTOPIA.issue(named("Signer"), KEYS[3])
    at = len(der) - len(asn1_x509.Certificate.load(der)["signature_value"].native) - 1
    assert der[at] == 0
    forged = der[:at] + b"\x02" + der[at + 1 :]
    assert TrustStore.of([UTOPIA.der]).check(asn1_x509.Certificate.load(forged)) is ChainResult.UNUSABLE


# --- revocation ---

SIGNER = UTOPIA.signer()
LONG_AGO = NOW - timedelta(days=20)


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ([], ("not_possible", "no_revocation_list")),
        ([UTOPIA.crl({})], ("passed", "ok")),
        ([UTOPIA.crl({78: LONG_AGO})], ("passed", "ok")),
        ([UTOPIA.crl({77: LONG_AGO})], ("failed", "revoked")),
        ([UTOPIA.crl({77: LONG_AGO}), UTOPIA.crl({}, at=NOW)], ("failed", "revoked")),
        ([UTOPIA.crl({}, at=NOW - YEAR)], ("not_possible", "stale")),
        ([UTOPIA.crl({77: LONG_AGO}, at=NOW - YEAR)], ("failed", "revoked")),
        ([UTOPIA.crl({}, key=KEYS[2])], ("not_possible", "wrong_signature")),
        ([UTOPIA.crl({77: LONG_AGO}, key=KEYS[2])], ("not_possible", "wrong_signature")),
        ([Authority.new("CSCA Elsewhere").crl({77: LONG_AGO})], ("not_possible", "no_revocation_list")),
    ],
)
def test_a_signer_is_held_against_the_lists_of_its_issuer(lists: list[bytes], expected: tuple[str, str]) -> None:
    trust = TrustStore.of([UTOPIA.der], lists)
    assert verdict(made(SIGNER, trust, CheckName.SIGNER_NOT_REVOKED)) == expected


def test_a_revoked_link_takes_what_it_issued_with_it(tmp_path: Path) -> None:
    files = [("1.cer", UTOPIA.der), ("2.cer", LINK_2), ("1.crl", UTOPIA.crl({77: LONG_AGO}))]
    trust = TrustStore.load(folder_of(tmp_path, files))
    check = made(Authority(SECOND, KEYS[1], b"").signer(), trust, CheckName.SIGNER_NOT_REVOKED)
    assert verdict(check) == ("failed", "revoked")


def test_a_list_with_a_critical_extension_we_do_not_know_is_refused() -> None:
    point = x509.IssuingDistributionPoint(None, None, False, True, None, False, False)
    with pytest.raises(MalformedFileError, match="critical"):
        parse_crl(UTOPIA.crl({}, extension=point))


def test_openssl_says_the_same_of_certificates_and_lists(tmp_path: Path) -> None:
    (tmp_path / "csca.pem").write_bytes(pem(UTOPIA.der))
    (tmp_path / "signer.pem").write_bytes(pem(SIGNER.signer_der))
    for revoked in ({}, {77: LONG_AGO}):
        content = UTOPIA.crl(revoked)
        listed = x509.load_der_x509_crl(content).public_bytes(serialization.Encoding.PEM)
        (tmp_path / "list.pem").write_bytes(listed)
        command = ["openssl", "verify", "-crl_check", "-attime", str(int(NOW.timestamp())), "-CRLfile", "list.pem"]
        said = subprocess.run([*command, "-CAfile", "csca.pem", "signer.pem"], cwd=tmp_path, capture_output=True)
        ours = made(SIGNER, TrustStore.of([UTOPIA.der], [content]), CheckName.SIGNER_NOT_REVOKED)
        assert (said.returncode == 0) == (ours.outcome is Outcome.PASSED)
        assert (b"certificate revoked" in said.stderr) == (ours.code is Code.REVOKED)


@pytest.mark.parametrize("curve", ["brainpoolP160r1", "brainpoolP192t1", "brainpoolP224r1", "brainpoolP320t1"])
@pytest.mark.parametrize("encoding", ["named_curve", "explicit"])
def test_authorities_that_openssl_makes_on_rare_curves_are_verified(tmp_path: Path, curve: str, encoding: str) -> None:
    options = ["-pkeyopt", f"ec_paramgen_curve:{curve}", "-pkeyopt", f"ec_param_enc:{encoding}"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", *options, "-nodes", "-keyout", "its.key", "-outform", "DER"]
    subprocess.run([*command, "-subj", "/C=UT/CN=CSCA", "-out", "a.der"], cwd=tmp_path, check=True, capture_output=True)
    der = (tmp_path / "a.der").read_bytes()
    one = asn1_x509.Certificate.load(der)
    assert TrustStore.load(tmp_path).check(one) is ChainResult.TRUSTED
    forged = der[:-1] + bytes((der[-1] ^ 1,))
    assert TrustStore.of([der]).check(asn1_x509.Certificate.load(forged)) is ChainResult.WRONG_SIGNATURE


# --- validity, policy, country ---


@needs_specimens
@pytest.mark.parametrize(
    ("name", "at", "expected"),
    [
        ("nl_specimen_2006/ef011D.bin", "2007-06-01T00:00:00Z", ("passed", "ok")),  # states no signing time
        ("nl_specimen_2006/ef011D.bin", "2000-06-01T00:00:00Z", ("failed", "not_yet_valid")),
        ("nl_specimen_2006/ef011D.bin", "2026-06-01T00:00:00Z", ("not_possible", "expired")),
        ("bsi_specimen_2008/EF_SOD.bin", "2008-06-01T00:00:00Z", ("passed", "ok")),
    ],
)
def test_a_specimens_signer_is_judged_by_its_time(name: str, at: str, expected: tuple[str, str]) -> None:
    checks = sod_report((ID_CARD_DATA / name).read_bytes(), {}, TrustStore.of([]), datetime.fromisoformat(at))
    (check,) = [one for one in checks if one.name is CheckName.SIGNER_CERTIFICATE_VALID_AT_SIGNING]
    assert verdict(check) == expected


@pytest.mark.parametrize(
    ("since", "code"), [(NOW + timedelta(days=40), Code.NOT_YET_VALID), (NOW - 12 * YEAR, Code.EXPIRED)]
)
def test_a_signing_time_outside_the_signers_years_is_refused(since: datetime, code: Code) -> None:
    signer = UTOPIA.signer(since=since)  # valid eleven years; the card it makes says that it was signed now
    check = made(signer, TrustStore.of([UTOPIA.der]), CheckName.SIGNER_CERTIFICATE_VALID_AT_SIGNING)
    assert (check.outcome, check.code) == (Outcome.FAILED, code)


@pytest.mark.parametrize(
    ("issued", "expected"),
    [
        (NOW - timedelta(days=30), ("passed", "ok")),
        (NOW - YEAR, ("passed", "ok")),
        (NOW - YEAR - timedelta(hours=23), ("passed", "ok")),
        (NOW - YEAR - timedelta(days=2), ("failed", "not_yet_valid")),
        (NOW + timedelta(days=740), ("failed", "expired")),
    ],
)
def test_an_authority_must_be_valid_when_it_issues(issued: datetime, expected: tuple[str, str]) -> None:
    short = Authority.new(years=2)
    check = made(short.signer(since=issued), TrustStore.of([short.der]), CheckName.ISSUER_VALID_WHEN_ISSUING)
    assert verdict(check) == expected


def test_a_short_rsa_key_is_refused_with_its_clause() -> None:
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 - weak is what is wanted
    check = made(UTOPIA.signer(weak), TrustStore.of([UTOPIA.der]), CheckName.ALGORITHMS_ACCEPTED)
    assert (verdict(check), check.clause) == (("failed", "weak_algorithm"), "Doc 9303-12 §4.4")


@pytest.mark.parametrize(("since", "refused"), [("2010-01-01", False), ("2019-12-31", False), ("2020-01-01", True)])
def test_sha_1_is_refused_from_the_year_collisions_became_affordable(since: str, refused: bool) -> None:
    use = AlgorithmUse(Role.CONTENT, "sha1", 160, datetime.fromisoformat(since).date())
    assert bool(AlgorithmPolicy.load().objections([use])) is refused


def test_an_operators_own_policy_replaces_ours(tmp_path: Path) -> None:
    table = 'what = "sha256"\nof = ["content"]\nclause = "house rule 1"\nwhy = "too short for us"\n'
    files = [("a.cer", UTOPIA.der), ("algorithm_policy.toml", f"[[refuse]]\n{table}".encode())]
    check = made(SIGNER, TrustStore.load(folder_of(tmp_path, files)), CheckName.ALGORITHMS_ACCEPTED)
    assert (check.code, check.clause, check.why) == (Code.WEAK_ALGORITHM, "house rule 1", "too short for us")


@pytest.mark.parametrize(
    "table", ["", "[[refuse]]\nwhat = 'rsa'", "[[refuse]]\nwhy='a'\nwhat='b'\nof=['x']\nclause=''"]
)
def test_a_policy_that_lacks_a_word_is_refused(tmp_path: Path, table: str) -> None:
    (tmp_path / "policy.toml").write_text(table)
    with pytest.raises(MalformedFileError):
        AlgorithmPolicy.load(tmp_path / "policy.toml")


def test_no_state_may_sign_for_another() -> None:
    atlantis = Authority.new("CSCA Atlantis", country="DE")
    signer = atlantis.signer(country="DE")
    trust = TrustStore.of([atlantis.der])
    assert made(signer, trust, CheckName.SIGNER_CERTIFICATE_CHAIN).outcome is Outcome.PASSED
    assert verdict(made(signer, trust, CheckName.ISSUING_STATE_MATCHES_SIGNER)) == ("failed", "other_state")
    disguised = atlantis.signer(country="UT")
    assert verdict(made(disguised, trust, CheckName.ISSUING_STATE_MATCHES_SIGNER)) == ("failed", "other_state")
    own = made(SIGNER, TrustStore.of([UTOPIA.der]), CheckName.ISSUING_STATE_MATCHES_SIGNER)
    assert own.outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("state", "country"),
    [pair.split() for pair in ("D<< DE", "D DE", "GBD GB", "UNO UN", "XOM XO", "EUE EU", "UTO UT", "CHN CN", "RKS KS")],
)
def test_states_of_the_zone_have_their_two_letters(state: str, country: str) -> None:
    assert country in signer_countries(state)


@pytest.mark.parametrize("state", ["", "<<<", "XXX", "DE", "QQQ"])
def test_what_is_no_state_has_none(state: str) -> None:
    assert signer_countries(state) == ()


@needs_specimens
def test_every_country_on_the_lists_is_a_state_of_the_table() -> None:
    known = {country for state in tomllib.loads(TABLE.read_text()) for country in signer_countries(state)}
    listed = TrustStore.load(MASTER_LISTS).certificates()
    countries = {one.subject.native.get("country_name", "").upper() for one in listed}
    assert countries <= known


# --- whatever anybody may send ---


@given(st.binary(max_size=300))
def test_any_bytes_are_a_certificate_a_list_or_refused(content: bytes) -> None:
    for parse in (lambda der: skim(der, anchor=False), parse_crl, parse_master_list):
        with pytest.raises(MalformedFileError):
            parse(content)


@given(st.integers(0, len(UTOPIA.der) - 1), st.integers(1, 255))
def test_a_changed_certificate_is_refused_or_signs_nothing(at: int, change: int) -> None:
    forged = UTOPIA.der[:at] + bytes((UTOPIA.der[at] ^ change,)) + UTOPIA.der[at + 1 :]
    try:
        trust = TrustStore.of([forged])
    except MalformedFileError:
        return
    trust.check(asn1_x509.Certificate.load(SIGNER.signer_der))  # answers, whatever it is


def pem(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM)
