"""What stays behind where strangers may look: log lines and the database's file."""

import asyncio
import io
import logging
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from counter_server.app import build_app
from counter_server.config import Patience
from counter_server.people import clerks
from counter_server.records import service as records
from counter_server.visits import card_step, customer, desk, presence, store
from tests.counter_server.builders import (
    ADDRESS,
    PASSWORD,
    add_clerk,
    chip_message,
    decided,
    face,
    noticed,
    office_in,
    opened,
    signature,
    signed,
    with_card_and_face,
)
from tests.counter_server.test_doors import doors, enrolled
from webrtc.logs import LINE, PlaceFormatter
from webrtc.wire.catalogue import Channel
from webrtc.wire.console import Countersign
from webrtc.wire.face import ContinuityState
from webrtc.wire.visit import GiveConsent, SubmitForm, VisitState

CANARY_ADDRESS, CANARY_PHONE = "北京市金丝雀街7号", "010-55550007"
KEY = {"idempotency-key": "7a0e5a39-5f2c-4d6e-9f2d-canary000001"}


@contextmanager
def everything_logged() -> Iterator[io.StringIO]:
    """All loggers at their most talkative, through the formatter that the counter's process uses."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(PlaceFormatter(LINE))
    handler.addFilter(lambda record: not record.name.startswith("http"))  # the test's own client
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield written
    finally:
        root.setLevel(before)
        root.removeHandler(handler)


async def test_a_whole_visit_leaves_no_name_number_address_or_token_in_the_log(tmp_path: Path) -> None:
    with everything_logged() as written:
        logging.getLogger("counter_server.anything").debug("somebody listens")
        async with doors(tmp_path) as (office, public, kiosk):
            await add_clerk(office, "zhang")
            await public.post("/api/console/login", json={"username": "zhang", "password": "canary-password-wrong"})
            await public.post("/api/console/login", json={"username": "zhang", "password": PASSWORD})
            session = str(next(iter(public.cookies.jar)).value)
            kiosk_page = await kiosk(await enrolled(office, tmp_path))
            opened = await kiosk_page.post("/api/visits", json={"service_id": "change-address", "language": "zh"})
            token, visit_id = opened.json()["visit_token"], opened.json()["view"]["visit_id"]
            mine, path = {"authorization": f"Bearer {token}"}, f"/api/visits/{visit_id}"
            agreed = GiveConsent(recording=True, biometrics=True).model_dump()
            await kiosk_page.post(f"{path}/consent", json=agreed, headers=mine)
            await card_step.take_chip_evidence(office, visit_id, chip_message())
            await decided(office, face(visit_id, "refer"))
            bad = {"address": CANARY_ADDRESS + "\U0010fffd", "postcode": "100033", "phone": CANARY_PHONE}
            assert (await kiosk_page.post(f"{path}/form", json={"values": bad}, headers=mine)).status_code == 422
            await kiosk_page.post(f"{path}/form", json={"values": bad, "more": CANARY_ADDRESS}, headers=mine)
            good = bad | {"address": CANARY_ADDRESS}
            assert (await kiosk_page.post(f"{path}/form", json={"values": good}, headers=mine)).status_code == 200
            taken = (await public.post("/api/console/tickets/next")).json()["visit"]
            await noticed(office, await office.db.run(store.load, visit_id), ContinuityState.HELD)
            for item in taken["checklist"]:
                answer = {"outcome": "passed", "note": "canary-note"}
                await public.post(f"/api/console/visits/{visit_id}/checklist/{item['item_id']}", json=answer)
            shown = (await public.post(f"/api/console/visits/{visit_id}/document")).json()["visit"]["document"]
            for page in range(1, shown["pages"] + 1):
                seen = {"document_sha256": shown["sha256"], "page": page}
                await kiosk_page.post(f"{path}/pages-seen", json=seen, headers=mine)
            drawn = signature(shown["sha256"]).model_dump(mode="json")
            await kiosk_page.post(f"{path}/signature", json=drawn, headers=mine)
            sign = {"document_sha256": shown["sha256"], "password": PASSWORD}
            done = await public.post(f"/api/console/visits/{visit_id}/countersign", json=sign)
            receipt = done.json()["visit"]["receipt"]
            await public.get(f"/api/receipts/{receipt['record_id']}", params={"code": receipt["check_code"]})
            holder = taken["holder"]
    said = written.getvalue().replace(str(tmp_path), "")
    assert "somebody listens" in said
    for secret in (
        *(CANARY_ADDRESS, CANARY_PHONE, "canary", PASSWORD, token, session, receipt["check_code"]),
        *(holder["name"], holder["document_number"]),
    ):
        assert secret not in said


def test_an_unforeseen_exception_is_logged_by_kind_and_place() -> None:
    def fails() -> None:
        try:
            raise ValueError("ZHANG")
        except ValueError as error:
            raise ExceptionGroup("E12345678", [KeyError("ZHANG"), OSError(5, "ZHANG")]) from error

    try:
        fails()
    except ExceptionGroup:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "unexpected", (), sys.exc_info())
    said = PlaceFormatter(LINE).format(record)
    assert "ZHANG" not in said
    assert "E12345678" not in said
    for kind in ("ExceptionGroup", "KeyError", "OSError", "ValueError", "test_secrecy.py"):
        assert kind in said


def database_of(home: Path) -> bytes:
    """Everything the database has on the disk, whatever the file."""
    return b"".join(path.read_bytes() for path in home.glob("counter.sqlite3*"))


async def test_an_answer_kept_for_a_repeated_request_cannot_be_read_from_the_database(tmp_path: Path) -> None:
    async with doors(tmp_path) as (office, _public, kiosk):
        kiosk_page = await kiosk(await enrolled(office, tmp_path))
        ask = {"service_id": "change-address", "language": "zh"}
        first = await kiosk_page.post("/api/visits", json=ask, headers=KEY)
        again = await kiosk_page.post("/api/visits", json=ask, headers=KEY)
        token = first.json()["visit_token"]
        assert again.json()["visit_token"] == token
        await office.db.run(lambda connection: connection.exec_driver_sql("SELECT 1"))
    kept = await asyncio.to_thread(database_of, tmp_path)
    assert b"opened" in kept  # the journal is there
    assert token.encode() not in kept
    assert KEY["idempotency-key"].encode() not in kept


async def test_guesses_made_at_once_count_like_guesses_made_in_turn(tmp_path: Path) -> None:
    async with doors(tmp_path) as (office, public, _kiosk):
        await add_clerk(office, "zhang")
        wrong = {"username": "zhang", "password": "wrong"}
        answers = await asyncio.gather(*(public.post("/api/console/login", json=wrong) for _ in range(12)))
        codes = [answer.json()["code"] for answer in answers]
        assert codes.count("wrong_login") == office.settings.patience.login_tries
        # Whoever guesses at the login with a clerk's number does not stop that clerk's own signature.
        number = wrong | {"username": "clerk-zhang"}
        for _ in range(office.settings.patience.login_tries + 1):
            last = await public.post("/api/console/login", json=number)
        assert last.json()["code"] == "too_many_tries"
        stored = await office.db.run(clerks.stored_password_of, "clerk-zhang")
        await office.passwords.require("act", stored, "clerk-zhang", PASSWORD)


async def test_over_tls_the_session_is_bound_to_this_host(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        office.settings = office.settings.model_copy(update={"public_url": "https://counter.example"})
        await add_clerk(office, "zhang")
        transport = httpx.ASGITransport(build_app(office))
        async with httpx.AsyncClient(transport=transport, base_url="https://counter.example") as public:
            entered = await public.post("/api/console/login", json={"username": "zhang", "password": PASSWORD})
            cookie = entered.headers["set-cookie"]
            assert cookie.startswith("__Host-counter_session=")
            for flag in ("Secure", "HttpOnly", "SameSite=strict", "Path=/"):
                assert flag in cookie
            assert "Domain" not in cookie
            assert (await public.get("/api/console/me")).status_code == 200
            await public.post("/api/console/logout")
            assert (await public.get("/api/console/me")).status_code == 401


async def test_a_nonsense_origin_is_nobodys(tmp_path: Path) -> None:
    async with doors(tmp_path) as (_, public, _kiosk):
        for origin in ("http://[", "null", "", "http://counter.evil.example"):
            answer = await public.post("/api/console/logout", headers={"origin": origin})
            assert answer.status_code == 403


async def test_a_visit_that_ended_is_nobodys_in_the_database(tmp_path: Path) -> None:
    async with office_in(tmp_path, Patience(customer_gone_s=0.05)) as office:
        clerk = await add_clerk(office, "zhang")
        visit = await signed(office, clerk, "replace-card")
        assert visit.holder is not None
        assert visit.document is not None
        yes = Countersign(document_sha256=visit.document.sha256, password=PASSWORD)
        await desk.countersign(office, clerk, visit.visit_id, yes)
        office.customers.heard(visit.visit_id)
        await asyncio.sleep(0.1)
        await presence.look_around(office, Counter())
        assert (await office.db.run(store.load, visit.visit_id)).holder == visit.holder  # on the clerk's desk
        await desk.clear(office, clerk)
        await presence.look_around(office, Counter())
        left = await office.db.run(store.load, visit.visit_id)
        assert (left.holder, left.values, left.checklist) == (None, {}, ())
        assert (left.state, left.receipt is not None) == (VisitState.DONE, True)
        assert await office.db.run(store.visit_of_clerk, clerk.clerk_id) is None
        assert office.customers.heard_s == {}
        row = await office.db.run(records.find_record, visit.record_id)
        assert row is not None
        assert records.verify_stored(office.safe, row).first_broken is None
        other = await with_card_and_face(office, "change-address")
        await customer.cancel(office, other.visit_id)
        phone = await opened(office, "change-address", Channel.PHONE)
        await customer.consent(office, phone.visit_id)
        await decided(office, face(phone.visit_id, "refer", compared=False))
        await customer.submit_form(office, phone.visit_id, SubmitForm(values=ADDRESS))
        await customer.cancel(office, phone.visit_id)
    kept = await asyncio.to_thread(database_of, tmp_path)
    assert visit.values["deliver_to"].encode() not in kept
    async with office_in(tmp_path) as again:  # stopped before it forgot: the next one does
        assert set(await again.db.run(store.ended_with_people)) == {other.visit_id, phone.visit_id}
        await presence.recover(again)
        await presence.look_around(again, Counter())
        assert await again.db.run(store.ended_with_people) == ()
