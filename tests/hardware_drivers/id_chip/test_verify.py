from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.card_file import PersonalisedCard
from hardware_drivers.id_chip.issuer import KeyKind
from hardware_drivers.id_chip.mrz import MrzKey
from hardware_drivers.id_chip.personalise import Defect
from hardware_drivers.id_chip.signatures import public_key
from hardware_drivers.id_chip.sod import parse_sod
from hardware_drivers.id_chip.trust import TrustStore
from hardware_drivers.id_chip.verify import CheckName, ChipReport, Code, Outcome, verify_evidence
from tests.hardware_drivers.cards import (
    ID_CARD_DATA,
    NOW,
    SPECIMENS_MISSING,
    WEI,
    evidence_of,
    make_card,
    make_issuer,
    seeded,
)

needs_specimens = pytest.mark.skipif(not ID_CARD_DATA.exists(), reason=SPECIMENS_MISSING)
ISSUER = make_issuer()
TRUST = TrustStore.of([ISSUER.csca_der])


def codes(report: ChipReport) -> dict[str, str]:
    """Refusing checks and their reasons."""
    return {refused.name.value: refused.code.value for refused in report.refusals()}


@pytest.mark.parametrize("kind", list(KeyKind))
def test_a_genuine_card_passes_everything_but_what_was_not_asked(kind: KeyKind) -> None:
    issuer = make_issuer(kind)
    report = verify_evidence(evidence_of(make_card(issuer)), TrustStore.of([issuer.csca_der]), NOW, access_key=WEI.key)
    assert report.refusals() == ()
    undecided = {made.name for made in report.checks if made.outcome is not Outcome.PASSED}
    assert undecided == {CheckName.CLONE_PROTECTION, CheckName.SIGNER_NOT_REVOKED}
    assert report.holder is not None
    assert (report.holder.surname, report.holder.given_names) == ("ZHANG", "WEI")
    assert report.holder.date_of_birth == date(1990, 5, 17)
    assert report.holder.date_of_expiry == date(2031, 1, 1)
    assert report.portrait is not None


@pytest.mark.parametrize(
    ("defect", "reason"),
    [
        (Defect.EXPIRED, {"document_not_expired": "expired"}),
        (Defect.FOREIGN_ISSUER, {"signer_certificate_chain": "unknown_issuer"}),
        (Defect.FORGED_SIGNER, {"signer_certificate_chain": "wrong_signature"}),
        (Defect.TAMPERED_DG1, {"dg_hash_1": "hash_mismatch"}),
        (Defect.TAMPERED_DG2, {"dg_hash_2": "hash_mismatch"}),
        (Defect.WRONG_SOD_SIGNATURE, {"sod_signature": "wrong_signature"}),
        (Defect.WRONG_CHECK_DIGIT, {"mrz_check_digits": "wrong_check_digit"}),
        (Defect.HUGE_LENGTH, {"dg_hash_2": "hash_mismatch", "portrait_decodable": "malformed"}),
        (Defect.NO_PORTRAIT, {"portrait_decodable": "malformed"}),
    ],
)
def test_each_defect_is_named_and_nothing_else_is(defect: Defect, reason: dict[str, str]) -> None:
    assert codes(verify_evidence(evidence_of(make_card(ISSUER, defects={defect})), TRUST, NOW)) == reason


def test_every_defect_has_its_test() -> None:
    (marker,) = test_each_defect_is_named_and_nothing_else_is.pytestmark  # type: ignore[attr-defined]
    copies = {Defect.COPIED, Defect.COPIED_MUTE, Defect.SWAPPED_KEYS}  # test_clone_protection.py
    assert {defect for defect, _ in marker.args[1]} == set(Defect) - copies


def test_every_single_bit_of_the_text_counts() -> None:
    evidence = evidence_of(make_card(ISSUER))
    text = evidence.data_groups[1]
    for bit in range(0, len(text) * 8, 3):
        forged = (int.from_bytes(text, "big") ^ 1 << bit).to_bytes(len(text), "big")
        report = verify_evidence(replace(evidence, data_groups={**evidence.data_groups, 1: forged}), TRUST, NOW)
        assert report.check(CheckName.DG_HASH_1).outcome is Outcome.FAILED


