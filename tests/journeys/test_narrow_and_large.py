"""Screens at the edge of their room: a small phone, letters of twice the size, a lying kiosk with its keys open."""

import pytest
from playwright.sync_api import Locator, ViewportSize, expect

from tests.biometrics.simulated_customer import customer_script
from tests.journeys.access import violations
from tests.journeys.console import ConsoleScreen
from tests.journeys.customer import CustomerScreen
from tests.journeys.desk import CUSTOMER_PHOTOGRAPH
from tests.journeys.house import House
from tests.journeys.phone_visits import ADDRESS_CHANGE, open_link
from tests.journeys.photographs import photograph

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

SMALL_PHONE: ViewportSize = {"width": 360, "height": 740}
LYING_KIOSK: ViewportSize = {"width": 1280, "height": 800}
TWICE = "document.documentElement.style.fontSize = '212.5%'"
WIDER_THAN_THE_SCREEN = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
LINES = "e => { const r = document.createRange(); r.selectNodeContents(e); return r.getClientRects().length; }"
UNCOVERED = """e => {
  const box = e.getBoundingClientRect();
  return e.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2));
}"""


def one_line(words: Locator) -> bool:
    """Whether a word is not broken in two."""
    return bool(words.evaluate(LINES) == 1)


def link_of(clerk: ConsoleScreen) -> str:
    """A one-time link that this clerk made for a customer."""
    clerk.button("phoneLink").click()
    url = clerk.page.locator("[data-phone-link]").get_attribute("data-phone-link")
    clerk.page.get_by_role("dialog").get_by_role("button", name=clerk.word("close"), exact=True).click()
    assert url is not None
    return url


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_small_phone_shows_everything_within_its_width_in_letters_of_twice_the_size(
    house: House, clerk: ConsoleScreen, language: str
) -> None:
    person = customer_script(photograph(CUSTOMER_PHOTOGRAPH))
    phone = CustomerScreen(house.browsers.phone(person, language), language)
    phone.page.set_viewport_size(SMALL_PHONE)
    open_link(phone, link_of(clerk))
    phone.choose(ADDRESS_CHANGE[language])
    switch = phone.page.get_by_role("button", name="English", exact=True)
    for larger in (False, True):
        if larger:
            phone.page.evaluate(TWICE)
        assert phone.page.evaluate(WIDER_THAN_THE_SCREEN) == 0
        assert one_line(switch)
        assert violations(phone.page) == []
    phone.consent()
    phone.state("face")
    expect(phone.page.get_by_text(phone.word("cameraOn"))).to_be_visible()
    assert phone.page.evaluate(WIDER_THAN_THE_SCREEN) == 0
    phone.page.context.close()


def test_a_mail_address_is_typed_with_the_keys_of_a_lying_kiosk_in_large_letters(house: House) -> None:
    kiosk = house.kiosk(size=LYING_KIOSK)
    house.with_card(kiosk, ADDRESS_CHANGE["zh"])
    kiosk.face_passes()
    kiosk.touch("largeText")
    field = kiosk.page.locator('[name="email"]')
    field.tap()
    keys = kiosk.page.get_by_role("region", name=kiosk.word("keyboard"))
    for key in "li-na_1@example.cn":
        keys.get_by_role("button", name=key, exact=True).tap()
    expect(field).to_have_value("li-na_1@example.cn")
    assert field.evaluate(UNCOVERED)
    assert violations(kiosk.page) == []
    kiosk.page.context.close()
