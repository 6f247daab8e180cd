"""The line is measured before anybody waits, over the counter's own media engine, and the page says what is true."""

import re

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.journeys.customer import CustomerScreen
from tests.journeys.house import House

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]

FOUND_MS = 40_000  # 12 s to find a way and 8 to 14 s to measure, on a machine three times slower
LINE = ".line-check[data-verdict]"


def narrow(page: Page, *, latency_ms: float = 0, bytes_s: float = -1, loss_percent: float = 0) -> CDPSession:
    """Let the page's network be like this, its calls included."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": latency_ms,
            "downloadThroughput": bytes_s,
            "uploadThroughput": bytes_s,
            "packetLoss": loss_percent,
            "packetQueueLength": 100,
        },
    )
    return session


def verdict(kiosk: CustomerScreen) -> str:
    """What the page says of the line."""
    line = kiosk.page.locator(LINE)
    expect(line).to_be_visible(timeout=FOUND_MS)
    return line.get_attribute("data-verdict") or ""


def test_a_good_line_is_called_good_and_consent_need_not_wait_for_it(house: House) -> None:
    kiosk = house.kiosk()
    kiosk.choose("修改联系地址")
    expect(kiosk.page.get_by_text(kiosk.word("lineFinding"))).to_be_visible()
    expect(kiosk.page.get_by_role("button", name=kiosk.word("consentYes"))).to_be_enabled()
    assert verdict(kiosk) == "good"
    rate = re.search(r"([\d.]+) Mbit/s", kiosk.page.locator(LINE).inner_text())
    assert rate is not None
    assert float(rate[1]) >= 0.5
    kiosk.consent()
    kiosk.state("card")
    kiosk.page.context.close()


@pytest.mark.parametrize(
    ("amiss", "expected"),
    [
        ({"bytes_s": 25_000}, "coarse"),  # 200 kbit/s
        ({"latency_ms": 600}, "not_now"),  # nobody converses over 1.2 s
    ],
)
def test_a_poor_line_is_called_what_it_is_and_may_be_tried(
    house: House, amiss: dict[str, float], expected: str
) -> None:
    kiosk = house.kiosk()
    narrow(kiosk.page, **amiss)
    kiosk.choose("修改联系地址")
    assert verdict(kiosk) == expected
    kiosk.consent()
    kiosk.state("card")
    kiosk.page.context.close()


def test_no_way_to_the_counter_is_said_with_what_to_do_and_can_be_tested_again(house: House) -> None:
    kiosk = house.kiosk()
    # A page whose every way is closed: a relay is demanded, and this counter has none.
    kiosk.page.evaluate(
        "() => { const Real = RTCPeerConnection; window.RTCPeerConnection = class extends Real {"
        " constructor(c) { super({...c, iceTransportPolicy: window.__open ? 'all' : 'relay'}); } }; }"
    )
    kiosk.choose("修改联系地址")
    assert verdict(kiosk) == "not_now"
    line = kiosk.page.locator(LINE)
    expect(line.get_by_role("alert")).to_contain_text(kiosk.word("lineUnreachable"))
    expect(line.get_by_text(kiosk.word("lineHelpKiosk"))).to_be_visible()
    assert "Mbit/s" not in line.inner_text()  # nothing was measured, so no figure is given
    kiosk.page.evaluate("window.__open = true")
    kiosk.touch("lineAgain")
    expect(kiosk.page.locator(f'{LINE}[data-verdict="good"]')).to_be_visible(timeout=FOUND_MS)
    kiosk.page.context.close()