def test_no_single_bit_of_the_security_object_can_change_but_for_its_version() -> None:
    evidence = evidence_of(make_card(ISSUER))
    unnoticed = []
    for bit in range(0, len(evidence.ef_sod) * 8, 7):
        forged = (int.from_bytes(evidence.ef_sod, "big") ^ 1 << bit).to_bytes(len(evidence.ef_sod), "big")
        if not verify_evidence(replace(evidence, ef_sod=forged), TRUST, NOW).refusals():
            unnoticed.append(forged)
    assert len(unnoticed) <= 2  # 3 and 1 both are versions of RFC 5652
    for forged in unnoticed:
        assert parse_sod(forged).content == parse_sod(evidence.ef_sod).content


@pytest.mark.parametrize("sod", [b"", b"\x77\x00", b"\x77\x03\x02\x01\x00", bytes(50), b"\x77\x02\x30\x80"])
def test_no_security_object_leaves_nothing_believed(sod: bytes) -> None:
    report = verify_evidence(replace(evidence_of(make_card(ISSUER)), ef_sod=sod), TRUST, NOW)
    assert report.check(CheckName.SOD_PRESENT_AND_PARSED).outcome is Outcome.FAILED
    for name in (CheckName.SOD_SIGNATURE, CheckName.SIGNER_CERTIFICATE_CHAIN, CheckName.DG_HASH_1, CheckName.DG_HASH_2):
        assert report.check(name).outcome is Outcome.NOT_POSSIBLE
        assert report.check(name) in report.refusals()


def test_empty_evidence_is_answered_check_by_check() -> None:
    evidence = replace(evidence_of(make_card(ISSUER)), ef_com=b"", ef_sod=b"", data_groups={})
    report = verify_evidence(evidence, TRUST, NOW)
    assert report.holder is None
    assert report.portrait is None
    assert not [made for made in report.checks if made.outcome is Outcome.PASSED]


def test_a_data_group_nobody_signed_is_refused() -> None:
    evidence = evidence_of(make_card(ISSUER))
    report = verify_evidence(replace(evidence, data_groups={**evidence.data_groups, 11: b"\x6b\x00"}), TRUST, NOW)
    assert codes(report) == {"dg_hash_11": "not_signed"}


@pytest.mark.parametrize("number", [0, 17, -1, 10**6])
def test_a_data_group_that_does_not_exist_is_refused(number: int) -> None:
    evidence = evidence_of(make_card(ISSUER))
    report = verify_evidence(replace(evidence, data_groups={**evidence.data_groups, number: b""}), TRUST, NOW)
    assert codes(report) == {"com_matches_sod": "groups_differ"}


def test_a_missing_portrait_is_refused() -> None:
    evidence = evidence_of(make_card(ISSUER))
    report = verify_evidence(replace(evidence, data_groups={1: evidence.data_groups[1]}), TRUST, NOW)
    assert codes(report) == {"dg_hash_2": "missing", "portrait_decodable": "missing"}


def test_a_table_of_contents_that_hides_a_group_is_refused() -> None:
    com = bytes.fromhex("60135F0104303130375F36063034303030305C0161")
    assert codes(verify_evidence(replace(evidence_of(make_card(ISSUER)), ef_com=com), TRUST, NOW)) == {
        "com_matches_sod": "groups_differ"
    }


def test_a_document_opened_with_another_number_is_refused() -> None:
    key = MrzKey("VC7654321", WEI.date_of_birth, WEI.date_of_expiry)
    assert codes(verify_evidence(evidence_of(make_card(ISSUER)), TRUST, NOW, access_key=key)) == {
        "document_number_matches_access": "other_document"
    }


def test_a_document_is_good_on_its_last_day_and_not_after() -> None:
    evidence = evidence_of(make_card(ISSUER))
    last = datetime(2031, 1, 1, 23, 59, tzinfo=UTC)
    assert verify_evidence(evidence, TRUST, last).check(CheckName.DOCUMENT_NOT_EXPIRED).outcome is Outcome.PASSED
    after = verify_evidence(evidence, TRUST, last + timedelta(minutes=1)).check(CheckName.DOCUMENT_NOT_EXPIRED)
    assert (after.outcome, after.code) == (Outcome.FAILED, Code.EXPIRED)


def test_a_signature_from_the_future_is_refused() -> None:
    report = verify_evidence(evidence_of(make_card(ISSUER)), TRUST, NOW - timedelta(days=1))
    assert codes(report) == {"signer_certificate_valid_at_signing": "not_yet_valid"}


