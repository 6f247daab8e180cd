"""A customer in front of a screen, doing what a person would: reading words, touching buttons, typing, signing."""

import re
from collections import Counter
from datetime import date

from playwright.sync_api import Page, expect

from tests.journeys.browsers import PATIENCE_MS
from tests.journeys.desk import DemoCard
from tests.journeys.words import say

FACE_MS = 60_000  # the check itself takes about 10 s; two cores may also run two browsers and the worker
SEALING_MS = 60_000
FINGER_MS = 60_000  # growing a synthetic finger takes a second; the network loads once


TALLY: Counter[str] = Counter()
"""Of this run's willing people: how many were `checked`, and how many of these checks `refused` them for nothing."""


class CustomerScreen:
    """The kiosk's or the phone's page, in one language."""

    def __init__(self, page: Page, language: str) -> None:
        self.page = page
        self.language = language

    def word(self, key: str, **values: str | int) -> str:
        """What the page says for a key."""
        return say(self.language, key, **values)

    def touch(self, key: str) -> None:
        """Press the button of that name."""
        self.page.get_by_role("button", name=self.word(key), exact=True).click()

    def state(self, *states: str, within_ms: float = PATIENCE_MS) -> str:
        """Wait until the page shows one of these states; which one."""
        pattern = re.compile(f"^({'|'.join(states)})$")
        main = self.page.locator("main")
        expect(main).to_have_attribute("data-state", pattern, timeout=within_ms)
        return main.get_attribute("data-state") or ""

    def face_passes(self, then: str = "form") -> None:
        """A willing person before the camera, who tries as often as one may; what follows is the state `then`."""
        passed = self.page.locator(f'main[data-state="{then}"]')
        again = self.page.get_by_role("button", name=self.word("tryAgain"), exact=True)
        expect(passed.or_(again)).to_be_visible(timeout=FACE_MS)
        while again.is_visible():
            TALLY.update(checked=1, refused=1)
            again.click()
            expect(again).to_be_hidden()
            expect(passed.or_(again)).to_be_visible(timeout=FACE_MS)
        TALLY.update(checked=1)
        self.state(then)

    def speak(self, language: str) -> None:
        """Switch the page's language."""
        self.language = language
        self.page.get_by_role("button", name="English" if language == "en" else "中文", exact=True).click()

    def start(self) -> None:
        """From the attract screen to the services."""
        self.touch("start")
        self.state("services")

    def choose(self, title: str) -> None:
        """Open a visit for the service of that title."""
        self.page.get_by_role("button", name=re.compile("^" + re.escape(title))).click()
        self.state("consent")

    def consent(self) -> None:
        """Agree."""
        self.touch("consentYes")

    def type_card(self, card: DemoCard, *, number: str | None = None) -> None:
        """Type the printed lines; the reading begins."""
        self.page.get_by_label(self.word("cardNumber")).fill(number or card.document_number)
        self._date("cardBirth", card.date_of_birth)
        self._date("cardExpiry", card.date_of_expiry)
        self.touch("cardRead")

    def _date(self, legend: str, day: date) -> None:
        """Three boxes of one date."""
        for part, value in (("year", day.year), ("month", day.month), ("day", day.day)):
            name = f"{self.word(legend)} {self.word(part)}"
            self.page.get_by_role("textbox", name=name, exact=True).fill(str(value))

    def fill(self, values: dict[str, str]) -> None:
        """Answer the form: names of fields to answers; a choice is named by its value."""
        for name, answer in values.items():
            field = self.page.locator(f'[name="{name}"]')
            if field.first.get_attribute("type") == "radio":
                self.page.locator(f'[name="{name}"][value="{answer}"]').check()
            else:
                field.fill(answer)

    def read_document(self) -> int:
        """Page through to the end; how many pages there were."""
        pages = 1
        while True:
            expect(self.page.locator(".paper-page img")).to_be_visible()
            following = self.page.get_by_role("button", name=self.word("readingNext"), exact=True)
            if following.is_disabled():
                break
            following.click()
            pages += 1
        expect(self.page.get_by_role("button", name=self.word("readingToSign"), exact=True)).to_be_enabled()
        return pages

    def sign(self) -> None:
        """Two strokes with the finger, then send them."""
        self.touch("readingToSign")
        pad = self.page.get_by_role("img", name=self.word("signPad"), exact=True)
        pad.scroll_into_view_if_needed()
        box = pad.bounding_box()
        assert box is not None, "the signature pad has no place on the screen"
        for stroke in ([(0.2, 0.3), (0.35, 0.7), (0.5, 0.25)], [(0.45, 0.6), (0.6, 0.4), (0.8, 0.65)]):
            places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
            self.page.mouse.move(*places[0])
            self.page.mouse.down()
            for place in places[1:]:
                self.page.mouse.move(*place, steps=12)
            self.page.mouse.up()
        self.touch("signSend")

    def receipt(self) -> tuple[str, str]:
        """Number and check code of the record, as shown."""
        number = self.page.locator('[data-receipt="record"]').inner_text().strip()
        return number, self.page.locator('[data-receipt="code"]').inner_text().strip()

    def reason(self) -> str:
        """Why a visit was not done, as the counter named it."""
        return self.page.locator("[data-reason]").get_attribute("data-reason") or ""

    def finish(self) -> None:
        """Leave a clean screen behind."""
        state = self.page.locator("main").get_attribute("data-state")
        self.touch("doneFinish" if state == "done" else "startAgain")
        self.state("attract")
        self.language = "zh"  # a kiosk greets whoever comes next in its first language
