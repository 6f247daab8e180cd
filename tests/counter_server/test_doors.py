"""What the doors let in. Real application, real database; only the sockets are left out."""

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.types import ASGIApp, Receive, Scope, Send

from counter_server.__main__ import STOPPED, main
from counter_server.app import build_app
from counter_server.config import Patience
from counter_server.people import kiosks, phones
from counter_server.people.kiosks import KioskAuthority
from counter_server.throttle import KNOCKS
from counter_server.visits.customer import MOST_AT_A_KIOSK
from counter_server.visits.office import Office
from tests.counter_server.builders import PASSWORD, add_clerk, office_in
from webrtc.wire.card import ChipChallenge

JSON = {"content-type": "application/json"}


class Behind:
    """The application as it stands behind a TLS door that has seen this certificate."""

    def __init__(self, app: ASGIApp, certificate: bytes | None) -> None:
        self._app = app
        self._certificate = certificate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["peer_certificate"] = self._certificate
        await self._app(scope, receive, send)


@contextlib.asynccontextmanager
async def doors(home: Path, patience: Patience | None = None) -> AsyncIterator[tuple[Office, httpx.AsyncClient, Any]]:
    """The office, a client at the public door, and a maker of clients at the kiosk door."""
    async with office_in(home, patience) as office, contextlib.AsyncExitStack() as stack:
        app = build_app(office)

        async def client(certificate: bytes | None) -> httpx.AsyncClient:
            transport = httpx.ASGITransport(Behind(app, certificate))
            return await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://counter"))

        yield office, await client(None), client


async def enrolled(office: Office, home: Path, kiosk_id: str = "kiosk-a") -> bytes:
    """A kiosk's certificate in DER."""
    fingerprint = KioskAuthority(home / "keys").make_kiosk(kiosk_id, home / kiosk_id)
    await office.db.run(kiosks.enrol, kiosk_id, kiosk_id, fingerprint)
    return x509.load_pem_x509_certificate((home / kiosk_id / "kiosk.pem").read_bytes()).public_bytes(Encoding.DER)


def code_of(answer: httpx.Response) -> str:
    return str(answer.json()["code"])


async def test_an_unknown_field_is_named_and_its_content_is_not_repeated(tmp_path: Path) -> None:
    async with doors(tmp_path) as (_, public, _kiosk):
        answer = await public.post("/api/phone/redeem", json={"link_token": "A" * 22, "surprise": "secret"})
        assert answer.status_code == 400
        assert (code_of(answer), answer.json()["field"]) == ("bad_request", "surprise")
        assert "secret" not in answer.text


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    async with doors(tmp_path) as (_, public, _kiosk):
        answer = await public.post("/api/phone/redeem", content=b"x" * 300_000, headers=JSON)
        assert (answer.status_code, code_of(answer)) == (413, "body_too_large")

        async def drip() -> AsyncIterator[bytes]:
            for _ in range(300):
                yield b"y" * 1000

        answer = await public.post("/api/phone/redeem", content=drip(), headers=JSON)
        assert (answer.status_code, code_of(answer)) == (413, "body_too_large")


async def test_another_sites_page_cannot_act(tmp_path: Path) -> None:
    async with doors(tmp_path) as (_, public, _kiosk):
        body = {"username": "zhang", "password": "x"}
        for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
            answer = await public.post("/api/console/login", json=body, headers=headers)
            assert (answer.status_code, code_of(answer)) == (403, "not_allowed")


async def test_every_page_carries_the_headers_that_keep_it_alone(tmp_path: Path) -> None:
    async with doors(tmp_path) as (_, public, _kiosk):
        page = await public.get("/check")
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert "<script" not in page.text


async def test_wrong_passwords_are_slowed_down(tmp_path: Path) -> None:
    async with doors(tmp_path, Patience(login_tries=2)) as (office, public, _kiosk):
        await add_clerk(office, "zhang")
        wrong = {"username": "zhang", "password": "wrong"}
        for code in ("wrong_login", "wrong_login", "too_many_tries"):
            assert code_of(await public.post("/api/console/login", json=wrong)) == code
        assert code_of(await public.post("/api/console/login", json=wrong | {"username": "nobody"})) == "wrong_login"


async def test_a_console_needs_a_session_and_the_session_ends(tmp_path: Path) -> None:
    async with doors(tmp_path) as (office, public, _kiosk):
        await add_clerk(office, "zhang")
        assert code_of(await public.post("/api/console/tickets/next")) == "not_logged_in"
        good = {"username": "zhang", "password": PASSWORD}
        entered = await public.post("/api/console/login", json=good)
        assert entered.json()["clerk_id"] == "clerk-zhang"
        assert "HttpOnly" in entered.headers["set-cookie"]
        assert code_of(await public.post("/api/console/tickets/next")) == "not_found"
        await public.post("/api/console/logout")
        assert code_of(await public.get("/api/console/me")) == "not_logged_in"