def test_a_document_signer_is_no_authority() -> None:
    assert codes(verify_evidence(evidence_of(make_card(ISSUER)), TrustStore.of([ISSUER.signer_der]), NOW)) == {
        "signer_certificate_chain": "unknown_issuer"
    }


def test_an_empty_trust_store_trusts_nobody() -> None:
    assert codes(verify_evidence(evidence_of(make_card(ISSUER)), TrustStore.of([]), NOW)) == {
        "signer_certificate_chain": "unknown_issuer"
    }


def test_reasons_name_nobody() -> None:
    for defect in Defect:
        for made in verify_evidence(evidence_of(make_card(ISSUER, defects={defect})), TRUST, NOW).checks:
            assert not any(word in made.why for word in ("ZHANG", "WEI", "VC1234567", "900517", "1990"))


@needs_specimens
@pytest.mark.parametrize(
    ("name", "year", "holder", "signed_groups"),
    [
        ("bsi_specimen_2008", 2008, "MUSTERMANN ERIKA", {1, 2, 3, 14}),
        ("nl_specimen_2006", 2007, "MEULENDIJK LOES ALBERTINE", {1, 2, 15}),
    ],
)
def test_specimens_verify_but_for_their_issuer(name: str, year: int, holder: str, signed_groups: set[int]) -> None:
    """Real signatures of other makers; the CSCA behind them was never published."""
    evidence = evidence_of(PersonalisedCard.load(ID_CARD_DATA / name))
    sod = parse_sod(evidence.ef_sod)
    assert set(sod.hashes) == signed_groups
    groups = {n: content for n, content in evidence.data_groups.items() if n in signed_groups}
    report = verify_evidence(replace(evidence, data_groups=groups), TrustStore.of([]), datetime(year, 6, 1, tzinfo=UTC))
    assert set(codes(report)) <= {"signer_certificate_chain"}
    assert report.holder is not None
    assert report.holder.name == holder


@needs_specimens
@pytest.mark.parametrize("name", ["bsi_specimen_2008/EF_SOD.bin", "nl_specimen_2006/ef011D.bin"])
def test_one_flipped_bit_in_a_specimens_hashes_is_noticed(name: str) -> None:
    content = (ID_CARD_DATA / name).read_bytes()
    sod = parse_sod(content)
    at = content.index(sod.content)
    for byte in range(at, at + len(sod.content), 7):
        forged = content[:byte] + bytes((content[byte] ^ 0x10,)) + content[byte + 1 :]
        try:
            assert not parse_sod(forged).signature_holds()
        except MalformedFileError:
            continue


@needs_specimens
def test_every_key_of_the_master_lists_is_usable_and_their_signatures_agree() -> None:
    # research id_card.md §10: every CSCA key is usable, where cryptography alone fails on 19 % of them
    trust = TrustStore.load(ID_CARD_DATA / "master_lists")
    certificates = trust.certificates()
    assert len(certificates) > 600
    for certificate in certificates:
        public_key(certificate["tbs_certificate"]["subject_public_key_info"])  # or MalformedFileError
    known = sum(trust.check(certificate) == "trusted" for certificate in certificates)
    assert known / len(certificates) > 0.97


def test_a_folder_of_certificates_is_loaded_and_a_stray_one_named(tmp_path: Path) -> None:
    (tmp_path / "utopia.der").write_bytes(ISSUER.csca_der)
    (tmp_path / "readme.txt").write_text("not a certificate")
    assert len(TrustStore.load(tmp_path)) == 1
    (tmp_path / "broken.cer").write_bytes(b"\x30\x03\x02\x01")
    with pytest.raises(MalformedFileError, match=r"broken\.cer"):
        TrustStore.load(tmp_path)


def test_renewed_authorities_of_one_name_are_all_tried() -> None:
    older = make_issuer(seed=21)
    trust = TrustStore.of([older.csca_der, ISSUER.csca_der])
    assert verify_evidence(evidence_of(make_card(ISSUER)), trust, NOW).refusals() == ()
    assert verify_evidence(evidence_of(make_card(older)), trust, NOW).refusals() == ()


def test_mutated_security_objects_never_escape_the_error_family() -> None:
    evidence = evidence_of(make_card(ISSUER))
    rng = seeded(5)
    for _ in range(400):
        mutated = bytearray(evidence.ef_sod)
        for at, value in zip(rng(8)[::2], rng(8)[::2], strict=True):
            mutated[at * len(mutated) // 256] = value
        verify_evidence(replace(evidence, ef_sod=bytes(mutated)), TRUST, NOW)
