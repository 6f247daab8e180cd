"""A clerk's passkey in a real browser, with Chromium's own virtual authenticator; and what supervisors see."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.biometrics.simulated_customer import customer_script
from tests.journeys.browsers import Browsers, two_browsers
from tests.journeys.console import ConsoleScreen
from tests.journeys.customer import CustomerScreen
from tests.journeys.desk import CUSTOMER_PHOTOGRAPH
from tests.journeys.phone_visits import ADDRESS_CHANGE, face_to_form, open_link, sealed, served
from tests.journeys.photographs import photograph
from tests.journeys.reader import cable_reader
from tests.journeys.stack import Stack, throw_away_clerks

# Not a journey of the shared house: one Playwright a process, and who has a passkey signs by no password.
pytestmark = pytest.mark.timeout(480)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A counter without a kiosk."""
    stack = Stack(tmp_path_factory.mktemp("house"), cable_reader(), throw_away_clerks(), None)
    try:
        stack.prepare()
        stack.start_counter()
        yield stack
    finally:
        stack.stop()


@pytest.fixture(scope="module")
def browsers() -> Iterator[Browsers]:
    with two_browsers() as opened:
        yield opened


def test_a_passkey_logs_in_and_another_finger_does_not(stack: Stack, browsers: Browsers, tmp_path: Path) -> None:
    zhang = ConsoleScreen(browsers.console("zh"), stack.clerks["zhang"])
    zhang.log_in(stack.console_url)
    zhang.register_passkey()
    assert zhang.authenticator is not None
    zhang.page.screenshot(path=tmp_path / "registered-zh.png")
    before = zhang.authenticator.sign_count()
    zhang.button("logout").click()
    zhang.authenticator.verify_people(well=False)
    zhang.button("loginPasskey").click()
    expect(zhang.page.get_by_role("alert")).to_be_visible()
    zhang.page.screenshot(path=tmp_path / "refused-zh.png")
    zhang.authenticator.verify_people(well=True)
    zhang.button("loginPasskey").click()
    expect(zhang.page.get_by_role("heading", name=zhang.word("queueTitle"))).to_be_visible()
    assert zhang.authenticator.sign_count() > before
    assert browsers.faults == []


def test_a_clerk_countersigns_by_passkey_and_with_another_finger_nothing(
    stack: Stack, browsers: Browsers, tmp_path: Path
) -> None:
    li = ConsoleScreen(browsers.console("en"), stack.clerks["li"])
    li.log_in(stack.console_url)
    li.register_passkey()
    link = li.page.request.post(stack.console_url.removesuffix("/console") + "/api/console/phone-links").json()["url"]
    phone = CustomerScreen(browsers.phone(customer_script(photograph(CUSTOMER_PHOTOGRAPH)), "en"), "en")
    open_link(phone, link)
    phone.choose(ADDRESS_CHANGE["en"])
    face_to_form(phone)
    served(phone, li)
    li.countersign_with_wrong_finger()
    li.page.screenshot(path=tmp_path / "wrong-finger-en.png")
    phone.state("countersigning")
    sealed(phone, li)
    number, _ = phone.receipt()
    assert "1 passkeys" in stack.record("verify", number, "--content")
    li.page.context.close()
    phone.page.context.close()
    assert browsers.faults == []


def test_supervisors_see_deliveries_and_clerks_do_not(stack: Stack, browsers: Browsers, tmp_path: Path) -> None:
    li = ConsoleScreen(browsers.console("en"), stack.clerks["li"])
    li.log_in(stack.console_url)
    li.page.screenshot(path=tmp_path / "console-en.png")
    _some_deliveries(stack.home / "counter.sqlite3")
    li.page.get_by_role("link", name=li.word("deliveries")).click()
    expect(li.page.get_by_role("heading", name="Deliveries")).to_be_visible()
    li.page.screenshot(path=tmp_path / "deliveries-en.png")
    li.page.get_by_role("button", name="Drop 1").click()
    expect(li.page.get_by_role("cell", name="dropped")).to_be_visible()
    zhang = ConsoleScreen(browsers.console("zh"), stack.clerks["zhang"])
    zhang.log_in(stack.console_url)
    assert zhang.page.get_by_role("link", name=zhang.word("deliveries")).count() == 0
    answer = zhang.page.request.get(f"{stack.console_url}/deliveries")
    assert answer.status == 403


def _some_deliveries(database: Path) -> None:
    """As a day leaves them behind."""
    states = [
        ("core-banking", "dead", "status_503", 36),
        ("letters", "delivered", None, 1),
        ("sms", "waiting", None, 0),
    ]
    with sqlite3.connect(database) as connection:
        connection.executemany(
            "INSERT INTO delivery (event_id, subscriber, subject, record_id, body, state, attempts, next_at_s, trouble,"
            " made_at_s) VALUES ('evt_1', ?, 'C-1', 'R-20261121-7K3M9Q2X', '{}', ?, ?, 4e9, ?, 1795262400)",
            [(name, state, tries, trouble) for name, state, trouble, tries in states],
        )
    connection.close()
