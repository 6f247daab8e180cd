from datetime import date, timedelta
from pathlib import Path

import pytest

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.card_protection import ChipAuthenticationKind, PaceKind, Protection
from hardware_drivers.id_chip.cv_certificate import CvCertificate, ReadRight, Role, chain_to
from hardware_drivers.id_chip.evidence import ChipEvidence
from hardware_drivers.id_chip.inspection_issuer import InspectionIssuer
from hardware_drivers.id_chip.personalise import Defect
from hardware_drivers.id_chip.read import read_chip
from hardware_drivers.id_chip.reading import USUAL_GROUPS
from hardware_drivers.id_chip.terminal_auth import TerminalCredential, compressed, parse_cvca, signed_message
from hardware_drivers.id_chip.trust import TrustStore
from hardware_drivers.id_chip.verify import verify_evidence
from tests.hardware_drivers.cards import CHALLENGE, NOW, link_to, make_card, make_chip, make_issuer, seeded
from tests.hardware_drivers.vectors_bsi import example, needs_vectors

STATE = InspectionIssuer.create(seeded(11), NOW)
CHIP = ChipAuthenticationKind.ECDH_AES128


def certificate(name: str) -> CvCertificate:
    # eactest.c carries a stray byte 19 behind the holder's name in two of its certificates: their lengths and their
    # signatures hold without it
    return CvCertificate.parse(example(name).replace(b"019\x19", b"019"))


def chain(family: str) -> list[CvCertificate]:
    names = {"ecdh": "tc_ecdh_cvca_cert", "dh": "tc_dh_cvca"}
    return [certificate(name) for name in (names[family], f"tc_{family}_dv_cert", f"tc_{family}_ta_cert")]


@needs_vectors
@pytest.mark.parametrize("family", ["ecdh", "dh"])
def test_the_bsis_chain_holds_from_authority_to_terminal(family: str) -> None:
    authority, verifier, terminal = chain(family)
    assert [one.role for one in (authority, verifier, terminal)] == [
        Role.AUTHORITY,
        Role.DOMESTIC_VERIFIER,
        Role.TERMINAL,
    ] or verifier.role is Role.DOMESTIC_VERIFIER
    key = authority.public_key
    assert key.verifies(authority.signature, authority.body)
    assert key.verifies(verifier.signature, verifier.body)
    assert verifier.public_key.with_curve_of(key).verifies(terminal.signature, terminal.body)
    assert not key.verifies(terminal.signature, terminal.body)
    assert chain_to(authority.holder, terminal, (verifier, authority)) == [verifier, terminal]
    assert chain_to(b"DEOTHER00001", terminal, (verifier, authority)) is None


@needs_vectors
@pytest.mark.parametrize("family", ["ecdh", "dh"])
def test_the_bsis_terminal_signs_what_is_signed_here(family: str) -> None:
    certificates = chain(family)
    credential = TerminalCredential.of(certificates, example(f"tc_{family}_ta_pcd_key"))
    assert credential.terminal is certificates[2]
    message = signed_message(
        compressed(example(f"tc_{family}_picc_pub_key"), elliptic=family == "ecdh"),
        example(f"tc_{family}_ta_nonce"),
        compressed(example(f"tc_{family}_ca_pcd_pub_key"), elliptic=family == "ecdh"),
    )
    published = example(f"tc_{family}_ta_pcd_signature")
    key = certificates[2].public_key.with_curve_of(certificates[0].public_key)
    assert key.verifies(published, message)
    ours = credential.sign(message)
    assert key.verifies(ours, message)
    assert (ours == published) is (family == "dh")  # ECDSA draws a fresh number, RSA does not
    assert not key.verifies(published, message + b"\x00")


def read(
    credential: TerminalCredential | None,
    pace: PaceKind | None = None,
    chip: ChipAuthenticationKind | None = CHIP,
    *,
    extended: bool = True,
) -> tuple[ChipEvidence, bytes]:
    protection = Protection(pace, chip=chip, inspection_authority=STATE.authority)
    card = make_card(protection=protection)
    evidence = read_chip(
        link_to(make_chip(card, extended=extended)),
        card.key,
        CHALLENGE,
        seeded(),
        lambda _: None,
        groups=USUAL_GROUPS | {3},
        credential=credential,
    )
    report = verify_evidence(evidence, TrustStore.of([make_issuer().csca_der]), NOW)
    assert report.refusals() == ()
    return evidence, card.files[0x0103]


