"""Taking a finger at the desk: from the glass through agent and mutual TLS to the counter's door, and nowhere else."""

import contextlib
import io
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from biometrics.decision import Verdict
from biometrics.fingerprint.minutiae import Minutiae
from biometrics.fingerprint.policy import decide_finger, load_finger_calibration
from counter_server.people.kiosks import KioskAuthority
from hardware_drivers.fingerprint.played import PlayedScanner
from hardware_drivers.fingerprint.png import grey_png, smaller
from hardware_drivers.fingerprint.scanner import FingerprintScanner
from hardware_drivers.fingerprint.simulated import INFO, HandFault, SyntheticHand, scene_of
from hardware_drivers.smartcard.cable import CableReaders
from tests.biometrics.fingerprint.test_leader import extractor
from tests.hardware_drivers.fingerprint.rigs import FINGER, LibfprintRig, picture, rig
from tests.kiosk.standin_counter import Heard, agent, kiosk_config, standin_counter
from webrtc.wire.finger import FingerEvidenceMessage, PadVerdict

TOKEN = {"authorization": "Bearer t"}
REFUSED = b'{"code": "wrong_step", "message": "no"}'  # the stand-in judges nothing; its word is passed on


@dataclass
class FingerDesk:
    """A running agent with a scanner, and what its counter heard."""

    page: httpx.Client
    heard: Heard

    def ask(self, position: int = 2, visit: str = "v1") -> str:
        """Take a finger; the error's code."""
        answer = self.page.post(f"/api/visits/{visit}/finger", json={"position": position}, headers=TOKEN)
        assert answer.status_code == 409, answer.text
        return str(answer.json()["code"])

    def delivered(self) -> list[FingerEvidenceMessage]:
        """The pictures that reached the counter's door."""
        sent = [request for request in self.heard.requests if request[1] != "/livez"]
        assert all(request[:2] == ("POST", "/api/kiosk/visits/v1/finger") for request in sent)
        assert all(request[2]["authorization"] == "Bearer t" for request in sent)
        return [FingerEvidenceMessage.model_validate_json(request[3]) for request in sent]

    def wait_for(self, key: str, value: str | None) -> None:
        """Until the desk says so, at most five seconds."""
        give_up_at = time.monotonic() + 5
        while (told := self.page.get("/api/kiosk").json()[key]) != value:
            assert time.monotonic() < give_up_at, f"{key} is {told}, never {value}"
            time.sleep(0.03)


@contextlib.contextmanager
def desk_with(scanner: FingerprintScanner | None, folder: Path) -> Iterator[FingerDesk]:
    authority, heard, readers = KioskAuthority(folder / "ca"), Heard(), CableReaders()
    heard.answer_status, heard.answer = 409, REFUSED
    with (
        standin_counter(authority, heard) as counter_port,
        agent(kiosk_config(folder / "kiosk", counter_port, authority), readers, scanner) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False) as page,
    ):
        yield FingerDesk(page, heard)


@pytest.fixture
def hand() -> SyntheticHand:
    return SyntheticHand(np.random.default_rng(4))


@pytest.fixture
def desk(hand: SyntheticHand, tmp_path: Path) -> Iterator[FingerDesk]:
    with desk_with(PlayedScanner(INFO, hand, frame_s=0.1), tmp_path) as made:
        made.wait_for("scanner", "ready")
        yield made


def test_the_picture_reaches_the_counter_and_its_word_the_page(desk: FingerDesk) -> None:
    assert desk.ask() == "wrong_step"
    (evidence,) = desk.delivered()
    assert (evidence.position, evidence.dpi, evidence.scanner, evidence.attempt) == (2, 500, INFO.name, 1)
    assert evidence.sensor_pad.verdict is PadVerdict.NOT_JUDGED
    with Image.open(io.BytesIO(evidence.image_png)) as shown:
        assert (shown.format, shown.mode, shown.size) == ("PNG", "L", (388, 374))
        assert np.asarray(shown)[100:270, 130:260].mean() < 190


def test_the_page_sees_the_finger_come_and_nobody_else_does(desk: FingerDesk) -> None:
    assert preview(desk).status_code == 204
    taking = threading.Thread(target=desk.ask)
    taking.start()
    widths, steps = set(), set()
    while taking.is_alive():
        shown = preview(desk)
        assert shown.headers["cache-control"] == "no-store"
        if shown.status_code == 200:
            with Image.open(io.BytesIO(shown.content)) as picture_now:
                widths.add(picture_now.size[0])
            assert preview(desk, {"authorization": "Bearer other"}).status_code == 204
            assert preview(desk, visit="v2").status_code == 204
        steps.add(desk.page.get("/api/kiosk").json()["finger_step"])
    taking.join()
    assert widths == {194}
    assert {"waiting_for_finger", "hold_still"} <= steps
    assert preview(desk).status_code == 204


def preview(desk: FingerDesk, token: dict[str, str] = TOKEN, visit: str = "v1") -> httpx.Response:
    return desk.page.get(f"/api/visits/{visit}/finger/preview.png", headers=token)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (HandFault.EMPTY, "no_finger"),
        (HandFault.LIFTED, "finger_lifted"),
        (HandFault.WET, "finger_poor"),
        (HandFault.BUSY, "scanner_busy"),
        (HandFault.UNPLUGGED, "no_scanner"),
    ],
)
def test_each_trouble_has_its_sentence_and_nothing_reaches_the_counter(
    desk: FingerDesk, hand: SyntheticHand, fault: HandFault, code: str
) -> None:
    hand.fail_next(fault)
    assert desk.ask() == code
    assert desk.delivered() == []
    hand.plug_in()
    assert desk.ask() == "wrong_step"
    assert desk.delivered()[0].attempt == 2


