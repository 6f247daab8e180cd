"""Who is in the call, in two real browsers: the person stays and signs; somebody else is seen, said and stopped."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.biometrics.simulated_customer import customer_script
from tests.journeys.access import violations
from tests.journeys.console import ConsoleScreen
from tests.journeys.customer import FACE_MS, SEALING_MS, CustomerScreen
from tests.journeys.desk import CUSTOMER_PHOTOGRAPH, CardName
from tests.journeys.house import House, free_desk
from tests.journeys.photographs import photograph

pytestmark = [pytest.mark.journey, pytest.mark.timeout(400)]

SOMEBODY_ELSE = "biden.jpg"
NOTICED_MS = 40_000  # six seconds of a frozen picture, three looks at a face; two cores run two browsers and more
PICTURES = os.environ.get("COUNTER_JOURNEY_PICTURES", "")


def kiosk_of(house: House, *, first: str = CUSTOMER_PHOTOGRAPH, other: str = SOMEBODY_ELSE) -> CustomerScreen:
    """A kiosk whose customer can be replaced by somebody else while the page runs."""
    script = customer_script(photograph(first), other_path=photograph(other))
    screen = CustomerScreen(house.browsers.kiosk(script), "zh")
    screen.page.goto(house.stack.kiosk_url)
    screen.start()
    return screen


def becomes(kiosk: CustomerScreen, mode: str) -> None:
    """What is before the camera from now on."""
    kiosk.page.evaluate(f"window.__simulatedPerson.mode = '{mode}'")


def wait_continuity(clerk: ConsoleScreen, state: str, cue: str | None = None) -> None:
    """Wait until the clerk is told so."""
    wanted = f'[data-continuity="{state}"]' + (f'[data-cue="{cue}"]' if cue else "")
    expect(clerk.page.locator(wanted)).to_be_visible(timeout=NOTICED_MS)


def keep_picture(screen: CustomerScreen | ConsoleScreen, name: str) -> None:
    """Where somebody wants to look at the pages."""
    if PICTURES:
        screen.page.screenshot(path=Path(PICTURES) / f"{name}.png")


def open_document(kiosk: CustomerScreen, clerk: ConsoleScreen) -> None:
    clerk.check_everything()
    clerk.push_document()
    kiosk.state("reading")


def test_who_stays_signs_and_who_is_swapped_comes_back_by_card_and_face(house: House, clerk: ConsoleScreen) -> None:
    kiosk = kiosk_of(house)
    house.in_call(kiosk, clerk)
    wait_continuity(clerk, "held")
    open_document(kiosk, clerk)
    kiosk.read_document()
    becomes(kiosk, "swapped")
    wait_continuity(clerk, "broken", "other_face")
    cue = clerk.page.locator(".same-person-cue")
    expect(cue).to_have_text("镜头前换成了另一张脸" if clerk.language == "zh" else "Another face is before the camera")
    keep_picture(clerk, "swap-clerk")
    keep_picture(kiosk, "swap-kiosk")
    assert violations(clerk.page) == []
    kiosk.sign()
    expect(kiosk.page.get_by_text("暂时不能签名：请面向镜头")).to_be_visible()
    kiosk.state("reading")
    clerk.button("askCardAndFace").click()
    kiosk.state("card")
    expect(kiosk.page.get_by_role("heading", name=kiosk.word("againTitle"))).to_be_visible()
    keep_picture(kiosk, "again-card")
    becomes(kiosk, "reacts")
    card = house.wallet.cards[CardName.GENUINE]
    kiosk.type_card(card)
    house.desk.put(card)
    kiosk.state("face")
    house.desk.pull()
    keep_picture(kiosk, "again-face")
    kiosk.face_passes("serving")
    wait_continuity(clerk, "held")
    keep_picture(clerk, "held-clerk")
    open_document(kiosk, clerk)
    kiosk.read_document()
    kiosk.sign()
    kiosk.state("countersigning", within_ms=SEALING_MS)
    expect(clerk.page.locator('[data-check="same_person"][data-outcome="passed"]')).to_be_visible()
    clerk.countersign()
    kiosk.state("done", within_ms=SEALING_MS)
    free_desk(clerk)
    kiosk.page.context.close()


def test_a_frozen_picture_is_named_and_whoever_sat_down_behind_it_does_not_pass(
    house: House, clerk: ConsoleScreen
) -> None:
    kiosk = kiosk_of(house)
    house.in_call(kiosk, clerk)
    wait_continuity(clerk, "held")
    becomes(kiosk, "frozen")
    wait_continuity(clerk, "broken", "picture_frozen")
    keep_picture(clerk, "frozen-clerk")
    clerk.button("askCardAndFace").click()
    kiosk.state("card")
    becomes(kiosk, "swapped")
    card = house.wallet.cards[CardName.GENUINE]
    kiosk.type_card(card)
    house.desk.put(card)
    kiosk.state("face")
    house.desk.pull()
    for left in (2, 1):
        expect(kiosk.page.get_by_text(kiosk.word("faceAttempts", n=left))).to_be_visible(timeout=FACE_MS)
        kiosk.touch("tryAgain")
    kiosk.state("refused", within_ms=FACE_MS)
    assert kiosk.reason() in {"face_different", "not_live"}  # a picture of somebody else is both
    expect(kiosk.page.get_by_text(kiosk.word("servingRecorded"))).to_have_count(0)
    expect(clerk.button("clearDesk")).to_be_visible()
    expect(clerk.button("refuse")).to_have_count(0)
    free_desk(clerk)
    kiosk.page.context.close()


def test_an_impostor_with_somebody_elses_genuine_card_is_refused(house: House) -> None:
    kiosk = kiosk_of(house, first=SOMEBODY_ELSE)
    house.with_card(kiosk, "修改联系地址")
    for left in (2, 1):
        expect(kiosk.page.get_by_text(kiosk.word("faceAttempts", n=left))).to_be_visible(timeout=FACE_MS)
        kiosk.touch("tryAgain")
    kiosk.state("refused", within_ms=FACE_MS)
    assert kiosk.reason() == "face_different"
    kiosk.page.context.close()
