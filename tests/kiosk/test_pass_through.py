"""What goes through the agent to the counter, what does not, and what the page hears when the line is gone."""

from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from counter_server.people.kiosks import KioskAuthority
from hardware_drivers.smartcard.cable import CableReaders
from tests.kiosk.conftest import Desk
from tests.kiosk.standin_counter import Heard, agent, kiosk_config, standin_counter
from webrtc.wire.live import ErrorMessage


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/catalogue"),
        ("GET", "/api/receipts/R-1?code=abc"),
        ("POST", "/api/visits"),
        ("POST", "/api/kiosk/phone-links"),
        ("GET", "/api/visits/v1"),
        ("GET", "/api/visits/v1/document/3.png"),
        ("POST", "/api/visits/v1/consent"),
        ("POST", "/api/visits/v1/form"),
        ("POST", "/api/visits/v1/confirm"),
        ("POST", "/api/visits/v1/pages-seen"),
        ("POST", "/api/visits/v1/signature"),
        ("POST", "/api/visits/v1/cancel"),
    ],
)
def test_what_a_page_needs_goes_through(desk: Desk, method: str, path: str) -> None:
    desk.heard.answer = b'{"said": "yes"}'
    assert desk.page.request(method, path).json() == {"said": "yes"}
    assert desk.heard.requests[-1][:2] == (method, path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/visits/v1/chip-evidence"),  # a page must not invent a chip
        ("POST", "/api/console/login"),
        ("GET", "/api/console/visits/v1/live.jpg"),
        ("GET", "/api/visits/v1/../../console/me"),
        ("GET", "/api/visits/v1%2F..%2F..%2Fconsole"),
        ("POST", "/api/catalogue"),
        ("GET", "/livez"),
    ],
)
def test_nothing_else_goes_through(desk: Desk, method: str, path: str) -> None:
    answer = desk.page.request(method, path)
    assert answer.status_code in (404, 405, 503)
    assert desk.heard.requests == []


def test_the_page_is_known_by_its_token_and_not_by_cookies(desk: Desk) -> None:
    headers = {"authorization": "Bearer t", "idempotency-key": "k", "cookie": "a=b", "x-client-cert": "forged"}
    answer = desk.page.post("/api/visits/v1/form", content=b'{"values": {}}', headers=headers)
    _, _, passed, body = desk.heard.requests[-1]
    assert (passed["authorization"], passed["idempotency-key"], body) == ("Bearer t", "k", b'{"values": {}}')
    assert not {"cookie", "x-client-cert"} & passed.keys()
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"


def test_the_counters_refusal_reaches_the_page_as_it_is(desk: Desk) -> None:
    desk.heard.answer_status = 409
    desk.heard.answer = b'{"code": "wrong_step", "message": "no", "field": null}'
    answer = desk.page.post("/api/visits/v1/confirm")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_step")


def test_a_counter_that_is_gone_is_said_so(tmp_path: Path) -> None:
    authority = KioskAuthority(tmp_path / "ca")
    with (
        agent(kiosk_config(tmp_path / "kiosk", 9, authority), CableReaders()) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as page,
    ):
        answer = page.get("/api/catalogue")
        assert (answer.status_code, answer.json()["code"]) == (503, "counter_unreachable")
        assert page.get("/api/kiosk").json()["counter_reachable"] is False
        with connect(f"ws://127.0.0.1:{port}/api/visits/v1/live") as live:
            said = ErrorMessage.model_validate_json(live.recv(5))
            assert said.error.code.value == "counter_unreachable"


def test_a_counter_with_another_authoritys_certificate_is_not_believed(tmp_path: Path) -> None:
    ours, theirs, heard = KioskAuthority(tmp_path / "ours"), KioskAuthority(tmp_path / "theirs"), Heard()
    with (
        standin_counter(theirs, heard) as counter_port,
        agent(kiosk_config(tmp_path / "kiosk", counter_port, ours), CableReaders()) as port,
    ):
        answer = httpx.get(f"http://127.0.0.1:{port}/api/catalogue", trust_env=False)
        assert (answer.status_code, answer.json()["code"]) == (503, "counter_unreachable")
    assert heard.requests == []


def test_live_frames_go_both_ways_in_order(desk: Desk) -> None:
    with connect(f"ws://127.0.0.1:{desk.port}/api/visits/v1/live") as live:
        for number in range(20):
            live.send(f"frame {number}")
        assert [live.recv(5) for _ in range(20)] == [f"echo frame {number}" for number in range(20)]


def test_the_counters_close_code_reaches_the_page(desk: Desk) -> None:
    with connect(f"ws://127.0.0.1:{desk.port}/api/visits/v1/live") as live:
        live.send("bye")
        with pytest.raises(ConnectionClosed) as closed:
            live.recv(5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4001


def test_a_page_that_leaves_is_noticed_by_the_counter(desk: Desk) -> None:
    with connect(f"ws://127.0.0.1:{desk.port}/api/visits/v1/live") as live:
        live.send("hello")
        live.recv(5)
    assert desk.heard.live_ended.wait(5)
