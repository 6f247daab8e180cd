"""Answers and candidates from strangers: refused by name, and the engine lives on."""

import asyncio
import random
import re
from collections import Counter
from pathlib import Path

import pyrage  # type: ignore[import-untyped]
import pytest
from aiortc import RTCSessionDescription

from tests.webrtc.engine_contract.peer import Peer
from tests.webrtc.stage import listening, until
from webrtc.aio.answers import without_unreachable_candidates
from webrtc.aio.connection import new_peer_connection
from webrtc.aio.pass_engine import PassEngine
from webrtc.engine import LegConnected, LineLost
from webrtc.errors import BadDescriptionError
from webrtc.leg_engine import TICK_S
from webrtc.proving.malformed import description
from webrtc.record import Recording

MUTATIONS = 200


async def test_scribbled_answers_are_refused_or_harmless() -> None:
    dice = random.Random(3)  # noqa: S311 - repeatable
    engine = PassEngine(host_addresses=["127.0.0.1"])
    await engine.start()
    peer = new_peer_connection()
    outcomes: Counter[str] = Counter()
    try:
        offer = await engine.create_leg("room", "customer")
        await peer.setRemoteDescription(RTCSessionDescription(sdp=offer.sdp, type="offer"))
        await peer.setLocalDescription(await peer.createAnswer())
        answer = peer.localDescription.sdp
        for _ in range(MUTATIONS):
            try:
                await engine.accept(offer.leg_id, description(answer, dice))
                outcomes["taken"] += 1
                await engine.close_leg(offer.leg_id)
                offer = await engine.create_leg("room", "customer")
            except BadDescriptionError:
                outcomes["refused"] += 1
        assert min(outcomes["taken"], outcomes["refused"]) > MUTATIONS / 5, outcomes
        assert engine.healthy
    finally:
        await peer.close()
        await engine.stop()


@pytest.mark.parametrize("candidate", ["candidate:", "x", "candidate:1 1 udp a 1.2.3.4 c typ host", "\x00" * 5])
async def test_candidates_nobody_can_read_are_refused(candidate: str) -> None:
    engine = PassEngine(host_addresses=["127.0.0.1"])
    await engine.start()
    peer = new_peer_connection()
    try:
        offer = await engine.create_leg("room", "customer")
        await engine.add_candidate(
            offer.leg_id, "candidate:1 1 udp 1 abcd.local 9 typ host", "0", 0
        )  # waits, then is left out
        await peer.setRemoteDescription(RTCSessionDescription(sdp=offer.sdp, type="offer"))
        await peer.setLocalDescription(await peer.createAnswer())
        await engine.accept(offer.leg_id, peer.localDescription.sdp)
        with pytest.raises(BadDescriptionError):
            await engine.add_candidate(offer.leg_id, candidate, "0", 0)
        await engine.add_candidate(offer.leg_id, None, None, None)
    finally:
        await peer.close()
        await engine.stop()


def test_names_only_multicast_knows_are_left_out_of_an_answer() -> None:
    answer = (
        "v=0\r\na=candidate:1 1 udp 9 5d4f.local 5 typ host\r\n"
        "a=candidate:2 1 udp 9 192.0.2.1 5 typ host\r\na=end-of-candidates\r\n"
    )
    assert without_unreachable_candidates(answer) == "v=0\r\na=candidate:2 1 udp 9 192.0.2.1 5 typ host\r\n"


@pytest.mark.parametrize("field", ["ufrag", "pwd"])
async def test_credentials_that_fit_into_no_check_are_refused_when_another_way_is_looked_for(field: str) -> None:
    """A page that then falls silent is asked with them at each tick of the engine."""
    engine, page = PassEngine(host_addresses=["127.0.0.1"]), Peer(200)
    await engine.start()
    try:
        async with listening(engine) as events:
            offer = await engine.create_leg("room", "customer")
            await engine.accept(offer.leg_id, await page.answer(offer.sdp))
            await until(lambda: events.has(LegConnected, offer.leg_id) and page.up, "connected")
            answer = await page.answer_again((await engine.restart(offer.leg_id)).sdp)
            endless = re.sub(rf"a=ice-{field}:\S+", f"a=ice-{field}:{'一' * 25_000}", answer)
            with pytest.raises(BadDescriptionError):
                await engine.accept(offer.leg_id, endless)
            page.flowing.clear()
            await until(lambda: events.has(LineLost, offer.leg_id), "silent")
            await asyncio.sleep(2 * TICK_S)
            assert engine.healthy
    finally:
        await page.close()
        await engine.stop()


async def test_another_folder_is_another_recording_although_room_role_and_name_are_the_same(tmp_path: Path) -> None:
    engine = PassEngine(host_addresses=["127.0.0.1"])
    await engine.start()
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    try:
        offer = await engine.create_leg("clerk-7", "clerk")
        await engine.record(offer.leg_id, tmp_path / "a", "clerk", recipient)
        await engine.record(offer.leg_id, tmp_path / "b", "clerk", recipient)
        taps = engine._legs[offer.leg_id].receivers["video"].taps
        assert [tap.folder for tap in taps if isinstance(tap, Recording)] == [tmp_path / "b"]
        await engine.record(offer.leg_id, tmp_path / "b", "clerk", recipient)
        assert len(taps) == 1
        assert len(await engine.end_recording("clerk-7")) == 2
        assert taps == []
        assert await engine.end_recording("clerk-7") == ()
    finally:
        await engine.stop()
