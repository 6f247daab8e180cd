"""The story of issue 2, played by scripts: what a customer and two clerks do on a working day, chapter by chapter."""

import json
import re
import time
from dataclasses import dataclass

import httpx
from playwright.sync_api import expect

from tests.biometrics.simulated_customer import customer_script
from tests.journeys.browsers import Browsers
from tests.journeys.console import ConsoleScreen
from tests.journeys.customer import FACE_MS, FINGER_MS, SEALING_MS, CustomerScreen
from tests.journeys.desk import CUSTOMER_PHOTOGRAPH, CardName, Desk, Wallet
from tests.journeys.forms import ADDRESS, NEW_CARD, NEW_LIMIT, PIN_CARD
from tests.journeys.glass import CUSTOMER, STRANGER
from tests.journeys.photographs import photograph
from tests.journeys.report import Report, StoryError
from tests.journeys.safe import check_safe
from tests.journeys.stack import Stack
from tests.journeys.videos import AUDIBLE, loudest, wait_playing
from webrtc.wire.catalogue import CatalogueView, ServiceOffer
from webrtc.wire.message import Language, Text

IMPRESSIONS = 3  # counter_server/visits/enrolments.py


@dataclass(slots=True)
class Story:
    """Everybody and everything that takes part."""

    stack: Stack
    wallet: Wallet
    desk: Desk
    browsers: Browsers
    report: Report
    records: list[str]

    def offer(self, service_id: str) -> ServiceOffer:
        """A service as the kiosk's catalogue shows it."""
        answer = httpx.get(f"{self.stack.kiosk_url}/api/catalogue", trust_env=False)
        offers = CatalogueView.model_validate_json(answer.content).services
        return next(offer for offer in offers if offer.service_id == service_id)

    def play(self) -> None:
        """Every chapter in turn.

        Raises:
            StoryError, AssertionError, playwright.sync_api.Error: where it did not hold.
        """
        script = customer_script(photograph(CUSTOMER_PHOTOGRAPH))
        kiosk = CustomerScreen(self.browsers.kiosk(script), "zh")
        kiosk.page.goto(self.stack.kiosk_url)
        self.change_address(kiosk)
        self.impostor(kiosk)
        self.held_picture(kiosk)
        if self.stack.glass is not None:
            self.register_finger(kiosk)
            self.reset_pin(kiosk)
            self.strange_finger(kiosk)
        zhang = ConsoleScreen(self.browsers.console("zh"), self.stack.clerks["zhang"])
        li = ConsoleScreen(self.browsers.console("en"), self.stack.clerks["li"])
        self.report.chapter("Two clerks begin their day · 柜员上班")
        for clerk in (zhang, li):
            with self.report.step(f"{clerk.clerk.username} logs in", console=clerk.page):
                clerk.log_in(self.stack.console_url)
            with self.report.step(f"{clerk.clerk.username} registers a passkey", console=clerk.page):
                clerk.register_passkey()
        with self.report.step("zhang logs in by passkey, without a name or password", console=zhang.page):
            zhang.log_out_and_in_by_passkey()
        self.replace_card(kiosk, zhang)
        self.raise_limit(kiosk, zhang, li)
        self.phone(kiosk, zhang, script)
        self.power_cut(kiosk)
        check_safe(self.stack, self.records, self.report)
        if self.report.barriers:
            raise StoryError("axe found barriers: " + "; ".join(self.report.barriers[:5]))
        if self.browsers.faults:
            raise StoryError(f"pages reported script errors: {self.browsers.faults[:3]}")

    # --- chapters -------------------------------------------------------------------------------------------------

    def change_address(self, kiosk: CustomerScreen) -> None:
        """Low risk: card and face, then the customer does it alone."""
        self.report.chapter("A change of address, alone at the kiosk · 修改联系地址（自助）")
        self.open(kiosk, "change-address")
        card = self.wallet.cards[CardName.GENUINE]
        self.desk.put(card)
        with self.report.step("a mistyped document number is refused in plain words", kiosk=kiosk.page):
            kiosk.type_card(card, number="VC9999999")
            expect(kiosk.page.get_by_role("alert")).to_be_visible()
        self.desk.pull()
        self.identify(kiosk, CardName.GENUINE, figures=True)
        with self.report.step("the form is filled in and read once more", kiosk=kiosk.page):
            kiosk.fill(ADDRESS)
            kiosk.touch("continue")
            kiosk.state("confirm")
        with self.report.step("confirmed, done and sealed", kiosk=kiosk.page):
            kiosk.touch("confirmYes")
            kiosk.state("done", within_ms=SEALING_MS)
        self.take_receipt(kiosk)

    def impostor(self, kiosk: CustomerScreen) -> None:
        """Somebody else's genuine card: the face ends it."""
        self.report.chapter("Somebody else's card · 冒用他人证件")
        with self.report.step("the page speaks English", kiosk=kiosk.page):
            kiosk.speak("en")
        self.open(kiosk, "change-address")
        self.read_card(kiosk, CardName.IMPOSTOR)
        with self.report.step("the face is not the one in the chip: refused", kiosk=kiosk.page):
            self.fail_every_try(kiosk, "face_different")
        kiosk.finish()

    def held_picture(self, kiosk: CustomerScreen) -> None:
        """The right face as a picture that cannot hear what it is asked: liveness ends it."""
        self.report.chapter("A picture held before the camera · 照片冒充")
        self.open(kiosk, "change-address")
        kiosk.page.evaluate("window.__simulatedPerson.mode = 'still'")
        self.read_card(kiosk, CardName.GENUINE)
        with self.report.step("the picture does not follow the movements: refused", kiosk=kiosk.page):
            self.fail_every_try(kiosk, "not_live")
        kiosk.finish()  # loads the page anew, and with it a customer who reacts

    def register_finger(self, kiosk: CustomerScreen) -> None:
        """Chip and face say whose the finger is; three impressions are kept as templates, no picture."""
        self.report.chapter("A finger is registered · 登记指纹")
        self.open(kiosk, "enrol-finger")
        self.identify(kiosk, CardName.GENUINE, then="finger")
        with self.report.step("three impressions, each compared with those before", kiosk=kiosk.page):
            for taken in range(1, IMPRESSIONS):
                self.lay_finger()
                if taken == 1:
                    kiosk.touch("fingerStart")
                done = kiosk.word("fingerOf", n=taken, all=IMPRESSIONS)
                expect(kiosk.page.get_by_text(done)).to_be_visible(timeout=FINGER_MS)
            self.lay_finger()
            kiosk.state("confirm", within_ms=FINGER_MS)
        with self.report.step("confirmed; the templates are sealed", kiosk=kiosk.page):
            kiosk.touch("confirmYes")
            kiosk.state("done", within_ms=SEALING_MS)
        self.take_receipt(kiosk)

    def reset_pin(self, kiosk: CustomerScreen) -> None:
        """Card, face and the registered finger: alone at the kiosk."""
        self.report.chapter("A new PIN: card, face and finger · 重置密码（证件＋人脸＋指纹）")
        self.open(kiosk, "reset-pin")
        self.identify(kiosk, CardName.GENUINE, then="finger")
        with self.report.step("the registered finger is recognised", kiosk=kiosk.page):
            began = time.monotonic()
            self.lay_finger()
            kiosk.touch("fingerStart")
            kiosk.state("form", within_ms=FINGER_MS)
            self.report.figure("from 'begin' to the finger verified", time.monotonic() - began)
        with self.report.step("the form, once more read, confirmed and sealed", kiosk=kiosk.page):
            kiosk.fill(PIN_CARD)
            kiosk.touch("continue")
            kiosk.state("confirm")
            kiosk.touch("confirmYes")
            kiosk.state("done", within_ms=SEALING_MS)
        self.take_receipt(kiosk)

    def strange_finger(self, kiosk: CustomerScreen) -> None:
        """The right card and face with somebody else's finger."""
        self.report.chapter("Somebody else's finger · 他人手指")
        self.open(kiosk, "reset-pin")
        self.identify(kiosk, CardName.GENUINE, then="finger")
        with self.report.step("not the registered finger: tried again, then refused", kiosk=kiosk.page):
            self.lay_finger(STRANGER)
            kiosk.touch("fingerStart")
            for left in (2, 1):
                tries = kiosk.page.get_by_text(kiosk.word("faceAttempts", n=left))
                expect(tries).to_be_visible(timeout=FINGER_MS)
                self.lay_finger(STRANGER)
                kiosk.touch("tryAgain")
            kiosk.state("refused", within_ms=FINGER_MS)
            if kiosk.reason() != "finger_different":
                raise StoryError(f"refused for {kiosk.reason()}, not for finger_different")
        self.lay_finger()
        kiosk.finish()

    def lay_finger(self, person: int = CUSTOMER) -> None:
        """This person's finger comes to the glass for the next picture."""
        if self.stack.glass is not None:
            self.stack.glass.come(person)

    def fail_every_try(self, kiosk: CustomerScreen, reason: str) -> None:
        """Try the face check as often as allowed; it must end in refusal for that reason."""
        for left in (2, 1):
            expect(kiosk.page.get_by_text(kiosk.word("faceAttempts", n=left))).to_be_visible(timeout=FACE_MS)
            kiosk.touch("tryAgain")
        kiosk.state("refused", within_ms=FACE_MS)
        if kiosk.reason() != reason:
            raise StoryError(f"refused for {kiosk.reason()}, not for {reason}")

    def replace_card(self, kiosk: CustomerScreen, zhang: ConsoleScreen) -> None:
        """High risk: a clerk on the screen, a contract, two signatures."""
        self.report.chapter("A lost card, with a clerk by video · 补办银行卡（视频）")
        kiosk.speak("en")
        self.open(kiosk, "replace-card")
        self.identify(kiosk, CardName.GENUINE)
        self.queue(kiosk, NEW_CARD)
        self.serve(kiosk, zhang, figures=True)
        with self.report.step("another finger on the clerk's key signs nothing", console=zhang.page):
            zhang.countersign_with_wrong_finger()
        with self.report.step("the clerk countersigns by passkey; sealed", kiosk=kiosk.page, console=zhang.page):
            zhang.countersign()
            kiosk.state("done", within_ms=SEALING_MS)
        self.take_receipt(kiosk)
        zhang.clear_desk()

    def raise_limit(self, kiosk: CustomerScreen, zhang: ConsoleScreen, li: ConsoleScreen) -> None:
        """High risk with a second person."""
        self.report.chapter("A higher limit, approved by a second person · 提高转账限额（双人）")
        kiosk.speak("zh")
        self.open(kiosk, "raise-limit")
        self.identify(kiosk, CardName.GENUINE)
        ticket = self.queue(kiosk, NEW_LIMIT)
        self.serve(kiosk, zhang)
        with self.report.step("the clerk countersigns; it waits for another person", kiosk=kiosk.page):
            zhang.countersign()
            kiosk.state("approving")
        with self.report.step("who signed cannot approve", console=zhang.page):
            zhang.button("approvalOpen", number=ticket).click()
            expect(zhang.page.get_by_text(zhang.word("approvalMine"))).to_be_visible()
        with self.report.step("the second clerk approves; sealed", approver=li.page, kiosk=kiosk.page):
            li.approve(ticket)
            kiosk.state("done", within_ms=SEALING_MS)
        self.take_receipt(kiosk)
        zhang.clear_desk()

    def phone(self, kiosk: CustomerScreen, zhang: ConsoleScreen, script: str) -> None:
        """A one-time link: honest about what a phone can prove, and good for one opening."""
        self.report.chapter("On a phone, by a one-time link · 手机链接")
        with self.report.step("the kiosk shows a link", kiosk=kiosk.page):
            kiosk.start()
            kiosk.touch("phoneInstead")
            expect(kiosk.page.get_by_role("img", name=kiosk.word("phoneQr"))).to_be_visible()
        answer = httpx.post(f"{self.stack.kiosk_url}/api/kiosk/phone-links", trust_env=False)
        link = answer.raise_for_status().json()["url"]
        phone = CustomerScreen(self.browsers.phone(script, "en"), "en")
        with self.report.step("a phone opens it: what needs the chip is closed here", phone=phone.page):
            phone.page.goto(link)
            closed = phone.page.get_by_role("button", name=re.compile("^" + self.offer("raise-limit").title.en))
            expect(closed).to_be_disabled()
        with self.report.step("a second phone cannot use the same link", phone=phone.page):
            second = CustomerScreen(self.browsers.phone(script, "en"), "en")
            second.page.goto(link)
            expect(second.page.get_by_text(second.word("linkFailed"))).to_be_visible()
            second.page.context.close()
        with self.report.step("consent, and a living face without a comparison", phone=phone.page):
            phone.choose(self.offer("change-address").title.en)
            phone.consent()
            phone.face_passes()
        self.queue(phone, ADDRESS, screen="phone")
        self.serve(phone, zhang, screen="phone")
        with self.report.step("the clerk countersigns; sealed", phone=phone.page, console=zhang.page):
            zhang.countersign()
            phone.state("done", within_ms=SEALING_MS)
        self.take_receipt(phone, finish=False)
        zhang.clear_desk()
        phone.page.context.close()

    def power_cut(self, kiosk: CustomerScreen) -> None:
        """SIGKILL in the middle of a visit: nobody is stuck, and what was sealed stays whole."""
        self.report.chapter("The counter is killed in the middle of a visit · 断电")
        kiosk.page.goto(self.stack.kiosk_url)
        self.open(kiosk, "replace-card")
        with self.report.step("killed and started again", kiosk=kiosk.page):
            self.stack.kill_counter()
            self.stack.start_counter()
        with self.report.step("the customer is told that the visit was interrupted", kiosk=kiosk.page):
            kiosk.state("interrupted", within_ms=FACE_MS)
        kiosk.finish()

    # --- parts that several chapters share ------------------------------------------------------------------------

    def open(self, kiosk: CustomerScreen, service_id: str) -> None:
        """From the attract screen to the first question about the customer."""
        with self.report.step(f"the customer chooses {service_id} and consents", kiosk=kiosk.page):
            kiosk.start()
            kiosk.choose(spoken(self.offer(service_id).title, kiosk.language))
            kiosk.consent()
            kiosk.state("card")

    def read_card(self, kiosk: CustomerScreen, name: CardName, *, figures: bool = False) -> None:
        """Type the key, put the card down, wait until the counter has checked the chip."""
        card = self.wallet.cards[name]
        with self.report.step("the card is read and its chip verified", kiosk=kiosk.page):
            kiosk.type_card(card)
            expect(kiosk.page.get_by_text(kiosk.word("cardPutTitle"))).to_be_visible()
            self.desk.put(card)
            began = time.monotonic()
            kiosk.state("face")
            if figures:
                self.report.figure("from card put down to chip verified", time.monotonic() - began)
        self.desk.pull()

    def identify(self, kiosk: CustomerScreen, name: CardName, *, figures: bool = False, then: str = "form") -> None:
        """Card and face; what follows is the state `then`."""
        began = time.monotonic()
        self.read_card(kiosk, name, figures=figures)
        seen = time.monotonic()
        with self.report.step("the face follows random movements and is compared with the chip", kiosk=kiosk.page):
            kiosk.face_passes(then)
        if figures:
            self.report.figure("from chip verified to face verified", time.monotonic() - seen)
            self.report.figure("from typed card to verified identity", time.monotonic() - began)

    def queue(self, customer: CustomerScreen, values: dict[str, str], *, screen: str = "kiosk") -> str:
        """Fill in the form and take a ticket; its number."""
        with self.report.step("the form is filled in; a ticket with its place in the queue", **{screen: customer.page}):
            customer.fill(values)
            customer.touch("formSendTicket")
            customer.state("waiting")
            return customer.page.locator(".ticket-number").inner_text().strip()

    def serve(
        self, customer: CustomerScreen, clerk: ConsoleScreen, *, figures: bool = False, screen: str = "kiosk"
    ) -> None:
        """From the clerk's click to the customer's signature."""
        with self.report.step(
            "a clerk takes the ticket; both see each other", console=clerk.page, **{screen: customer.page}
        ):
            began = time.monotonic()
            clerk.take_next()
            wait_playing(clerk.page, clerk.word("customerVideo"))
            if figures:
                self.report.figure("from the clerk's click to the customer's picture", time.monotonic() - began)
            customer.state("serving")
            wait_playing(customer.page, customer.word("servingClerkVideo"))
            if figures:
                self.report.figure("from the clerk's click to the clerk's picture", time.monotonic() - began)
        with self.report.step("both hear each other"):
            for page, label in (
                (clerk.page, clerk.word("customerVideo")),
                (customer.page, customer.word("servingClerkVideo")),
            ):
                heard = loudest(page, label)
                if heard < AUDIBLE:
                    raise StoryError(f"nothing is heard at {label}: {heard}")
        with self.report.step("the checklist is worked through", console=clerk.page):
            clerk.check_everything()
        with self.report.step("the contract opens on both screens", console=clerk.page, **{screen: customer.page}):
            clerk.push_document()
            customer.state("reading")
        with self.report.step("the customer pages through it and signs", **{screen: customer.page}):
            customer.read_document()
            customer.sign()
            customer.state("countersigning", within_ms=SEALING_MS)  # the first of a day starts the signing processes

    def take_receipt(self, customer: CustomerScreen, *, finish: bool = True) -> None:
        """Note the record's number; a stranger may check it with the code and without one learns nothing."""
        number, code = customer.receipt()
        with self.report.step(f"the receipt of record {number} holds"):
            url = f"{self.stack.counter_url}/api/receipts/{number}"
            known = httpx.get(url, params={"code": code}, trust_env=False, verify=False).json()  # noqa: S501 - demo CA
            guessed = httpx.get(url, params={"code": "AAAA-AAAA"}, trust_env=False, verify=False)  # noqa: S501 - as above
            if not (known["known"] and known["intact"]):
                raise StoryError(f"the receipt check says {json.dumps(known)}")
            if guessed.is_success and guessed.json()["known"]:
                raise StoryError("the receipt check believes a wrong code")
        self.records.append(number)
        if finish:
            customer.finish()


def spoken(text: Text, language: str) -> str:
    """A counter's text in the page's language."""
    return text.zh if language == Language.ZH else text.en
