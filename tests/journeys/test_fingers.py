"""Fingers at a running kiosk: a clear answer each time, to the right one, to the wrong one, and to all that goes wrong.

The scanner is a simulated one whose fingers are grown (`tests/journeys/glass.py`); network, matcher, counter and page
are the real ones.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from hardware_drivers.fingerprint.simulated import HandFault
from tests.journeys.access import violations
from tests.journeys.customer import FINGER_MS, SEALING_MS, CustomerScreen
from tests.journeys.forms import PIN_CARD
from tests.journeys.glass import CUSTOMER, STRANGER, LibfprintGlass
from tests.journeys.house import House
from tests.journeys.words import say

SAID = {  # how each sentence begins; the first poor picture is the desk's to name, later ones the counter's
    HandFault.EMPTY: ("没有检测到手指", "No finger was"),
    HandFault.WET: ("指纹不清晰。请擦干", "The picture is not clear. Wipe"),
    HandFault.TIP: ("请把手指放到玻璃中间", "Put your finger in the middle"),
}
ENROL, RESET = "登记指纹", "重置银行卡密码"

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


def come(house: House, person: int = CUSTOMER, fault: HandFault | None = None) -> None:
    """From now on this person's fingers come to the glass."""
    assert house.stack.glass is not None
    house.stack.glass.come(person, fault)


def said_in_both(kiosk: CustomerScreen, said: tuple[str, str], pictures: Path) -> None:
    """The page's notice begins so, in Chinese and in English; with pictures of what the customer saw."""
    for language, sentence in zip(("zh", "en"), said, strict=True):
        if language != kiosk.language:
            kiosk.speak(language)
        expect(kiosk.page.get_by_role("alert").filter(has_text=sentence)).to_be_visible(timeout=FINGER_MS)
        kiosk.page.screenshot(path=pictures.with_name(f"{pictures.name}-{language}.png"))
    kiosk.speak("zh")
    kiosk.state("finger")


@pytest.fixture(autouse=True)
def own_finger(house: House) -> Iterator[None]:
    """Whatever a test did, the holder's finger comes to the next one's glass."""
    come(house)
    yield
    come(house)


def at_finger(house: House, title: str) -> CustomerScreen:
    """Card and face have passed: at the finger."""
    kiosk = house.kiosk()
    house.with_card(kiosk, title)
    kiosk.face_passes("finger")
    return kiosk


@pytest.fixture(scope="module")
def registered(house: House) -> None:
    """The holder's finger is registered."""
    come(house)
    kiosk = at_finger(house, ENROL)
    assert violations(kiosk.page) == []
    kiosk.touch("fingerStart")
    kiosk.state("confirm", within_ms=FINGER_MS)
    kiosk.touch("confirmYes")
    kiosk.state("done", within_ms=SEALING_MS)
    kiosk.page.context.close()


@pytest.mark.usefixtures("registered")
def test_the_registered_finger_passes_after_every_trouble_was_said_and_put_right(house: House, tmp_path: Path) -> None:
    kiosk = at_finger(house, RESET)
    button = "fingerStart"
    said_here = SAID
    if isinstance(house.stack.glass, LibfprintGlass):
        # libfprint itself refuses a picture without ridges and does not say why; that was the desk's one second chance
        said_here = {HandFault.EMPTY: ("请", "")}
    for number, (fault, (zh, en)) in enumerate(said_here.items(), 1):
        come(house, CUSTOMER, fault)
        kiosk.touch(button)
        button = "tryAgain"
        said_in_both(kiosk, (zh, en), tmp_path / f"{number}-{fault}")
    come(house)
    kiosk.touch(button)
    kiosk.state("form", within_ms=FINGER_MS)
    kiosk.fill(PIN_CARD)
    kiosk.touch("continue")
    kiosk.state("confirm")
    kiosk.page.context.close()


@pytest.mark.usefixtures("registered")
def test_somebody_elses_finger_is_refused_after_three_tries(house: House) -> None:
    kiosk = at_finger(house, RESET)
    come(house, STRANGER)
    kiosk.touch("fingerStart")
    for left in (2, 1):
        expect(kiosk.page.get_by_text(kiosk.word("faceAttempts", n=left))).to_be_visible(timeout=FINGER_MS)
        kiosk.touch("tryAgain")
    kiosk.state("refused", within_ms=FINGER_MS)
    assert kiosk.reason() == "finger_different"
    kiosk.page.context.close()


@pytest.mark.usefixtures("registered")
def test_a_scanner_that_is_pulled_out_leaves_a_way_on(house: House, tmp_path: Path) -> None:
    kiosk = at_finger(house, RESET)
    button = "fingerStart"
    if not isinstance(house.stack.glass, LibfprintGlass):  # which cannot tell a lifted finger from a poor one
        come(house, CUSTOMER, HandFault.LIFTED)
        kiosk.touch(button)
        button = "tryAgain"
        said_in_both(kiosk, ("手指抬起过早", "The finger was lifted too early"), tmp_path / "lifted")
    come(house, CUSTOMER, HandFault.UNPLUGGED)
    kiosk.touch(button)
    expect(kiosk.page.get_by_text(kiosk.word("fingerNoScanner"))).to_be_visible(timeout=FINGER_MS)
    assert violations(kiosk.page) == []
    said_in_both(kiosk, (say("zh", "fingerNoScanner"), say("en", "fingerNoScanner")), tmp_path / "unplugged")
    kiosk.touch("fingerWithout")
    kiosk.state("form")
    kiosk.fill(PIN_CARD)
    kiosk.touch("formSendTicket")
    kiosk.state("waiting")
    kiosk.touch("waitingLeave")  # or the next journey's clerk is given this customer
    kiosk.touch("leave")
    kiosk.state("cancelled", "attract")
    kiosk.page.context.close()
