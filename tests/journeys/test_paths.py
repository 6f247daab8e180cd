"""Ways through the pages that the story does not take: by keyboard, by large keys, by refusal, by doing nothing."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.biometrics.simulated_customer import customer_script
from tests.journeys.access import violations
from tests.journeys.console import ConsoleScreen
from tests.journeys.customer import SEALING_MS, CustomerScreen
from tests.journeys.desk import CUSTOMER_PHOTOGRAPH
from tests.journeys.forms import ADDRESS, NEW_CARD, NEW_LIMIT
from tests.journeys.house import House, free_desk
from tests.journeys.photographs import photograph

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]

MOST_TABS = 60  # a whole case must never be further away than this
QUIET_MS, WARNING_S = 75_000, 30  # kiosk/web/idle.ts
NO_FONT_HAS_IT = "\U0010fffd"  # the last private character of Unicode
# Keeps what live regions say from now on; a region that changes is heard by whoever listens.
LISTEN = """() => {
  window.__spoken = [];
  new MutationObserver(changes => {
    for (const change of changes) {
      const region = (change.target.nodeType === 1 ? change.target : change.target.parentElement)
        ?.closest('[role=status], [role=alert]');
      const said = region?.textContent?.trim();
      if (said) window.__spoken.push(said);
    }
  }).observe(document.body, { childList: true, characterData: true, subtree: true });
}"""


def tab_to(page: Page, goal: Locator) -> None:
    """Walk there with the Tab key, as somebody without a mouse does."""
    for _ in range(MOST_TABS):
        if goal.count() == 1 and goal.evaluate("place => place === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{goal} cannot be reached by {MOST_TABS} tabs")


def press(page: Page, goal: Locator) -> None:
    """Go there and press it."""
    expect(goal).to_be_enabled()
    tab_to(page, goal)
    page.keyboard.press("Enter")


def write(page: Page, goal: Locator, text: str) -> None:
    """Go there and type."""
    tab_to(page, goal)
    page.keyboard.type(text)


def test_a_clerk_serves_a_whole_case_by_keyboard_and_hears_each_change_once(house: House) -> None:
    kiosk = house.kiosk()
    ticket = house.in_queue(kiosk, "补办银行卡", NEW_CARD)
    zhang = house.stack.clerks["zhang"]
    screen = ConsoleScreen(house.browsers.console("zh"), zhang)
    page = screen.page
    page.goto(house.stack.console_url)
    write(page, page.get_by_label(screen.word("username"), exact=True), zhang.username)
    write(page, page.get_by_label(screen.word("password"), exact=True), zhang.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=screen.word("queueTitle"))).to_be_visible()
    page.evaluate(LISTEN)
    press(page, screen.button("takeNext"))
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    passing = page.get_by_role("button", name=re.compile("^" + screen.word("passItem", text="")))
    expect(passing.first).to_be_visible()
    for place in range(passing.count()):
        press(page, passing.nth(place))
        expect(passing.nth(place)).to_have_attribute("aria-pressed", "true")
    assert page.locator('[data-reason-language="en"]').count() == 0, "a check speaks English on a Chinese page"
    press(page, screen.button("refuse"))
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(screen.button("refuse")).to_be_focused()
    press(page, screen.button("pushDocument"))
    expect(page.get_by_role("region", name=screen.word("nextStep"))).to_be_focused()
    kiosk.state("reading")
    assert kiosk.read_document() > 0
    kiosk.sign()
    expect(page.get_by_text(screen.word("customerSigned")).first).to_be_visible()
    write(page, page.get_by_label(screen.word("password"), exact=True), zhang.password)
    page.keyboard.press("Enter")
    kiosk.state("done", within_ms=SEALING_MS)
    press(page, screen.button("clearDesk"))
    expect(page.get_by_role("heading", name=screen.word("noVisitTitle"))).to_be_focused()
    said = [line for line in page.evaluate("window.__spoken") if line.startswith(ticket)]
    assert len(said) == len(set(said)) >= 4, f"not each change of the visit was said just once: {said}"
    page.context.close()
    kiosk.page.context.close()


def test_a_mark_instead_of_a_signature_and_an_approval_that_is_declined(house: House, clerk: ConsoleScreen) -> None:
    kiosk = house.kiosk()
    ticket = house.in_queue(kiosk, "提高转账限额", NEW_LIMIT)
    clerk.take_next()
    kiosk.state("serving")
    clerk.check_everything()
    clerk.push_document()
    kiosk.state("reading")
    kiosk.read_document()
    kiosk.touch("readingToSign")
    kiosk.touch("signCannot")
    kiosk.touch("signMark")
    kiosk.touch("signSend")
    kiosk.state("countersigning")
    clerk.countersign()
    kiosk.state("approving")
    li = house.clerk("li")
    li.button("approvalOpen", number=ticket).click()
    li.page.get_by_label(li.word("approvalNote"), exact=True).fill("The purpose needs a contract of sale.")
    li.page.get_by_label(li.word("password"), exact=True).fill(li.clerk.password)
    li.button("decline").click()
    kiosk.state("refused")
    assert kiosk.reason() == "by_approver"
    free_desk(clerk)
    li.page.context.close()
    kiosk.page.context.close()


def test_what_cannot_be_printed_is_said_at_its_field_and_a_refusal_carries_the_clerks_words(
    house: House, clerk: ConsoleScreen
) -> None:
    kiosk = house.kiosk()
    kiosk.touch("largeText")
    kiosk.touch("highContrast")
    house.with_card(kiosk, "补办银行卡")
    kiosk.face_passes()
    address = kiosk.page.locator('[name="deliver_to"]')
    kiosk.touch("formSendTicket")
    expect(kiosk.page.locator('[name="card_last4"]')).to_be_focused()
    kiosk.fill(NEW_CARD | {"deliver_to": f"北京路{NO_FONT_HAS_IT}号"})
    kiosk.touch("formSendTicket")
    expect(address).to_have_attribute("aria-invalid", "true")
    expect(address).to_be_focused()
    kiosk.fill({"deliver_to": "北京路1号"})
    kiosk.touch("formSendTicket")
    kiosk.state("waiting")
    expect(kiosk.page.locator(".ticket-number")).to_be_in_viewport()
    assert violations(kiosk.page) == []
    kiosk.touch("waitingLeave")
    kiosk.touch("waitingStay")
    kiosk.state("waiting")
    clerk.take_next()
    kiosk.state("serving")
    clerk.button("refuse").click()
    clerk.page.get_by_label(clerk.word("refuseNote"), exact=True).fill("请携带挂失凭证再来。")
    clerk.button("refuseYes").click()
    kiosk.state("refused")
    expect(kiosk.page.get_by_text("请携带挂失凭证再来。")).to_be_visible()
    free_desk(clerk)
    kiosk.page.context.close()


def test_the_keys_on_the_screen_write_where_the_finger_was(house: House) -> None:
    kiosk = house.kiosk(size={"width": 1280, "height": 800})
    kiosk.touch("lowReach")
    kiosk.choose("修改联系地址")
    kiosk.consent()
    kiosk.state("card")
    number = kiosk.page.get_by_label(kiosk.word("cardNumber"))
    number.tap()
    expect(number).to_be_focused()
    keys = kiosk.page.get_by_role("region", name=kiosk.word("keyboard"))
    for key in ("V", "C", "7", "8"):
        keys.get_by_role("button", name=key, exact=True).tap()
    keys.get_by_role("button", name=kiosk.word("keyDelete"), exact=True).tap()
    expect(number).to_have_value("VC7")
    keys.get_by_role("button", name=kiosk.word("keyHide"), exact=True).tap()
    kiosk.touch("cardRead")
    expect(kiosk.page.get_by_role("textbox", name=kiosk.word("cardBirth")).first).to_be_focused()
    kiosk.page.context.close()


def test_a_kiosk_left_alone_warns_and_then_forgets(house: House) -> None:
    kiosk = CustomerScreen(house.browsers.kiosk(customer_script(photograph(CUSTOMER_PHOTOGRAPH))), "zh")
    kiosk.page.clock.install()
    kiosk.page.goto(house.stack.kiosk_url)
    kiosk.start()
    kiosk.speak("en")
    kiosk.choose("Change my contact address")
    kiosk.page.clock.fast_forward(QUIET_MS + 1_000)
    kiosk.touch("idleMore")
    kiosk.state("consent")
    kiosk.page.clock.fast_forward(QUIET_MS + 1_000)
    expect(kiosk.page.get_by_role("alertdialog", name=kiosk.word("idleTitle"))).to_be_visible()
    for _ in range(WARNING_S + 1):
        kiosk.page.clock.fast_forward(1_000)
    kiosk.state("attract")
    kiosk.language = "zh"
    expect(kiosk.page.get_by_role("button", name=kiosk.word("start"), exact=True)).to_be_visible()
    assert kiosk.page.evaluate("sessionStorage.length") == 0
    kiosk.page.context.close()


def test_a_phone_in_chinese_and_a_console_in_english_to_the_end(house: House) -> None:
    li = house.clerk("li")
    li.button("phoneLink").click()
    link = li.page.locator("[data-phone-link]").get_attribute("data-phone-link") or ""
    li.page.keyboard.press("Escape")
    script = customer_script(photograph(CUSTOMER_PHOTOGRAPH))
    phone = CustomerScreen(house.browsers.phone(script, "zh"), "zh")
    phone.page.goto(link)
    phone.choose("修改联系地址")
    phone.consent()
    phone.face_passes()
    phone.fill(ADDRESS)
    phone.touch("formSendTicket")
    phone.state("waiting")
    li.take_next()
    phone.state("serving")
    expect(li.page.get_by_text(li.word("faceNotCompared"))).to_be_visible()
    li.check_everything()
    li.push_document()
    phone.state("reading")
    phone.read_document()
    phone.touch("readingLarger")
    phone.sign()
    phone.state("countersigning")
    li.page.get_by_role("button", name=li.word("documentOpen", n=1), exact=True).click()
    expect(li.page.get_by_role("dialog")).to_be_visible()
    li.page.keyboard.press("Escape")
    li.countersign()
    phone.state("done", within_ms=SEALING_MS)
    assert violations(phone.page) == []
    assert violations(li.page) == []
    free_desk(li)
    li.page.context.close()
    phone.page.context.close()
