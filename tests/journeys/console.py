"""A clerk at the console."""

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.journeys.stack import Clerk
from tests.journeys.words import say


class VirtualAuthenticator:
    """WebAuthn's own automation (Level 3 §11), over Chromium's debugging protocol."""

    def __init__(self, page: Page) -> None:
        self._line = page.context.new_cdp_session(page)
        self._line.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "ctap2Version": "ctap2_1",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        self.name = self._line.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def verify_people(self, *, well: bool) -> None:
        """Whether the finger on it is the right one."""
        self._line.send("WebAuthn.setUserVerified", {"authenticatorId": self.name, "isUserVerified": well})

    def sign_count(self) -> int:
        """The counter of its one key."""
        return int(self.credentials()[0]["signCount"])

    def credentials(self) -> list[dict[str, Any]]:
        """What lies on it, private keys included."""
        held = self._line.send("WebAuthn.getCredentials", {"authenticatorId": self.name})
        return list(held["credentials"])

    def hold(self, credential: dict[str, Any] | None) -> None:
        """Nothing but this lies on it from now on."""
        self._line.send("WebAuthn.clearCredentials", {"authenticatorId": self.name})
        if credential is not None:
            self._line.send("WebAuthn.addCredential", {"authenticatorId": self.name, "credential": credential})


class ConsoleScreen:
    """The clerk's page."""

    def __init__(self, page: Page, clerk: Clerk) -> None:
        self.page = page
        self.clerk = clerk
        self.language = clerk.language
        self.authenticator: VirtualAuthenticator | None = None

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

    def register_passkey(self) -> None:
        """A passkey for this clerk, from now on in the password's place; the right finger is always on it."""
        self.authenticator = VirtualAuthenticator(self.page)
        panel = self.page.get_by_role("region", name=self.word("passkeysTitle"))
        panel.get_by_role("button", name=self.word("passkeyAdd")).click()
        panel.get_by_label(self.word("password"), exact=True).fill(self.clerk.password)
        panel.get_by_role("button", name=self.word("passkeyAdd")).click()
        expect(panel.get_by_text(self.word("passkeysSome", n=1))).to_be_visible()

    def log_out_and_in_by_passkey(self) -> None:
        """No name and no password: the key says who it is."""
        self.button("logout").click()
        self.button("loginPasskey").click()
        expect(self.page.get_by_role("heading", name=self.word("queueTitle"))).to_be_visible()

    def prove(self) -> None:
        """The password, where there is no passkey that asks for itself."""
        if self.authenticator is None:
            self.page.get_by_label(self.word("password"), exact=True).fill(self.clerk.password)

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
        """Sign with the passkey, or the password once more."""
        expect(self.page.get_by_text(self.word("customerSigned")).first).to_be_visible()
        self.prove()
        self.button("countersign").click()

    def approve(self, ticket: str) -> None:
        """Look at another clerk's document and approve it."""
        self.button("approvalOpen", number=ticket).click()
        self.prove()
        self.button("approve").click()

    def countersign_with_wrong_finger(self) -> None:
        """Nothing is signed, and the page says so."""
        assert self.authenticator is not None
        self.authenticator.verify_people(well=False)
        self.countersign()
        expect(self.page.get_by_role("alert").first).to_be_visible()
        self.authenticator.verify_people(well=True)

    def clear_desk(self) -> None:
        """Make room for the next customer."""
        clear = self.button("clearDesk")
        if clear.is_visible():
            clear.click()
