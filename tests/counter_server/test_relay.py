"""A phone that lends its reader to a visit: real application, real socket, the reference client, a simulated chip."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from websockets.asyncio.client import connect

from counter_server.app import build_app
from counter_server.identification.relay import PAIRINGS_MAX, TOKEN_LIFE_S, Pairings
from counter_server.visits import customer, store
from counter_server.visits.facts import Visit
from counter_server.visits.office import Office
from hardware_drivers.errors import CardRemovedError
from hardware_drivers.id_chip.card_protection import ActiveAuthenticationKind, ChipAuthenticationKind, Protection
from hardware_drivers.id_chip.personalise import Defect
from hardware_drivers.smartcard.relay import Hello
from hardware_drivers.smartcard.relay_client import relay
from tests.counter_server.builders import office_in
from tests.hardware_drivers.cards import WEI, DirectLink, link_to, make_card, make_chip, make_issuer
from webrtc.wire.catalogue import Channel
from webrtc.wire.message import Language
from webrtc.wire.visit import OpenVisit, VisitState

ACCESS = {
    "document_number": WEI.document_number,
    "date_of_birth": WEI.date_of_birth.isoformat(),
    "date_of_expiry": WEI.date_of_expiry.isoformat(),
}


@contextlib.asynccontextmanager
async def serving(home: Path) -> AsyncIterator[tuple[Office, str]]:
    """The application on a free port, without its media and face processes."""
    async with office_in(home) as office:
        config = uvicorn.Config(
            build_app(office), port=0, lifespan="off", log_level="error", ws="websockets-sansio", access_log=False
        )
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has a flag, no event
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        office.settings = office.settings.model_copy(update={"public_url": f"http://127.0.0.1:{port}"})
        yield office, f"http://127.0.0.1:{port}"
        server.should_exit = True
        await running


async def visit_at_card(office: Office) -> tuple[str, Visit]:
    """A visit that waits for a card, and its token; opened at the public door so that this test can speak for it."""
    request = OpenVisit(service_id="change-address", language=Language.ZH)
    token, visit = await customer.open_visit(office, request, Channel.KIOSK, kiosk_id=None, phone_token=None)
    await customer.consent(office, visit.visit_id)
    return token, visit


async def pairing(url: str, token: str, visit: Visit) -> tuple[str, str]:
    """Address and token out of the QR code."""
    async with httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {token}"}) as client:
        answer = await client.post(f"/api/visits/{visit.visit_id}/relay", json=ACCESS)
    assert answer.status_code == 200, answer.text
    address, _, pairing_token = answer.json()["url"].partition("#")
    assert "<svg" in answer.json()["qr_svg"]
    return address, pairing_token


async def state_of(office: Office, visit: Visit) -> VisitState:
    return (await office.db.run(store.load, visit.visit_id)).state


async def until_state(office: Office, visit: Visit, state: VisitState) -> None:
    async with asyncio.timeout(10):
        while await state_of(office, visit) is not state:  # noqa: ASYNC110 - the database has no events
            await asyncio.sleep(0.02)


def phone_with(*defects: Defect) -> DirectLink:
    return link_to(make_chip(make_card(make_issuer(), defects=defects)))


async def test_a_genuine_card_on_a_phone_carries_the_visit_on(tmp_path: Path) -> None:
    async with serving(tmp_path) as (office, url):
        token, visit = await visit_at_card(office)
        address, pairing_token = await pairing(url, token, visit)
        assert await relay(phone_with(), address, pairing_token, None)
        await until_state(office, visit, VisitState.FACE)
        seen = await office.db.run(store.load, visit.visit_id)
        assert seen.holder is not None
        assert seen.holder.document_number == WEI.document_number


async def test_a_copied_card_on_a_phone_is_refused(tmp_path: Path) -> None:
    protection = Protection(chip=ChipAuthenticationKind.ECDH_AES128, active=ActiveAuthenticationKind.ECDSA)
    for defects, state in (((), VisitState.FACE), ((Defect.COPIED,), VisitState.REFUSED)):
        async with serving(tmp_path / state) as (office, url):
            token, visit = await visit_at_card(office)
            address, pairing_token = await pairing(url, token, visit)
            card = make_card(make_issuer(), defects=defects, protection=protection)
            await relay(link_to(make_chip(card)), address, pairing_token, None)
            await until_state(office, visit, state)


async def test_a_changed_card_on_a_phone_is_refused_as_at_the_desk(tmp_path: Path) -> None:
    async with serving(tmp_path) as (office, url):
        token, visit = await visit_at_card(office)
        address, pairing_token = await pairing(url, token, visit)
        await relay(phone_with(Defect.TAMPERED_DG2), address, pairing_token, None)
        await until_state(office, visit, VisitState.REFUSED)


async def test_a_token_serves_once_and_the_newest_only(tmp_path: Path) -> None:
    async with serving(tmp_path) as (office, url):
        token, visit = await visit_at_card(office)
        _, replaced = await pairing(url, token, visit)
        address, pairing_token = await pairing(url, token, visit)
        assert not await relay(phone_with(), address, replaced, None)
        assert not await relay(phone_with(), address, "A" * 22, None)
        assert await state_of(office, visit) is VisitState.CARD
        assert await relay(phone_with(), address, pairing_token, None)
        assert not await relay(phone_with(), address, pairing_token, None)


async def test_a_card_taken_away_leaves_the_visit_where_it_was(tmp_path: Path) -> None:
    async with serving(tmp_path) as (office, url):
        token, visit = await visit_at_card(office)
        address, pairing_token = await pairing(url, token, visit)
        chip = make_chip(make_card(make_issuer()))
        link = DirectLink(chip.answer, chip.atr)

        def removed(command: bytes) -> bytes:
            if len(link.commands) > 5:
                raise CardRemovedError("gone")
            return chip.answer(command)

        link.answer = removed
        assert not await relay(link, address, pairing_token, None)
        assert await state_of(office, visit) is VisitState.CARD
        address, pairing_token = await pairing(url, token, visit)
        assert await relay(phone_with(), address, pairing_token, None)
        await until_state(office, visit, VisitState.FACE)


@pytest.mark.parametrize("first", ["", "{}", '{"type":"wait","seq":1}', "x" * 2000])
async def test_whoever_does_not_say_hello_is_sent_away(tmp_path: Path, first: str) -> None:
    async with serving(tmp_path) as (_, url), connect(url.replace("http", "ws") + "/api/relay") as socket:
        await socket.send(first)
        assert json.loads(await socket.recv())["why"] == "broken"


async def test_binary_frames_are_not_spoken(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, url), connect(url.replace("http", "ws") + "/api/relay") as socket:
        await socket.send(b"\x00\x01")
        with contextlib.suppress(Exception):
            assert json.loads(await socket.recv())["why"] == "broken"


async def test_only_a_visit_at_its_card_step_is_given_a_token(tmp_path: Path) -> None:
    async with serving(tmp_path) as (office, url):
        token, visit = await visit_at_card(office)
        await customer.cancel(office, visit.visit_id)
        async with httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {token}"}) as client:
            answer = await client.post(f"/api/visits/{visit.visit_id}/relay", json=ACCESS)
        assert answer.status_code in (401, 403, 409)


def test_tokens_end_are_replaced_and_bounded() -> None:
    pairings = Pairings()
    token = pairings.offer("a", WEI.key, 100.0)
    assert len(token) == 22
    assert Hello(token=token, atr=b"\x3b\x80", max_len=261).token == token
    assert pairings.redeem(token, 100.0 + TOKEN_LIFE_S) is None
    token = pairings.offer("a", WEI.key, 100.0)
    found = pairings.redeem(token, 100.0 + TOKEN_LIFE_S - 0.1)
    assert found is not None
    assert (found.visit_id, found.access) == ("a", WEI.key)
    assert "VC1234567" not in repr(found)
    assert pairings.redeem(token, 100.0) is None
    first = pairings.offer("b", WEI.key, 100.0)
    for number in range(PAIRINGS_MAX):
        pairings.offer(f"c{number}", WEI.key, 100.0)
    assert pairings.redeem(first, 100.0) is None
