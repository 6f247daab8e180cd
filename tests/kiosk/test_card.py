"""Reading a card at the desk: a simulated card in a process of its own, over the cable, up to the counter's door."""

import contextlib
import io
import logging
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from PIL import Image

from counter_server.identification.card_finger import finger_in
from counter_server.identification.chip import ChipQuestion, check_chip, evidence_in
from hardware_drivers.errors import CardMuteError, DeviceGoneError, NotAnIdCardError, TamperedAnswerError
from hardware_drivers.id_chip.card_file import PersonalisedCard
from hardware_drivers.id_chip.card_protection import (
    ActiveAuthenticationKind,
    ChipAuthenticationKind,
    PaceKind,
    Protection,
)
from hardware_drivers.id_chip.inspection_issuer import InspectionIssuer
from hardware_drivers.id_chip.issuer import TestIssuer
from hardware_drivers.id_chip.personalise import Person, personalise
from hardware_drivers.id_chip.trust import TrustStore
from hardware_drivers.smartcard.cable import CableReaders
from kiosk.steps.read_card import code_of, read_card
from tests.counter_server.fingers import HOLDERS
from tests.counter_server.fingers import picture as synthetic_picture
from tests.hardware_drivers.id_chip.test_content import finger_record, group
from tests.kiosk.conftest import Desk, running_desk
from tests.kiosk.standin_counter import CHALLENGE
from webrtc.wire.card import CardAccess, ChipEvidenceMessage
from webrtc.wire.check import CheckOutcome
from webrtc.wire.kiosk import CardStep
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import Reason

