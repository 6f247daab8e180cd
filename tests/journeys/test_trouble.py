"""What goes wrong at a kiosk on a working day, in real browsers: each time a clear answer, and nothing is lost."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.biometrics.simulated_customer import customer_script
from tests.journeys.browsers import Browsers, NoChromiumError, find_chromium, two_browsers
from tests.journeys.console import ConsoleScreen
from tests.journeys.customer import FACE_MS, CustomerScreen
from tests.journeys.desk import CUSTOMER_PHOTOGRAPH, CardName, Desk, Wallet, make_wallet
from tests.journeys.photographs import photograph
from tests.journeys.stack import Stack, running_stack
from tests.journeys.story import NEW_CARD, wait_playing

BACK_MS = 40_000  # the longest wait of the page between two tries is 8 s; then the line, then the picture


@dataclass(frozen=True, slots=True)
class House:
    """A running house with its browsers."""

    stack: Stack
    wallet: Wallet
    desk: Desk
    browsers: Browsers

    def kiosk(self, mode: str = "reacts") -> CustomerScreen:
        """A kiosk with a customer of that mode before it, at the services."""
        screen = CustomerScreen(self.browsers.kiosk(customer_script(photograph(CUSTOMER_PHOTOGRAPH), mode)), "zh")
        screen.page.goto(self.stack.kiosk_url)
        screen.start()
        return screen

    def with_card(self, kiosk: CustomerScreen, title: str) -> None:
        """Consent and a genuine card: at the face check."""
        kiosk.choose(title)
        kiosk.consent()
        kiosk.state("card")
        card = self.wallet.cards[CardName.GENUINE]
        kiosk.type_card(card)
        self.desk.put(card)
        kiosk.state("face")
        self.desk.pull()

    def in_call(self, kiosk: CustomerScreen, clerk: ConsoleScreen) -> None:
        """A lost card, taken by the clerk; both see each other."""
        self.with_card(kiosk, "补办银行卡")
        kiosk.state("form", within_ms=FACE_MS)
        kiosk.fill(NEW_CARD)
        kiosk.touch("formSendTicket")
        kiosk.state("waiting")
        clerk.take_next()
        kiosk.state("serving")
        wait_playing(clerk.page, clerk.word("customerVideo"))


def stop(kiosk: CustomerScreen, clerk: ConsoleScreen) -> None:
    """The customer ends the visit; the desk is free for the next test."""
    kiosk.touch("stop")
    kiosk.touch("stopYes")
    kiosk.state("cancelled", "attract")
    expect(clerk.button("clearDesk")).to_be_visible()
    clerk.clear_desk()
    kiosk.page.context.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    try:
        find_chromium()
    except NoChromiumError as missing:
        pytest.skip(str(missing))
    folder: Path = tmp_path_factory.mktemp("house")
    with contextlib.ExitStack() as stack_of:
        wallet = make_wallet(folder / "cards")
        stack = stack_of.enter_context(running_stack(folder, trusted=(wallet.csca,)))
        browsers = stack_of.enter_context(two_browsers())
        desk = Desk(stack.reader, folder / "logs")
        stack_of.callback(desk.pull)
        yield House(stack, wallet, desk, browsers)


@pytest.fixture
def clerk(house: House) -> Iterator[ConsoleScreen]:
    """A clerk at work, whose tab is closed at the end."""
    screen = ConsoleScreen(house.browsers.console("zh"), house.stack.clerks["zhang"])
    screen.log_in(house.stack.console_url)
    yield screen
    if not screen.page.is_closed():
        screen.page.context.close()


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
    kiosk.state("form", within_ms=FACE_MS)
    kiosk.page.context.close()


@pytest.mark.parametrize(("mode", "code"), [("covered", "covered"), ("absent", "no_face"), ("two", "two_faces")])
def test_what_the_camera_sees_amiss_is_said_and_put_right(house: House, mode: str, code: str) -> None:
    kiosk = house.kiosk(mode)
    house.with_card(kiosk, "修改联系地址")
    wait_guidance(kiosk.page, code)
    kiosk.page.evaluate("window.__simulatedPerson.mode = 'reacts'")
    kiosk.state("form", within_ms=FACE_MS)
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
    kiosk.state("form", within_ms=FACE_MS)
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
    second = ConsoleScreen(house.browsers.console("en"), house.stack.clerks["li"])
    second.log_in(house.stack.console_url)
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
