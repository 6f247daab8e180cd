"""Read and judge: which card proves what, and what each lie is called."""

from dataclasses import replace

import pytest

from hardware_drivers.id_chip.card_protection import (
    ActiveAuthenticationKind,
    ChipAuthenticationKind,
    PaceKind,
    Protection,
)
from hardware_drivers.id_chip.chip_auth import CounterTerminal
from hardware_drivers.id_chip.evidence import ChipEvidence
from hardware_drivers.id_chip.pace_password import PacePassword
from hardware_drivers.id_chip.personalise import Defect
from hardware_drivers.id_chip.read import read_chip
from hardware_drivers.id_chip.trust import TrustStore
from hardware_drivers.id_chip.verify import CheckName, Code, Outcome, verify_evidence
from hardware_drivers.smartcard.apdu import Command, Response
from tests.hardware_drivers.cards import (
    CHALLENGE,
    NOW,
    WEI,
    DirectLink,
    link_to,
    make_card,
    make_chip,
    make_issuer,
    seeded,
)

ISSUER = make_issuer()
TRUST = TrustStore.of([ISSUER.csca_der])
CA, ECDSA = ChipAuthenticationKind.ECDH_AES128, ActiveAuthenticationKind.ECDSA
ALL = Protection(PaceKind.CHIP_AUTHENTICATION, chip=CA, active=ECDSA)


def read(
    protection: Protection, *defects: Defect, counter: CounterTerminal | None = None, extended: bool = True
) -> ChipEvidence:
    card = make_card(ISSUER, protection=protection, defects=defects)
    link = link_to(make_chip(card, extended=extended))
    offer = None if counter is None else counter.offer
    return read_chip(link, card.key, CHALLENGE, seeded(), lambda _: None, offer=offer)


def judged(
    evidence: ChipEvidence, challenge: bytes | None = CHALLENGE, *, own: bool = False, secret: bytes | None = None
) -> tuple[Outcome, Code]:
    report = verify_evidence(
        evidence, TRUST, NOW, access_key=WEI.key, challenge=challenge, own_terminal=own, counter_secret=secret
    )
    check = report.check(CheckName.CLONE_PROTECTION)
    return check.outcome, check.code


PASSED = (Outcome.PASSED, Code.OK)
VOUCHED = (Outcome.NOT_POSSIBLE, Code.TERMINAL_VOUCHES)


@pytest.mark.parametrize("active", list(ActiveAuthenticationKind))
@pytest.mark.parametrize("extended", [True, False])
def test_active_authentication_convinces_from_afar(active: ActiveAuthenticationKind, extended: bool) -> None:
    evidence = read(Protection(active=active), extended=extended)
    assert judged(evidence) == PASSED
    assert judged(evidence, None) == (Outcome.NOT_POSSIBLE, Code.NOT_PROVEN)
    assert judged(evidence, b"otherone") == (Outcome.FAILED, Code.CHALLENGE_DIFFERS)


def test_chip_authentication_by_the_terminal_is_the_terminals_word() -> None:
    evidence = read(Protection(chip=CA))
    assert judged(evidence) == VOUCHED
    assert judged(evidence, own=True) == PASSED
    assert judged(evidence, b"otherone") == (Outcome.FAILED, Code.CHALLENGE_DIFFERS)


def test_chip_authentication_by_the_counter_convinces_it() -> None:
    counter = CounterTerminal.create(seeded(4))
    evidence = read(Protection(chip=CA, active=ECDSA), counter=counter)
    assert evidence.active_authentication is None  # one proof is enough
    assert judged(evidence, secret=counter.secret) == PASSED
    other = CounterTerminal.create(seeded(5))
    assert judged(evidence, secret=other.secret) == (Outcome.FAILED, Code.CHALLENGE_DIFFERS)


@pytest.mark.parametrize("refusal", ["no offer", "refused", "broken off"])
def test_where_the_counter_cannot_run_it_the_chip_signs(refusal: str) -> None:
    card = make_card(ISSUER, protection=Protection(chip=CA, active=ECDSA))
    chip = make_chip(card)
    answer, inside = chip.answer, chip._answer_inside
    set_template = [False]

    def refuse(command: Command) -> Response:
        set_template[0] = (command.ins, command.p1, command.p2) == (0x22, 0x41, 0xA4) and refusal != "no offer"
        return Response(b"", 0x6A88) if set_template[0] else inside(command)

    def break_off(raw: bytes) -> bytes:
        set_template[0] = False
        said = answer(raw)
        return bytes.fromhex("6985") if set_template[0] and refusal == "broken off" else said

    chip._answer_inside = refuse  # type: ignore[method-assign]
    link = DirectLink(break_off, chip.atr)
    counter = CounterTerminal.create(seeded(4))
    offer = counter.offer if refusal != "no offer" else lambda _: None
    evidence = read_chip(link, card.key, CHALLENGE, seeded(), lambda _: None, offer=offer)
    assert set(evidence.data_groups) == {1, 2, 14, 15}
    assert judged(evidence, secret=counter.secret) == PASSED


def test_a_dg14_that_nobody_signed_is_left_out() -> None:
    protected = make_card(ISSUER, protection=Protection(PaceKind.GENERIC, chip=CA))
    plain = make_card(ISSUER)
    files = {**plain.files, 0x010E: protected.files[0x010E]}
    card = replace(protected, files=files)
    evidence = read_chip(link_to(make_chip(card)), card.key, CHALLENGE, seeded(), lambda _: None)
    assert set(evidence.data_groups) == {1, 2}
    assert verify_evidence(evidence, TRUST, NOW, challenge=CHALLENGE).refusals() == ()


