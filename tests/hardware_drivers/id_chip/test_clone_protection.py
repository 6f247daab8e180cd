"""Read and judge: which card proves what, and what each lie is called."""

from dataclasses import replace

import pytest

from hardware_drivers.errors import CardError
from hardware_drivers.id_chip.card_protection import (
    ActiveAuthenticationKind,
    ChipAuthenticationKind,
    PaceKind,
    Protection,
)
from hardware_drivers.id_chip.chip_auth import CounterTerminal
from hardware_drivers.id_chip.evidence import ChipEvidence
from hardware_drivers.id_chip.pace_password import PacePassword
from hardware_drivers.id_chip.personalise import Defect, _sod
from hardware_drivers.id_chip.read import read_chip
from hardware_drivers.id_chip.simulated_chip import SimulatedChip
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


def test_one_broken_answer_calls_no_document_a_copy() -> None:
    card = make_card(ISSUER, protection=Protection(PaceKind.GENERIC, chip=CA))
    honest = link_to(make_chip(card))
    read_chip(honest, card.key, CHALLENGE, seeded(), lambda _: None)
    for target in range(len(honest.commands)):
        chip, seen = make_chip(card), [0]

        def answer(raw: bytes, chip: SimulatedChip = chip, seen: list[int] = seen, target: int = target) -> bytes:
            said, seen[0] = chip.answer(raw), seen[0] + 1
            return bytes((said[0] ^ 1,)) + said[1:] if seen[0] == target + 1 else said

        try:
            evidence = read_chip(DirectLink(answer, chip.atr), card.key, CHALLENGE, seeded(), lambda _: None)
        except CardError:
            continue
        outcome, code = judged(evidence, own=True)
        assert outcome is not Outcome.FAILED or code is Code.PROOF_WITHHELD


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


EVERY_PROOF = read(ALL)
FIELDS = [
    ("active_authentication", "challenge"),
    ("active_authentication", "signature"),
    ("chip_authentication", "salt"),
    ("chip_authentication", "terminal_public"),
    ("chip_authentication", "answer"),
    ("mapping", "mapping_key"),
    ("mapping", "chip_data"),
]


def changed(proof: str, field: str, content: bytes) -> ChipEvidence:
    """The evidence with one field of one proof replaced."""
    replaced = replace(getattr(EVERY_PROOF, proof), **{field: content})
    return replace(EVERY_PROOF, **{proof: replaced})


@pytest.mark.parametrize(("proof", "field"), FIELDS)
def test_no_changed_proof_passes(proof: str, field: str) -> None:
    assert judged(EVERY_PROOF, own=True) == PASSED
    content: bytes = getattr(getattr(EVERY_PROOF, proof), field)
    covered = len(content) - 2 if field == "answer" else len(content)  # the outer status is nobody's word
    for at in sorted({0, 1, covered // 2, covered - 1}):
        flipped = content[:at] + bytes((content[at] ^ 0x10,)) + content[at + 1 :]
        assert judged(changed(proof, field, flipped), own=True)[0] is Outcome.FAILED
    nothing = [] if field == "salt" else [b""]  # without its salt it is a counter's run, and no counter is asked here
    for garbage in (*nothing, b"\x00", content + b"\x00", content[:-3], bytes(len(content)), b"\xff" * 300):
        assert judged(changed(proof, field, garbage), own=True)[0] is Outcome.FAILED


@pytest.mark.parametrize("number", [14, 15])
def test_keys_that_are_none_are_said_to_be_so(number: int) -> None:
    """Signed nonsense in place of the keys: judged, not crashed over."""
    for content in (b"", b"\x6e\x00", b"\x6f\x00", bytes(40), b"\x6e\x02\x31\x00", b"\x6f\x02\x30\x00"):
        groups = {**EVERY_PROOF.data_groups, number: content}
        sod = _sod(groups, ISSUER)
        outcome, _ = judged(replace(EVERY_PROOF, data_groups=groups, ef_sod=sod))
        assert outcome is Outcome.FAILED
