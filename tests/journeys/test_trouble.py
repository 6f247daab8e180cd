"""What goes wrong at a kiosk on a working day, in real browsers: each time a clear answer, and nothing is lost."""

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.console import ConsoleScreen
from tests.journeys.customer import FACE_MS
from tests.journeys.desk import CardName
from tests.journeys.house import House, stop
from tests.journeys.videos import wait_playing

BACK_MS = 40_000  # the longest wait of the page between two tries is 8 s; then the line, then the picture


def wait_guidance(page: Page, code: str) -> None:
    """Wait until the counter asks for just this."""
    expect(page.locator(f'html[data-face-guidance="{code}"]')).to_be_attached(timeout=FACE_MS)


pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]


@pytest.mark.parametrize(
    ("mode", "key"), [("refused", "cameraRefused"), ("missing", "cameraMissing"), ("busy", "cameraBusy")]
)
def test_a_camera_that_cannot_be_had_is_explained_and_can_be_tried_again(house: House, mode: str, key: str) -> None:
    kiosk = house.kiosk(mode)
    house.with_card(kiosk, "修改联系地址")
    expect(kiosk.page.get_by_text(kiosk.word(key))).to_be_visible()
    kiosk.page.evaluate("window.__simulatedPerson.mode = 'reacts'")
    kiosk.touch("mediaAgain")
    kiosk.face_passes()
    kiosk.page.context.close()


@pytest.mark.parametrize(("mode", "code"), [("covered", "covered"), ("absent", "no_face"), ("two", "two_faces")])
def test_what_the_camera_sees_amiss_is_said_and_put_right(house: House, mode: str, code: str) -> None:
    kiosk = house.kiosk(mode)
    house.with_card(kiosk, "修改联系地址")
    wait_guidance(kiosk.page, code)
    kiosk.page.evaluate("window.__simulatedPerson.mode = 'reacts'")
    kiosk.face_passes()
    kiosk.page.context.close()


@pytest.mark.parametrize(("mode", "reason"), [("still", "not_live"), ("wrong", "not_live")])
def test_a_fixed_picture_and_the_wrong_movement_end_in_refusal(house: House, mode: str, reason: str) -> None:
    kiosk = house.kiosk(mode)
    house.with_card(kiosk, "修改联系地址")
    for left in (2, 1):
        expect(kiosk.page.get_by_text(kiosk.word("faceAttempts", n=left))).to_be_visible(timeout=FACE_MS)
        kiosk.touch("tryAgain")
    kiosk.state("refused", within_ms=FACE_MS)
    assert kiosk.reason() == reason
    kiosk.page.context.close()


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        (CardName.EXPIRED, "card_expired"),
        (CardName.TAMPERED, "card_not_genuine"),
        (CardName.COPIED, "card_not_genuine"),
        (CardName.UNKNOWN_ISSUER, "card_unknown_issuer"),
    ],
)
def test_a_bad_card_is_refused_for_its_reason(house: House, card: CardName, reason: str) -> None:
    kiosk = house.kiosk()
    kiosk.choose("修改联系地址")
    kiosk.consent()
    kiosk.state("card")
    kiosk.type_card(house.wallet.cards[card])
    house.desk.put(house.wallet.cards[card])
    kiosk.state("refused")
    house.desk.pull()
    assert kiosk.reason() == reason
    kiosk.page.context.close()


def test_a_card_pulled_too_early_can_be_put_back(house: House) -> None:
    kiosk = house.kiosk()
    kiosk.choose("修改联系地址")
    kiosk.consent()
    kiosk.state("card")
    card = house.wallet.cards[CardName.GENUINE]
    kiosk.type_card(card)
    house.desk.put(card, "--pull-after", "20")
    expect(kiosk.page.get_by_role("alert")).to_be_visible()
    house.desk.pull()
    kiosk.state("card")
    kiosk.type_card(card)
    house.desk.put(card)
    kiosk.state("face")
    house.desk.pull()
    kiosk.page.context.close()


def test_a_reloaded_page_finds_its_visit_and_its_answers_again(house: House) -> None:
    kiosk = house.kiosk()
    house.with_card(kiosk, "补办银行卡")
    kiosk.face_passes()
    kiosk.page.locator('[name="deliver_to"]').fill("上海市世纪大道100号")
    kiosk.page.reload()
    kiosk.state("form")
    expect(kiosk.page.locator('[name="deliver_to"]')).to_have_value("上海市世纪大道100号")
    kiosk.page.context.close()


def test_twenty_seconds_without_network_cost_nothing_but_time(house: House, clerk: ConsoleScreen) -> None:
    kiosk = house.kiosk()
    house.in_call(kiosk, clerk)
    kiosk.page.context.set_offline(True)
    expect(kiosk.page.get_by_text(kiosk.word("offline")).first).to_be_visible(timeout=BACK_MS)
    kiosk.page.wait_for_timeout(20_000)
    kiosk.page.context.set_offline(False)
    kiosk.state("serving", within_ms=BACK_MS)
    expect(kiosk.page.get_by_text(kiosk.word("offline"))).to_have_count(0, timeout=BACK_MS)
    wait_playing(clerk.page, clerk.word("customerVideo"))
    stop(kiosk, clerk)


def test_a_page_reloaded_in_mid_call_is_back_in_the_call(house: House, clerk: ConsoleScreen) -> None:
    kiosk = house.kiosk()
    house.in_call(kiosk, clerk)
    kiosk.page.reload()
    kiosk.state("serving")
    wait_playing(kiosk.page, kiosk.word("servingClerkVideo"))
    wait_playing(clerk.page, clerk.word("customerVideo"))
    stop(kiosk, clerk)


def test_a_clerk_who_closes_the_tab_gives_the_customer_to_the_next(house: House, clerk: ConsoleScreen) -> None:
    kiosk = house.kiosk()
    house.in_call(kiosk, clerk)
    clerk.page.context.close()
    kiosk.state("waiting", within_ms=BACK_MS)
    second = house.clerk("li")
    second.take_next()
    kiosk.state("serving")
    wait_playing(second.page, second.word("customerVideo"))
    stop(kiosk, second)
    second.page.context.close()


def test_a_wrong_password_is_said_and_the_name_is_kept(house: House) -> None:
    page = house.browsers.console("zh")
    screen = ConsoleScreen(page, house.stack.clerks["zhang"])
    page.goto(house.stack.console_url)
    page.get_by_label(screen.word("username"), exact=True).fill("zhang")
    page.get_by_label(screen.word("password"), exact=True).fill("not the password")
    screen.button("login").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label(screen.word("username"), exact=True)).to_have_value("zhang")
    page.context.close()