@pytest.mark.parametrize("chip", [None, CA])
def test_mapping_with_chip_authentication_is_the_terminals_word_too(chip: ChipAuthenticationKind | None) -> None:
    evidence = read(Protection(PaceKind.CHIP_AUTHENTICATION, chip=chip))
    assert evidence.access == "PACE"
    assert evidence.mapping is not None
    assert judged(evidence) == VOUCHED
    assert judged(evidence, own=True) == PASSED


def test_a_document_without_protection_says_so() -> None:
    assert judged(read(Protection())) == (Outcome.NOT_POSSIBLE, Code.NOT_OFFERED)


@pytest.mark.parametrize(
    ("protection", "defect", "code"),
    [
        (Protection(active=ECDSA), Defect.COPIED, Code.AA_SIGNATURE_WRONG),
        (Protection(active=ActiveAuthenticationKind.RSA_SHA256), Defect.COPIED, Code.AA_SIGNATURE_WRONG),
        (Protection(chip=CA), Defect.COPIED, Code.CA_FAILED),
        (Protection(chip=ChipAuthenticationKind.DH_3DES), Defect.COPIED, Code.CA_FAILED),
        (Protection(chip=ChipAuthenticationKind.ECDH_AES128_V2), Defect.COPIED, Code.CA_FAILED),
        (Protection(PaceKind.CHIP_AUTHENTICATION), Defect.COPIED, Code.CAM_FAILED),
        (ALL, Defect.COPIED, Code.AA_SIGNATURE_WRONG),
        (Protection(active=ECDSA), Defect.COPIED_MUTE, Code.PROOF_WITHHELD),
        (Protection(chip=CA), Defect.COPIED_MUTE, Code.PROOF_WITHHELD),
        (Protection(chip=CA), Defect.SWAPPED_KEYS, Code.DG14_MISMATCH),
        (Protection(active=ActiveAuthenticationKind.RSA_SHA1), Defect.SWAPPED_KEYS, Code.DG15_MISMATCH),
    ],
)
def test_a_copy_is_found_out_and_called_by_its_name(protection: Protection, defect: Defect, code: Code) -> None:
    evidence = read(protection, defect)
    assert evidence.data_groups[2]  # it is read to the end all the same, so that a clerk sees what it claims
    assert judged(evidence) == judged(evidence, own=True) == (Outcome.FAILED, code)
    report = verify_evidence(evidence, TRUST, NOW, challenge=CHALLENGE)
    assert CheckName.CLONE_PROTECTION in {refused.name for refused in report.refusals()}


@pytest.mark.parametrize("defect", [Defect.COPIED, Defect.COPIED_MUTE])
def test_a_copy_does_not_survive_the_counters_run(defect: Defect) -> None:
    counter = CounterTerminal.create(seeded(4))
    outcome, code = judged(read(Protection(chip=CA), defect, counter=counter), secret=counter.secret)
    assert outcome is Outcome.FAILED
    assert code in (Code.CA_FAILED, Code.PROOF_WITHHELD)


def test_a_lying_kiosk_cannot_leave_the_proof_out() -> None:
    evidence = replace(read(Protection(active=ECDSA)), active_authentication=None)
    assert judged(evidence) == (Outcome.FAILED, Code.PROOF_WITHHELD)
    without_key = {number: content for number, content in evidence.data_groups.items() if number != 15}
    assert judged(replace(evidence, data_groups=without_key)) == (Outcome.FAILED, Code.PROOF_WITHHELD)
    chip = read(Protection(chip=CA))
    without_key = {number: content for number, content in chip.data_groups.items() if number != 14}
    lied = replace(chip, data_groups=without_key, chip_authentication=None)
    assert judged(lied) == (Outcome.FAILED, Code.PROOF_WITHHELD)


@pytest.mark.parametrize("kind", list(PaceKind))
@pytest.mark.parametrize("by_can", [False, True])
def test_a_chip_with_pace_is_opened_by_it(kind: PaceKind, by_can: bool) -> None:
    card = make_card(ISSUER, protection=Protection(kind, chip=CA, active=ECDSA), with_details=True)
    access = PacePassword.can("123456") if by_can else card.key
    evidence = read_chip(link_to(make_chip(card)), access, CHALLENGE, seeded(), lambda _: None)
    assert evidence.access == "PACE"
    assert set(evidence.data_groups) == {1, 2, 11, 14, 15}
    report = verify_evidence(evidence, TRUST, NOW, challenge=CHALLENGE)
    assert report.refusals() == ()
    assert report.check(CheckName.CARD_ACCESS_MATCHES_DG14).outcome is Outcome.PASSED


def test_a_better_way_taken_out_of_the_offer_is_noticed() -> None:
    evidence = read(Protection(PaceKind.CHIP_AUTHENTICATION))
    generic = read(Protection(PaceKind.GENERIC)).ef_card_access
    report = verify_evidence(replace(evidence, ef_card_access=generic), TRUST, NOW)
    assert report.check(CheckName.CARD_ACCESS_MATCHES_DG14).outcome is Outcome.FAILED
