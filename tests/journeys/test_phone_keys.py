"""A phone that is recognised at its next visit, in a real browser with Chromium's own virtual authenticators."""

import base64
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from playwright.sync_api import expect

from tests.biometrics.simulated_customer import customer_script
from tests.journeys.access import violations
from tests.journeys.console import ConsoleScreen, VirtualAuthenticator
from tests.journeys.customer import SEALING_MS, CustomerScreen
from tests.journeys.desk import CUSTOMER_PHOTOGRAPH
from tests.journeys.house import House
from tests.journeys.phone_visits import ADDRESS_CHANGE, face_to_form, open_link, sealed, served
from tests.journeys.photographs import photograph

pytestmark = [pytest.mark.journey, pytest.mark.timeout(480)]


def a_phone(house: House, language: str) -> CustomerScreen:
    """A phone with its own authenticator, in the customer's hand."""
    script = customer_script(photograph(CUSTOMER_PHOTOGRAPH))
    return CustomerScreen(house.browsers.phone(script, language), language)


def come_again(house: House, phone: CustomerScreen) -> None:
    """By a new one-time link."""
    answer = httpx.post(f"{house.stack.kiosk_url}/api/kiosk/phone-links", trust_env=False)
    open_link(phone, answer.raise_for_status().json()["url"])


def test_a_phone_is_kept_recognised_and_forgotten(house: House, clerk: ConsoleScreen, tmp_path: Path) -> None:
    phone = a_phone(house, "zh")
    device = VirtualAuthenticator(phone.page)
    come_again(house, phone)
    phone.page.screenshot(path=tmp_path / "1-services.png", full_page=True)
    phone.choose(ADDRESS_CHANGE["zh"])  # nobody who has no key is asked for one
    face_to_form(phone)
    served(phone, clerk)
    sealed(phone, clerk)
    offer = phone.page.get_by_role("region", name=phone.word("phoneKeyOfferTitle"))
    offer.scroll_into_view_if_needed()
    assert violations(phone.page) == []
    phone.page.screenshot(path=tmp_path / "2-offer.png", full_page=True)
    device.verify_people(well=False)
    phone.touch("phoneKeyKeep")
    expect(phone.page.get_by_text(phone.word("phoneKeyNotKept"))).to_be_visible()
    device.verify_people(well=True)
    phone.touch("phoneKeyKeep")
    expect(phone.page.get_by_text(phone.word("phoneKeyKept"))).to_be_visible()
    phone.page.screenshot(path=tmp_path / "3-kept.png", full_page=True)
    (key,) = device.credentials()
    assert "清华园" not in str(key)

    come_again(house, phone)
    phone.choose(ADDRESS_CHANGE["zh"])
    expect(phone.page.get_by_role("heading", name=phone.word("phoneKeyShowTitle"))).to_be_visible()
    assert violations(phone.page) == []
    phone.page.screenshot(path=tmp_path / "4-show.png", full_page=True)
    device.verify_people(well=False)
    phone.touch("phoneKeyShow")
    expect(phone.page.get_by_role("alert")).to_contain_text(phone.word("phoneKeyNot"))
    phone.page.screenshot(path=tmp_path / "5-not.png", full_page=True)
    device.verify_people(well=True)
    phone.touch("phoneKeyShow")
    expect(phone.page.get_by_text(phone.word("phoneKeyKnownAlone"))).to_be_visible()
    assert violations(phone.page) == []
    phone.page.screenshot(path=tmp_path / "6-recognised.png", full_page=True)
    face_to_form(phone)
    phone.touch("continue")
    phone.state("confirm")
    phone.touch("confirmYes")
    phone.state("done", within_ms=SEALING_MS)
    number, _ = phone.receipt()
    house.stack.record("verify", number, "--content")

    phone.touch("phoneKeyRemove")
    expect(phone.page.get_by_text(phone.word("phoneKeyRemoved"))).to_be_visible()
    phone.page.screenshot(path=tmp_path / "7-removed.png", full_page=True)
    come_again(house, phone)
    phone.touch("phoneKeyWas")
    phone.choose(ADDRESS_CHANGE["zh"])
    phone.touch("phoneKeyShow")  # the phone still holds its key, and the counter knows it no longer
    expect(phone.page.get_by_role("alert")).to_contain_text(phone.word("phoneKeyNot"))
    phone.page.context.close()
    assert house.browsers.faults == []


def test_other_phones_are_refused_and_the_clerk_reads_so(house: House, clerk: ConsoleScreen, tmp_path: Path) -> None:
    phone = a_phone(house, "en")
    device = VirtualAuthenticator(phone.page)
    come_again(house, phone)
    phone.choose(ADDRESS_CHANGE["en"])
    face_to_form(phone)
    served(phone, clerk)
    sealed(phone, clerk)
    phone.page.get_by_role("region", name=phone.word("phoneKeyOfferTitle")).scroll_into_view_if_needed()
    phone.page.screenshot(path=tmp_path / "1-offer-en.png", full_page=True)
    phone.touch("phoneKeyKeep")
    expect(phone.page.get_by_text(phone.word("phoneKeyKept"))).to_be_visible()
    (key,) = device.credentials()
    phone.page.context.close()

    other = a_phone(house, "en")
    twin = VirtualAuthenticator(other.page)
    come_again(house, other)
    other.touch("phoneKeyWas")
    other.choose(ADDRESS_CHANGE["en"])
    other.page.screenshot(path=tmp_path / "2-show-en.png", full_page=True)
    secret = ec.generate_private_key(ec.SECP256R1())
    forged = base64.b64encode(secret.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())).decode()
    for held in ({**key, "privateKey": forged}, {**key, "signCount": 0}):  # a forgery, and a copy of the real one
        twin.hold(held)
        other.touch("phoneKeyShow")
        expect(other.page.get_by_role("alert")).to_contain_text(other.word("phoneKeyNot"))
    twin.hold(None)
    other.touch("phoneKeyShow")
    expect(other.page.get_by_role("alert")).to_contain_text(other.word("phoneKeyNot"))
    other.page.screenshot(path=tmp_path / "3-not-en.png", full_page=True)
    other.touch("phoneKeyWithout")
    face_to_form(other)
    other.touch("formSendTicket")  # to a clerk, as without any phone
    other.state("waiting")
    clerk.take_next()
    said = clerk.page.get_by_text("出示了通行密钥，但未登记或核验不成立")
    said.scroll_into_view_if_needed()
    expect(said).to_be_visible()
    clerk.page.screenshot(path=tmp_path / "4-console-zh.png")
    other.touch("stop")
    other.touch("stopYes")
    expect(clerk.button("clearDesk")).to_be_visible()
    clerk.clear_desk()
    other.page.context.close()
    assert house.browsers.faults == []