@pytest.mark.parametrize("pace", [None, *PaceKind])
@pytest.mark.parametrize("chip", [CHIP, ChipAuthenticationKind.DH_3DES])
def test_a_certified_terminal_reads_fingerprints(pace: PaceKind | None, chip: ChipAuthenticationKind) -> None:
    evidence, dg3 = read(STATE.credential(), pace, chip)
    assert evidence.data_groups[3] == dg3
    assert evidence.not_permitted == ()


@pytest.mark.parametrize("pace", [None, PaceKind.GENERIC])
def test_certificates_reach_a_chip_that_takes_only_short_commands(pace: PaceKind | None) -> None:
    evidence, dg3 = read(STATE.credential(), pace, extended=False)
    assert evidence.data_groups[3] == dg3


STRANGER = InspectionIssuer.create(seeded(12), NOW, country="XX")
OUTDATED = InspectionIssuer.create(seeded(11), NOW - timedelta(days=400))
WITHOUT_RIGHT = InspectionIssuer.create(seeded(11), NOW, rights=ReadRight.DG4)


@pytest.mark.parametrize(
    "credential",
    [None, STRANGER.credential(), OUTDATED.credential(), WITHOUT_RIGHT.credential()],
    ids=["none", "another state's", "outdated", "without the right"],
)
def test_without_a_right_fingerprints_are_not_permitted_and_everything_else_is_read(
    credential: TerminalCredential | None,
) -> None:
    evidence, _ = read(credential)
    assert 3 not in evidence.data_groups
    assert evidence.not_permitted == (3,)
    assert {1, 2, 14} <= set(evidence.data_groups)


def test_terminal_authentication_needs_chip_authentication_before_it() -> None:
    evidence, _ = read(STATE.credential(), chip=None)
    assert evidence.not_permitted == (3,)


def test_fingerprints_that_nobody_asked_for_are_left_alone() -> None:
    card = make_card(protection=Protection(chip=CHIP, inspection_authority=STATE.authority))
    evidence = read_chip(
        link_to(make_chip(card)), card.key, CHALLENGE, seeded(), lambda _: None, credential=STATE.credential()
    )
    assert 3 not in evidence.data_groups
    assert evidence.not_permitted == ()


def test_a_copy_is_not_shown_our_certificates() -> None:
    card = make_card(
        protection=Protection(chip=CHIP, inspection_authority=STATE.authority), defects={Defect.COPIED_MUTE}
    )
    link = link_to(make_chip(card))
    evidence = read_chip(
        link, card.key, CHALLENGE, seeded(), lambda _: None, groups={1, 2, 3}, credential=STATE.credential()
    )
    assert evidence.not_permitted == (3,)


def test_a_credential_is_kept_in_a_folder(tmp_path: Path) -> None:
    STATE.save(tmp_path)
    assert (tmp_path / "terminal.pkcs8").stat().st_mode & 0o077 == 0
    loaded = TerminalCredential.load(tmp_path)
    assert loaded.terminal == STATE.credential().terminal
    assert "PrivateKey" not in repr(loaded)
    (tmp_path / "terminal.pkcs8").write_bytes(STRANGER.terminal_key)
    with pytest.raises(MalformedFileError):
        TerminalCredential.load(tmp_path)
    (tmp_path / "terminal.pkcs8").unlink()
    with pytest.raises(MalformedFileError):
        TerminalCredential.load(tmp_path)


def test_no_changed_bit_of_a_certificate_is_accepted() -> None:
    authority = CvCertificate.parse(STATE.authority)
    whole = STATE.verifier
    for bit in range(0, len(whole) * 8, 29):
        changed = (int.from_bytes(whole, "big") ^ 1 << bit).to_bytes(len(whole), "big")
        try:
            parsed = CvCertificate.parse(changed)
        except MalformedFileError:
            continue
        assert not authority.public_key.verifies(parsed.signature, parsed.body)


def test_dates_are_six_digits() -> None:
    terminal = CvCertificate.parse(STATE.terminal)
    assert terminal.effective == date(2026, 11, 20)
    assert terminal.expires == date(2026, 12, 21)
    assert (terminal.role, terminal.rights) == (Role.TERMINAL, ReadRight.DG3)


@pytest.mark.parametrize("content", [b"", bytes(36), b"\x43\x01A" + bytes(33), b"\x42\x20" + bytes(34)])
def test_an_ef_cvca_that_names_nobody_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedFileError):
        parse_cvca(content)