REPOSITORY = Path(__file__).resolve().parents[2]
NUMBER, BORN, EXPIRES = "VC1234567", date(1990, 5, 17), date(2031, 9, 14)
TYPED = {"document_number": NUMBER, "date_of_birth": str(BORN), "date_of_expiry": str(EXPIRES)}


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A card of a generated person with a grey portrait."""
    picture = io.BytesIO()
    Image.new("RGB", (120, 160), (120, 130, 140)).save(picture, "JPEG")
    issuer = TestIssuer.create(secrets.token_bytes, datetime.now(UTC).replace(microsecond=0))
    person = Person("ZHANG", "WEI", NUMBER, BORN, EXPIRES)
    path = tmp_path_factory.mktemp("card") / "card.json"
    personalise(person, picture.getvalue(), issuer, secrets.token_bytes).save(path)
    return path


@contextlib.contextmanager
def on_reader(desk: Desk, card: Path, *faults: str) -> Iterator[None]:
    """The card's own process, connected to the desk's cable."""
    words = [sys.executable, "-m", "hardware_drivers.smartcard.simulated"]
    process = subprocess.Popen([*words, "--port", str(desk.readers.port), "--card", str(card), *faults], cwd=REPOSITORY)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def test_the_files_of_the_chip_reach_the_counter_as_they_are(desk: Desk, card: Path) -> None:
    desk.heard.answer_status, desk.heard.answer = 409, b'{"code": "wrong_step", "message": "no"}'
    with on_reader(desk, card):
        answer = desk.page.post("/api/visits/v1/card", json=TYPED, headers={"authorization": "Bearer t"})
    method, path, headers, body = desk.heard.requests[-1]
    assert (method, path, headers["authorization"]) == ("POST", "/api/visits/v1/chip-evidence", "Bearer t")
    evidence = ChipEvidenceMessage.model_validate_json(body)
    stored = PersonalisedCard.load(card).files
    assert (evidence.ef_com, evidence.ef_sod) == (stored[0x011E], stored[0x011D])
    assert evidence.data_groups == {1: stored[0x0101], 2: stored[0x0102]}
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_step")  # the counter's word is the last


@pytest.mark.parametrize("chip", [None, ChipAuthenticationKind.ECDH_AES128])
def test_the_chip_proves_itself_to_the_counter_and_not_to_the_desk(
    desk: Desk, tmp_path: Path, chip: ChipAuthenticationKind | None
) -> None:
    issuer = TestIssuer.create(secrets.token_bytes, datetime.now(UTC).replace(microsecond=0))
    picture = io.BytesIO()
    Image.new("RGB", (120, 160), (120, 130, 140)).save(picture, "JPEG")
    protection = Protection(PaceKind.GENERIC, chip=chip, active=ActiveAuthenticationKind.ECDSA)
    person = Person("ZHANG", "WEI", NUMBER, BORN, EXPIRES)
    personalise(person, picture.getvalue(), issuer, secrets.token_bytes, protection=protection).save(tmp_path / "card")
    desk.heard.answer_status, desk.heard.answer = 409, b'{"code": "wrong_step", "message": "no"}'
    with on_reader(desk, tmp_path / "card"):
        desk.page.post("/api/visits/v1/card", json=TYPED)
    message = ChipEvidenceMessage.model_validate_json(desk.heard.requests[-1][3])
    trust = TrustStore.of([issuer.csca_der])
    question = ChipQuestion(CHALLENGE, desk.heard.question.terminal)
    finding = check_chip(message, trust, datetime.now(UTC), question)
    assert finding.refusal is None
    outcome = {check.name: check.outcome for check in finding.checks}
    assert outcome["clone_protection"] is CheckOutcome.PASSED
    assert message.access == "PACE"
    proof = evidence_in(message)
    assert (proof.chip_authentication is not None, proof.active_authentication is not None) == (bool(chip), not chip)
    # the same evidence for another visit, or without its proofs, is refused
    for evidence, asked in ((message, ChipQuestion.draw()), (message.model_copy(update={"proofs": b""}), question)):
        assert check_chip(evidence, trust, datetime.now(UTC), asked).refusal is Reason.CARD_NOT_GENUINE
        assert check_chip(evidence, trust, datetime.now(UTC)).refusal is Reason.CARD_NOT_GENUINE


def test_what_was_typed_stays_on_the_desk(desk: Desk, card: Path) -> None:
    desk.heard.answer_status, desk.heard.answer = 409, b'{"code": "wrong_step", "message": "no"}'
    with on_reader(desk, card):
        desk.page.post("/api/visits/v1/card", json=TYPED)
    assert b"date_of_birth" not in desk.heard.requests[-1][3]


def test_a_mistyped_number_is_named(desk: Desk, card: Path) -> None:
    with on_reader(desk, card):
        answer = desk.page.post("/api/visits/v1/card", json=TYPED | {"document_number": "VC7654321"})
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_mrz")
    assert desk.heard.requests == []


def test_a_card_pulled_while_it_is_read_is_named(desk: Desk, card: Path) -> None:
    with on_reader(desk, card, "--pull-after", "6"):
        answer = desk.page.post("/api/visits/v1/card", json=TYPED)
    assert (answer.status_code, answer.json()["code"]) == (409, "card_removed")


def test_a_second_reading_at_the_same_time_is_refused_and_the_first_goes_on(desk: Desk, card: Path) -> None:
    desk.heard.answer_status, desk.heard.answer = 409, b'{"code": "wrong_step", "message": "no"}'
    codes: list[str] = []
    first = threading.Thread(
        target=lambda: codes.append(desk.page.post("/api/visits/v1/card", json=TYPED).json()["code"])
    )
    first.start()
    wait_for_step(desk, "waiting_for_card")
    second = desk.page.post("/api/visits/v2/card", json=TYPED)
    assert (second.status_code, second.json()["code"]) == (409, "reader_busy")
    with on_reader(desk, card):
        first.join(20)
    assert codes == ["wrong_step"]


def test_a_page_that_leaves_frees_the_reader(desk: Desk) -> None:
    with contextlib.suppress(Exception):  # the page gives up; how its client says so is its own affair
        desk.page.post("/api/visits/v1/card", json=TYPED, timeout=1.0)
    wait_for_step(desk, None)


def wait_for_step(desk: Desk, step: str | None) -> None:
    """Until the desk says so, at most five seconds."""
    give_up_at = time.monotonic() + 5
    while desk.page.get("/api/kiosk").json()["card_step"] != step:
        assert time.monotonic() < give_up_at, f"the desk never said {step}"
        time.sleep(0.05)


def test_nobodys_card_is_said_so_and_nothing_personal_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    readers = CableReaders()
    readers.start()
    steps: list[CardStep] = []
    try:
        access = CardAccess.model_validate(TYPED)
        with pytest.raises(Exception, match="NoCardError") as refused:
            read_card(readers, access, CHALLENGE, lambda _: None, steps.append, lambda: False, wait_s=0.2)
    finally:
        readers.stop()
    assert getattr(refused.value, "code", None) is ErrorCode.NO_CARD
    assert steps == [CardStep.WAITING_FOR_CARD]
    assert NUMBER not in caplog.text
    assert str(BORN) not in caplog.text


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DeviceGoneError("x"), ErrorCode.NO_READER),
        (CardMuteError("x"), ErrorCode.CARD_MUTE),
        (NotAnIdCardError("x"), ErrorCode.CARD_MUTE),
        (TamperedAnswerError("x"), ErrorCode.CARD_MUTE),
    ],
)
def test_every_other_trouble_has_a_sentence(error: Exception, code: ErrorCode) -> None:
    assert code_of(error) is code  # type: ignore[arg-type] # all of them are device errors


@pytest.mark.parametrize(("asked", "held", "given"), [(True, True, True), (False, True, False), (True, False, False)])
def test_the_fingers_in_a_chip_are_read_where_a_state_permits_and_one_will_be_compared(
    tmp_path: Path, asked: bool, held: bool, given: bool
) -> None:
    """Behind terminal authentication, of an agent as its file describes it, up to the counter's comparison."""
    now = datetime.now(UTC).replace(microsecond=0)
    state, issuer = InspectionIssuer.create(secrets.token_bytes, now), TestIssuer.create(secrets.token_bytes, now)
    pixels = synthetic_picture(HOLDERS, 1)
    record = finger_record(pixels.tobytes(), compression=0, sides=(pixels.shape[1], pixels.shape[0]), position=7)
    portrait = io.BytesIO()
    Image.new("RGB", (120, 160), (120, 130, 140)).save(portrait, "JPEG")
    protection = Protection(
        PaceKind.GENERIC,
        chip=ChipAuthenticationKind.ECDH_AES128,
        inspection_authority=state.authority,
        fingers=group(0x63, record),
    )
    person = Person("ZHANG", "WEI", NUMBER, BORN, EXPIRES)
    personalise(person, portrait.getvalue(), issuer, secrets.token_bytes, protection=protection).save(tmp_path / "card")
    (tmp_path / "inspection").mkdir()
    state.save(tmp_path / "inspection")
    inspection = tmp_path / "inspection" if held else None
    with running_desk(tmp_path, lambda config: config.model_copy(update={"inspection": inspection})) as desk:
        desk.heard.answer_status, desk.heard.answer = 409, b'{"code": "wrong_step", "message": "no"}'
        with on_reader(desk, tmp_path / "card"):
            desk.page.post("/api/visits/v1/card", json=TYPED | {"fingers": asked})
        message = ChipEvidenceMessage.model_validate_json(desk.heard.requests[-1][3])
    assert (3 in message.data_groups) is given
    if given:
        question = ChipQuestion(CHALLENGE, desk.heard.question.terminal)
        assert check_chip(message, TrustStore.of([issuer.csca_der]), now, question).refusal is None
        found = finger_in(message.data_groups[3])
        assert found is not None
        assert (found[0], found[1].pixels) == (7, pixels.tobytes())