def test_a_worn_finger_is_asked_for_once_more_and_then_goes_to_the_counter(
    desk: FingerDesk, hand: SyntheticHand
) -> None:
    hand.fail_next(HandFault.WET, HandFault.WET, HandFault.WET)
    assert [desk.ask(), desk.ask()] == ["finger_poor", "wrong_step"]
    (evidence,) = desk.delivered()
    assert evidence.attempt == 2
    assert evidence.quality is not None
    assert evidence.quality < 40
    assert desk.ask(position=3) == "finger_poor"  # another finger may be better: it is asked for once more too


def test_a_sensors_own_verdict_goes_along_with_its_name(desk: FingerDesk, hand: SyntheticHand) -> None:
    hand.fail_next(HandFault.IMITATION)
    desk.ask()
    (evidence,) = desk.delivered()
    assert (evidence.sensor_pad.verdict, evidence.sensor_pad.source) == (PadVerdict.ATTACK, "simulated sensor")


def test_a_scanner_that_went_away_is_shown_and_found_again(desk: FingerDesk, hand: SyntheticHand) -> None:
    hand.fail_next(HandFault.UNPLUGGED)
    assert desk.ask() == "no_scanner"
    desk.wait_for("scanner", "gone")
    assert desk.ask() == "no_scanner"
    hand.plug_in()
    assert desk.ask() == "wrong_step"
    desk.wait_for("scanner", "ready")


def test_two_at_a_time_are_one_too_many_and_a_page_that_leaves_frees_the_scanner(
    desk: FingerDesk, hand: SyntheticHand
) -> None:
    hand.fail_next(HandFault.NOBODY)
    waiting = threading.Thread(target=leave_after, args=(desk, 1.5))
    waiting.start()
    desk.wait_for("scanner", "capturing")
    assert desk.ask() == "scanner_busy"
    waiting.join()
    desk.wait_for("scanner", "ready")
    assert desk.ask() == "wrong_step"


def leave_after(desk: FingerDesk, patience_s: float) -> None:
    """A page that goes away."""
    with contextlib.suppress(httpx.TimeoutException):
        desk.page.post("/api/visits/v1/finger", json={"position": 2}, headers=TOKEN, timeout=patience_s)


def test_a_desk_without_a_scanner_says_so(tmp_path: Path) -> None:
    with desk_with(None, tmp_path) as desk:
        assert desk.page.get("/api/kiosk").json()["scanner"] == "none"
        assert desk.ask() == "no_scanner"


@pytest.mark.parametrize("position", [-1, 11, "2; drop", None])
def test_no_other_fingers_are_asked_for(desk: FingerDesk, position: object) -> None:
    answer = desk.page.post("/api/visits/v1/finger", json={"position": position}, headers=TOKEN)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_request")


def test_nothing_of_a_finger_is_written_or_logged(
    desk: FingerDesk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    before = {file for file in tmp_path.rglob("*") if file.is_file()}
    desk.ask()
    assert {file for file in tmp_path.rglob("*") if file.is_file()} == before
    assert "Bearer" not in caplog.text
    assert max(len(record.getMessage()) for record in caplog.records) < 1000


def test_fingers_through_libfprint_are_told_apart_by_the_counters_engine(tmp_path: Path) -> None:
    """Picture into libfprint's virtual device, minutiae out of what reached the counter: genuine near, impostor far."""
    with rig("libfprint", tmp_path) as made:
        assert isinstance(made, LibfprintRig)
        with desk_with(made.scanner, tmp_path / "house") as desk:
            desk.wait_for("scanner", "ready")
            for person in (1, 2):
                laying = threading.Timer(0.4, made.glass.lay, args=(picture(person=person),))
                laying.start()
                assert desk.ask() == "wrong_step"
                laying.join()
            taken = [minutiae_of(evidence.image_png, evidence.dpi) for evidence in desk.delivered()]
    before = scene_of(1, FINGER, None, np.random.default_rng(77)).frames[-1]  # another day
    enrolled = [minutiae_of(grey_png(before, 500), 500)]
    calibration = load_finger_calibration(extractor().id)
    verdicts = [decide_finger(minutiae, enrolled, calibration).verdict for minutiae in taken]
    assert verdicts == [Verdict.ACCEPT, Verdict.REJECT]


def minutiae_of(png: bytes, dpi: int) -> Minutiae:
    """What the counter's own engine finds in a delivered picture."""
    with Image.open(io.BytesIO(png)) as shown:
        return extractor().extract(np.asarray(shown), dpi=dpi).minutiae


def test_a_grey_png_is_what_another_program_reads() -> None:
    pixels = picture()
    with Image.open(io.BytesIO(grey_png(pixels, 500))) as shown:
        assert (np.asarray(shown) == pixels).all()
        assert round(shown.info["dpi"][0]) == 500
    assert smaller(pixels, 256).shape == (187, 194)
    assert smaller(pixels, 1000) is pixels