async def test_a_phone_link_works_once(tmp_path: Path) -> None:
    async with doors(tmp_path) as (office, public, _kiosk):
        link = await office.db.run(phones.make_link, "http://counter", 600)
        token = {"link_token": link.url.split("#")[1]}
        first = await public.post("/api/phone/redeem", json=token)
        phone = {"authorization": f"Bearer {first.json()['phone_token']}"}
        second = await public.post("/api/phone/redeem", json=token)
        assert (second.status_code, code_of(second)) == (410, "link_used")
        assert code_of(await public.post("/api/phone/redeem", json={"link_token": "B" * 22})) == "link_unknown"
        ask = {"service_id": "change-address", "language": "zh"}
        assert (await public.post("/api/visits", json=ask, headers=phone)).status_code == 200
        again = await public.post("/api/visits", json=ask, headers=phone)
        assert code_of(again) == "link_used"
        expired = await office.db.run(phones.make_link, "http://counter", -1)
        late = await public.post("/api/phone/redeem", json={"link_token": expired.url.split("#")[1]})
        assert code_of(late) == "link_expired"


async def test_the_same_request_twice_is_one_act(tmp_path: Path) -> None:
    async with doors(tmp_path) as (office, _public, kiosk):
        desk = await kiosk(await enrolled(office, tmp_path))
        ask = {"service_id": "change-address", "language": "zh"}
        once = {"idempotency-key": "one"}
        first = await desk.post("/api/visits", json=ask, headers=once)
        again = await desk.post("/api/visits", json=ask, headers=once)
        assert first.json()["view"]["visit_id"] == again.json()["view"]["visit_id"]
        other = await desk.post("/api/visits", json=ask | {"language": "en"}, headers=once)
        assert (other.status_code, code_of(other)) == (409, "conflict")
        mine = {"authorization": f"Bearer {first.json()['visit_token']}", "idempotency-key": "two"}
        path = f"/api/visits/{first.json()['view']['visit_id']}/consent"
        yes = {"recording": True, "biometrics": True}
        assert [(await desk.post(path, json=yes, headers=mine)).status_code for _ in range(2)] == [200, 200]
        fresh = mine | {"idempotency-key": "three"}
        assert code_of(await desk.post(path, json=yes, headers=fresh)) == "wrong_step"


async def test_a_kiosks_visit_stays_at_its_kiosk(tmp_path: Path) -> None:
    async with doors(tmp_path) as (office, public, kiosk):
        desk = await kiosk(await enrolled(office, tmp_path))
        other_desk = await kiosk(await enrolled(office, tmp_path, "kiosk-b"))
        stranger = await kiosk(b"not a certificate of ours")
        opened = await desk.post("/api/visits", json={"service_id": "replace-card", "language": "en"})
        mine = {"authorization": f"Bearer {opened.json()['visit_token']}"}
        path = f"/api/visits/{opened.json()['view']['visit_id']}"
        assert (await desk.get(path, headers=mine)).status_code == 200
        for elsewhere in (public, other_desk, stranger):
            assert code_of(await elsewhere.get(path, headers=mine)) == "not_allowed"
        assert code_of(await desk.get(path, headers={"authorization": "Bearer " + "x" * 32})) == "not_logged_in"


async def test_chip_evidence_is_taken_from_kiosks_only_and_in_its_turn(tmp_path: Path) -> None:
    async with doors(tmp_path) as (office, public, kiosk):
        link = await office.db.run(phones.make_link, "http://counter", 600)
        redeemed = await public.post("/api/phone/redeem", json={"link_token": link.url.split("#")[1]})
        phone = {"authorization": f"Bearer {redeemed.json()['phone_token']}"}
        opened = await public.post(
            "/api/visits", json={"service_id": "change-address", "language": "zh"}, headers=phone
        )
        mine = {"authorization": f"Bearer {opened.json()['visit_token']}"}
        evidence = {
            "access": "BAC",
            "atr": "",
            "ef_com": "AA==",
            "ef_sod": "AA==",
            "data_groups": {"1": "AA=="},
            "read_ms": 1,
            "reader": "x",
        }
        path = f"/api/visits/{opened.json()['view']['visit_id']}/chip-evidence"
        assert code_of(await public.post(path, json=evidence, headers=mine)) == "not_allowed"
        for door, body in (("chip-challenge", None), ("chip-offer", {"dg14": "AA=="})):
            asked = await public.post(path.replace("chip-evidence", door), json=body, headers=mine)
            assert code_of(asked) == "not_allowed"
        desk = await kiosk(await enrolled(office, tmp_path))
        at_kiosk = await desk.post("/api/visits", json={"service_id": "change-address", "language": "zh"})
        token = {"authorization": f"Bearer {at_kiosk.json()['visit_token']}"}
        early = f"/api/visits/{at_kiosk.json()['view']['visit_id']}/chip-evidence"
        assert code_of(await desk.post(early, json=evidence, headers=token)) == "wrong_step"
        question = early.replace("chip-evidence", "chip-challenge")
        assert code_of(await desk.post(question, headers=token)) == "wrong_step"


