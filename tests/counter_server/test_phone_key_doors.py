"""Who may show, keep and remove a phone's passkey through the doors, and what a repeated request does."""

from pathlib import Path

import httpx

from counter_server.people import customer_passkeys, passkeys, phones
from counter_server.visits import store
from counter_server.visits.closing import refuse
from counter_server.visits.office import Office
from counter_server.visits.stepup import party_of
from tests.counter_server.authenticator import Authenticator
from tests.counter_server.test_doors import code_of, doors, enrolled
from webrtc.wire.visit import Reason

DOORS = ("question", "new-question", "remove")


async def by_phone(office: Office, public: httpx.AsyncClient) -> tuple[str, dict[str, str]]:
    """A visit by a one-time link: its address and its customer's header."""
    link = await office.db.run(phones.make_link, "http://counter", 60)
    redeemed = await public.post("/api/phone/redeem", json={"link_token": link.url.partition("#")[2]})
    session = {"authorization": f"Bearer {redeemed.json()['phone_token']}"}
    wish = {"service_id": "change-address", "language": "zh"}
    opened = (await public.post("/api/visits", json=wish, headers=session)).json()
    return f"/api/visits/{opened['view']['visit_id']}", {"authorization": f"Bearer {opened['visit_token']}"}


async def known_phone(office: Office, public: httpx.AsyncClient) -> Authenticator:
    """A phone that is known from a visit before."""
    path, _ = await by_phone(office, public)
    visit = await office.db.run(store.load, path.rpartition("/")[2])
    await refuse(office, visit.visit_id, Reason.BY_CLERK, store.COUNTER)
    key, party, handle = Authenticator(), party_of(office), customer_passkeys.new_handle()
    options, challenge = passkeys.key_options(party, handle, "any", [])
    office.phone_questions.ask("test", challenge, handle)
    question = office.phone_questions.answered(challenge, "test")
    await office.db.run(customer_passkeys.keep, party, question, key.create(options), visit.record_id)
    return key


async def test_a_repeated_answer_is_one_recognition(tmp_path: Path) -> None:
    async with doors(tmp_path) as (office, public, _kiosk):
        key = await known_phone(office, public)
        path, mine = await by_phone(office, public)
        asked = (await public.post(f"{path}/phone-key/question", headers=mine)).json()
        again = {**mine, "idempotency-key": "one touch"}
        body = {"credential": key.get(asked["options"])}
        answers = [await public.post(f"{path}/phone-key", json=body, headers=again) for _ in range(2)]
        assert [(answer.status_code, answer.json()["phone_key"]) for answer in answers] == [(200, "recognised")] * 2
        other = await public.post(f"{path}/phone-key", json={"credential": "{}"}, headers=again)
        assert code_of(other) == "conflict"


async def test_only_the_visits_own_page_may_ask(tmp_path: Path) -> None:
    async with doors(tmp_path) as (office, public, kiosk):
        path, _mine = await by_phone(office, public)
        _, theirs = await by_phone(office, public)
        for headers in ({}, theirs, {"authorization": "Bearer " + "A" * 32}):
            for door in DOORS:
                assert code_of(await public.post(f"{path}/phone-key/{door}", headers=headers)) == "not_logged_in"
        desk = await kiosk(await enrolled(office, tmp_path))
        wish = {"service_id": "change-address", "language": "zh"}
        opened = (await desk.post("/api/visits", json=wish)).json()
        own = {"authorization": f"Bearer {opened['visit_token']}"}
        at_desk = f"/api/visits/{opened['view']['visit_id']}/phone-key"
        codes = [code_of(await desk.post(f"{at_desk}/{door}", headers=own)) for door in DOORS]
        assert codes == ["wrong_step", "wrong_step", "not_found"]
        assert opened["view"]["phone_key"] == "none"


async def test_an_answer_too_long_to_be_one_is_not_read(tmp_path: Path) -> None:
    async with doors(tmp_path) as (office, public, _kiosk):
        path, mine = await by_phone(office, public)
        answer = await public.post(f"{path}/phone-key", json={"credential": "x" * 20_000}, headers=mine)
        assert (answer.status_code, code_of(answer)) == (400, "bad_request")
