"""Visits on a phone, from the link to the clerk's turn, for journeys that are about something else."""

from playwright.sync_api import expect

from tests.journeys.console import ConsoleScreen
from tests.journeys.customer import SEALING_MS, CustomerScreen
from tests.journeys.forms import ADDRESS
from tests.journeys.videos import wait_playing

ADDRESS_CHANGE = {"zh": "修改联系地址", "en": "Change my contact address"}


def open_link(phone: CustomerScreen, link: str) -> None:
    """A one-time link, opened under the name that keys are made for."""
    phone.page.goto(link.replace("//127.0.0.1:", "//localhost:"))
    phone.state("in")


def face_to_form(phone: CustomerScreen) -> None:
    """Consent and the face check."""
    phone.consent()
    phone.face_passes()
    phone.fill(ADDRESS)


def served(phone: CustomerScreen, clerk: ConsoleScreen) -> None:
    """From the ticket to the customer's signature, with the clerk who looks at the document."""
    phone.touch("formSendTicket")
    phone.state("waiting")
    clerk.take_next()
    wait_playing(clerk.page, clerk.word("customerVideo"))
    phone.state("serving")
    clerk.check_everything()
    clerk.push_document()
    phone.state("reading")
    phone.read_document()
    phone.sign()
    phone.state("countersigning", within_ms=SEALING_MS)  # the first signature of the day starts its processes


def sealed(phone: CustomerScreen, clerk: ConsoleScreen) -> None:
    """The clerk's signature, the record, and a desk for the next one."""
    clerk.countersign()
    phone.state("done", within_ms=SEALING_MS)
    expect(clerk.button("clearDesk")).to_be_visible()
    clerk.clear_desk()
