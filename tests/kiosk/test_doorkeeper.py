"""Only the desk's own page may talk to the agent, and only in small words."""

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from kiosk.doorkeeper import BODY_MAX, SIGNATURE_BODY_MAX
from tests.kiosk.conftest import Desk


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "0.0.0.0"])  # noqa: S104 - a name to refuse
def test_another_host_name_is_refused(desk: Desk, host: str) -> None:
    answer = desk.page.get("/api/catalogue", headers={"host": host})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert desk.heard.requests == []


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1"])
def test_another_page_is_refused(desk: Desk, origin: str) -> None:
    answer = desk.page.post("/api/visits", json={}, headers={"origin": origin})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert desk.heard.requests == []


def test_another_pages_live_channel_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://127.0.0.1:{desk.port}/api/visits/v1/live", origin=Origin("http://evil.example")).close()
    assert refused.value.response.status_code == 403
    assert desk.heard.live == []


def test_our_own_page_is_let_in(desk: Desk) -> None:
    origin = f"http://127.0.0.1:{desk.port}"
    assert desk.page.post("/api/visits", json={}, headers={"origin": origin}).status_code == 200


def test_a_body_over_the_limit_is_refused_by_its_length(desk: Desk) -> None:
    answer = desk.page.post("/api/visits", content=b"x" * (BODY_MAX + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert desk.heard.requests == []


def test_a_body_over_the_limit_is_refused_when_it_hides_its_length(desk: Desk) -> None:
    answer = desk.page.post("/api/visits", content=(b"x" * 1000 for _ in range(70)))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert desk.heard.requests == []


def test_a_slow_writers_signature_fits(desk: Desk) -> None:
    assert SIGNATURE_BODY_MAX > BODY_MAX
    answer = desk.page.post("/api/visits/v1/signature", content=b"x" * (BODY_MAX + 1))
    assert answer.status_code == 200


def test_every_answer_carries_the_security_headers(desk: Desk) -> None:
    for path in ("/", "/api/kiosk", "/api/nothing", "/nothing"):
        headers = desk.page.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert f"ws://127.0.0.1:{desk.port}" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
