"""Fingers at a running kiosk: a clear answer each time, to the right one, to the wrong one, and to all that goes wrong.

The scanner is a simulated one whose fingers are grown (`tests/journeys/glass.py`); network, matcher, counter and page
are the real ones.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from hardware_drivers.fingerprint.simulated import HandFault
from tests.journeys.access import violations
from tests.journeys.customer import FACE_MS, CustomerScreen
from tests.journeys.glass import CUSTOMER, STRANGER, LibfprintGlass
from tests.journeys.house import House
from tests.journeys.story import FINGER_MS, PIN_CARD, SEALING_MS

SAID = {  # how each sentence begins
    HandFault.EMPTY: "没有检测到手指",
    HandFault.LIFTED: "手指抬起过早",
    HandFault.WET: "请",  # which advice depends on how it was laid down
}
ENROL, RESET = "登记指纹", "重置银行卡密码"

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


def come(house: House, person: int = CUSTOMER, fault: HandFault | None = None) -> None:
    """From now on this person's fingers come to the glass."""
    assert house.stack.glass is not None
    house.stack.glass.come(person, fault)


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
    kiosk.state("finger", within_ms=FACE_MS)
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
def test_the_registered_finger_passes_after_every_trouble_was_said_and_put_right(house: House) -> None:
    kiosk = at_finger(house, RESET)
    button = "fingerStart"
    said_here = SAID
    if isinstance(house.stack.glass, LibfprintGlass):
        # libfprint itself refuses a picture without ridges and does not say why; that was the desk's one second chance
        said_here = {HandFault.EMPTY: SAID[HandFault.WET]}
    for fault, said in said_here.items():
        come(house, CUSTOMER, fault)
        kiosk.touch(button)
        button = "tryAgain"
        expect(kiosk.page.get_by_role("alert").filter(has_text=said)).to_be_visible(timeout=FINGER_MS)
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
def test_a_scanner_that_is_pulled_out_leaves_a_way_on(house: House) -> None:
    kiosk = at_finger(house, RESET)
    come(house, CUSTOMER, HandFault.UNPLUGGED)
    kiosk.touch("fingerStart")
    expect(kiosk.page.get_by_text(kiosk.word("fingerNoScanner"))).to_be_visible(timeout=FINGER_MS)
    assert violations(kiosk.page) == []
    kiosk.touch("fingerWithout")
    kiosk.state("form")
    kiosk.fill(PIN_CARD)
    kiosk.touch("formSendTicket")
    kiosk.state("waiting")
    kiosk.touch("waitingLeave")  # or the next journey's clerk is given this customer
    kiosk.touch("leave")
    kiosk.state("cancelled", "attract")
    kiosk.page.context.close()
