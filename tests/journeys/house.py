"""A running house for journeys: counter, kiosk, reader, cards and browsers, and the ways several journeys begin."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import ViewportSize, expect

from tests.biometrics.simulated_customer import customer_script
from tests.journeys.browsers import KIOSK_SIZE, Browsers, two_browsers
from tests.journeys.console import ConsoleScreen
from tests.journeys.customer import CustomerScreen
from tests.journeys.desk import CUSTOMER_PHOTOGRAPH, CardName, Desk, Wallet, make_wallet
from tests.journeys.forms import NEW_CARD
from tests.journeys.photographs import photograph
from tests.journeys.stack import Stack, running_stack
from tests.journeys.videos import wait_playing


@dataclass(frozen=True, slots=True)
class House:
    """A running house with its browsers."""

    stack: Stack
    wallet: Wallet
    desk: Desk
    browsers: Browsers

    def kiosk(self, mode: str = "reacts", *, size: ViewportSize = KIOSK_SIZE) -> CustomerScreen:
        """A kiosk with a customer of that mode before it, at the services."""
        screen = CustomerScreen(self.browsers.kiosk(customer_script(photograph(CUSTOMER_PHOTOGRAPH), mode)), "zh")
        screen.page.set_viewport_size(size)
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

    def in_queue(self, kiosk: CustomerScreen, title: str, values: dict[str, str]) -> str:
        """Identified, the form filled in, a ticket taken; its number."""
        self.with_card(kiosk, title)
        kiosk.face_passes()
        kiosk.fill(values)
        kiosk.touch("formSendTicket")
        kiosk.state("waiting")
        return kiosk.page.locator(".ticket-number").inner_text().strip()

    def in_call(self, kiosk: CustomerScreen, clerk: ConsoleScreen) -> None:
        """A lost card, taken by the clerk; both see each other."""
        self.in_queue(kiosk, "补办银行卡", NEW_CARD)
        clerk.take_next()
        kiosk.state("serving")
        wait_playing(clerk.page, clerk.word("customerVideo"))

    def clerk(self, username: str) -> ConsoleScreen:
        """A clerk logged in at a browser of their own."""
        person = self.stack.clerks[username]
        screen = ConsoleScreen(self.browsers.console(person.language), person)
        screen.log_in(self.stack.console_url)
        return screen


@contextlib.contextmanager
def open_house(folder: Path) -> Iterator[House]:
    """A house for as long as the block lasts."""
    with contextlib.ExitStack() as parts:
        wallet = make_wallet(folder / "cards")
        stack = parts.enter_context(running_stack(folder, trusted=(wallet.csca,)))
        browsers = parts.enter_context(two_browsers())
        desk = Desk(stack.reader, folder / "logs")
        parts.callback(desk.pull)
        yield House(stack, wallet, desk, browsers)


def free_desk(clerk: ConsoleScreen) -> None:
    """Wait until the visit at this desk is over and the desk is free; houses are shared, a kept desk serves nobody."""
    expect(clerk.button("clearDesk")).to_be_visible()
    clerk.clear_desk()
    expect(clerk.page.get_by_role("heading", name=clerk.word("noVisitTitle"))).to_be_visible()


def stop(kiosk: CustomerScreen, clerk: ConsoleScreen) -> None:
    """The customer ends the visit; the desk is free for the next test."""
    kiosk.touch("stop")
    kiosk.touch("stopYes")
    kiosk.state("cancelled", "attract")
    free_desk(clerk)
    kiosk.page.context.close()
