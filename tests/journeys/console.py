"""A clerk at the console."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.journeys.stack import Clerk
from tests.journeys.words import say


class ConsoleScreen:
    """The clerk's page."""

    def __init__(self, page: Page, clerk: Clerk) -> None:
        self.page = page
        self.clerk = clerk
        self.language = clerk.language

    def word(self, key: str, **values: str | int) -> str:
        """What the page says for a key."""
        return say(self.language, key, **values)

    def button(self, key: str, **values: str | int) -> Locator:
        """The button of that name."""
        return self.page.get_by_role("button", name=self.word(key, **values), exact=True)

    def log_in(self, url: str) -> None:
        """Open the console and log in."""
        self.page.goto(url)
        self.page.get_by_label(self.word("username"), exact=True).fill(self.clerk.username)
        self.page.get_by_label(self.word("password"), exact=True).fill(self.clerk.password)
        self.button("login").click()
        expect(self.page.get_by_role("heading", name=self.word("queueTitle"))).to_be_visible()

    def take_next(self) -> None:
        """Take the customer at the head of the queue."""
        self.button("takeNext").click()
        expect(self.page.get_by_role("heading", name=self.word("checklistTitle"))).to_be_visible()

    def check_everything(self) -> None:
        """Mark every item of the checklist as seen to."""
        passing = re.compile("^" + re.escape(self.word("passItem", text="\0")).replace("\0", ".+"))
        buttons = self.page.get_by_role("button", name=passing)
        for place in range(buttons.count()):
            buttons.nth(place).click()
        expect(self.page.get_by_text(self.word("checklistDone")).first).to_be_visible()

    def push_document(self) -> None:
        """Open the document on both screens."""
        self.button("pushDocument").click()

    def countersign(self) -> None:
        """Sign with the password once more."""
        expect(self.page.get_by_text(self.word("customerSigned")).first).to_be_visible()
        self.page.get_by_label(self.word("password"), exact=True).fill(self.clerk.password)
        self.button("countersign").click()

    def approve(self, ticket: str) -> None:
        """Look at another clerk's document and approve it."""
        self.button("approvalOpen", number=ticket).click()
        self.page.get_by_label(self.word("password"), exact=True).fill(self.clerk.password)
        self.button("approve").click()

    def clear_desk(self) -> None:
        """Make room for the next customer."""
        clear = self.button("clearDesk")
        if clear.is_visible():
            clear.click()