async def test_each_reading_gets_its_own_question(tmp_path: Path) -> None:
    async with doors(tmp_path) as (office, _public, kiosk):
        desk = await kiosk(await enrolled(office, tmp_path))
        opened = await desk.post("/api/visits", json={"service_id": "change-address", "language": "zh"})
        token = {"authorization": f"Bearer {opened.json()['visit_token']}"}
        path = f"/api/visits/{opened.json()['view']['visit_id']}"
        await desk.post(f"{path}/consent", json={"recording": True, "biometrics": True}, headers=token)
        offer = await desk.post(f"{path}/chip-offer", json={"dg14": "AA=="}, headers=token)
        assert offer.json()["terminal_public"] == ""  # nobody asked for a challenge yet, and this is no DG14
        questions = [await desk.post(f"{path}/chip-challenge", headers=token) for _ in range(2)]
        first, second = (ChipChallenge.model_validate_json(question.content).challenge for question in questions)
        assert len(first) == len(second) == 8
        assert first != second
        assert office.chip_questions[opened.json()["view"]["visit_id"]].challenge == second


async def test_nonsense_for_a_chip_is_a_refusal_and_not_an_accident(tmp_path: Path) -> None:
    async with doors(tmp_path) as (office, _public, kiosk):
        desk = await kiosk(await enrolled(office, tmp_path))
        opened = await desk.post("/api/visits", json={"service_id": "change-address", "language": "zh"})
        token = {"authorization": f"Bearer {opened.json()['visit_token']}"}
        path = f"/api/visits/{opened.json()['view']['visit_id']}"
        await desk.post(f"{path}/consent", json={"recording": True, "biometrics": True}, headers=token)
        evidence = {
            "access": "BAC",
            "atr": "",
            "ef_com": "YAA=",
            "ef_sod": "dwAA",
            "data_groups": {"1": "YQA=", "2": "dQA="},
            "read_ms": 1,
            "reader": "x",
        }
        answer = await desk.post(f"{path}/chip-evidence", json=evidence, headers=token)
        assert answer.json()["state"] == "refused"
        assert answer.json()["reason"] == "card_not_genuine"


async def test_the_receipt_check_tells_strangers_nothing(tmp_path: Path) -> None:
    async with doors(tmp_path) as (_, public, _kiosk):
        answer = await public.get("/api/receipts/R-20261121-00000000", params={"code": "00000000"})
        assert json.loads(answer.text)["known"] is False
        page = await public.get("/check", params={"record": "<b>", "code": "1", "lang": "en"})
        assert "<b>" not in page.text
        assert "wrong" in page.text
        for _ in range(12):
            answer = await public.get("/api/receipts/R-20261121-00000001", params={"code": "0"})
        assert code_of(answer) == "too_many_tries"


async def test_one_address_cannot_knock_for_ever(tmp_path: Path) -> None:
    async with doors(tmp_path) as (office, public, kiosk):
        token = {"link_token": "A" * 22}
        codes = [code_of(await public.post("/api/phone/redeem", json=token)) for _ in range(KNOCKS + 1)]
        assert codes == ["link_unknown"] * KNOCKS + ["too_many_tries"]
        assert (await public.get("/api/catalogue")).status_code == 200  # other doors stay open, and so do kiosks
        desk = await kiosk(await enrolled(office, tmp_path))
        ask = {"service_id": "change-address", "language": "zh"}
        opened = [await desk.post("/api/visits", json=ask) for _ in range(MOST_AT_A_KIOSK + 1)]
        assert [answer.status_code for answer in opened] == [200] * MOST_AT_A_KIOSK + [429]
        other = await kiosk(await enrolled(office, tmp_path, "kiosk-b"))
        assert (await other.post("/api/visits", json=ask)).status_code == 200


async def test_a_revoked_kiosk_is_a_stranger(tmp_path: Path) -> None:
    async with doors(tmp_path) as (office, _public, _kiosk):
        await enrolled(office, tmp_path)
    assert main(["--home", str(tmp_path), "kiosk", "revoke", "kiosk-a"]) == 0
    assert main(["--home", str(tmp_path), "kiosk", "revoke", "kiosk-x"]) == STOPPED
    certificate = x509.load_pem_x509_certificate((tmp_path / "kiosk-a" / "kiosk.pem").read_bytes())
    async with doors(tmp_path) as (_, _public, kiosk):
        desk = await kiosk(certificate.public_bytes(Encoding.DER))
        assert code_of(await desk.post("/api/visits", json={"service_id": "change-address", "language": "zh"})) == (
            "not_allowed"
        )
