"""One contract, every engine: what the counter relies on, with aiortc peers as pages."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import av
import pyrage  # type: ignore[import-untyped]
import pytest

from tests.webrtc.engine_contract.engines import ENGINES, Engine, running
from tests.webrtc.engine_contract.pages import BRIGHT, DARK, page, sees
from tests.webrtc.engine_contract.peer import PICTURES_PER_S, Peer
from tests.webrtc.stage import listening, until
from webrtc.aio.relay_engine import RelayEngine
from webrtc.engine import LegClosed, LegConnected, LineBack, LineLost, VideoCodec
from webrtc.errors import BadDescriptionError, NoOtherWayError, UnknownLegError
from webrtc.snapshot import PictureDecoder


@pytest.fixture(params=ENGINES)
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    async with running(request.param, VideoCodec.VP8) as engine:
        yield engine


async def test_two_pages_see_and_hear_each_other_until_one_is_detached(engine: Engine) -> None:
    async with (
        listening(engine) as events,
        page(engine, events, "customer-1", DARK) as (customer, its),
        page(engine, events, "clerk-1", BRIGHT) as (clerk, own),
    ):
        began_s = time.monotonic()
        await engine.attach(its.leg_id, own.leg_id)
        await engine.attach(own.leg_id, its.leg_id)
        await until(sees(clerk, DARK, since_s=began_s), "the clerk sees the customer")
        await until(sees(customer, BRIGHT, since_s=began_s), "the customer sees the clerk")
        await until(lambda: min(customer.heard, clerk.heard) > 10, "both hear")
        await engine.detach(own.leg_id)
        await asyncio.sleep(0.5)
        silent_s = time.monotonic()
        await asyncio.sleep(0.6)
        assert clerk.levels_since(silent_s) == []
        await until(sees(customer, BRIGHT, since_s=silent_s), "the customer still sees the clerk")
        await engine.attach(its.leg_id, own.leg_id)
        await until(sees(clerk, DARK, since_s=silent_s), "the clerk sees the customer again")


async def test_another_publisher_takes_the_place_of_the_first(engine: Engine) -> None:
    async with (
        listening(engine) as events,
        page(engine, events, "clerk-1", 120) as (clerk, own),
        page(engine, events, "customer-1", DARK) as (_, first),
    ):
        await engine.attach(first.leg_id, own.leg_id)
        await until(sees(clerk, DARK, since_s=0), "the clerk sees the first")
        async with page(engine, events, "customer-2", BRIGHT) as (_, second):
            changed_s = time.monotonic()
            await engine.attach(second.leg_id, own.leg_id)
            await until(sees(clerk, BRIGHT, since_s=changed_s), "the clerk sees the second")
            await engine.close_leg(first.leg_id)
            later_s = time.monotonic()
            await until(sees(clerk, BRIGHT, since_s=later_s), "the clerk goes on seeing the second")


async def test_a_page_that_comes_again_is_seen_on_the_viewers_connection_of_before(engine: Engine) -> None:
    async with listening(engine) as events, page(engine, events, "clerk-1", BRIGHT) as (clerk, own):
        async with page(engine, events, "customer-1", DARK) as (_, first):
            await engine.attach(first.leg_id, own.leg_id)
            await until(sees(clerk, DARK, since_s=0), "the clerk sees the customer")
        await until(lambda: events.has(LegClosed, first.leg_id), "the customer has gone")
        await asyncio.sleep(0.5)
        async with page(engine, events, "customer-1", DARK) as (_, second):
            again_s = time.monotonic()
            await engine.attach(second.leg_id, own.leg_id)
            await until(sees(clerk, DARK, since_s=again_s), "the clerk sees the customer again")


async def test_candidates_may_come_one_by_one(engine: Engine) -> None:
    peer = Peer(DARK)
    async with listening(engine) as events:
        try:
            offer = await engine.create_leg("customer-1", "customer")
            lines = (await peer.answer(offer.sdp)).split("\r\n")
            candidates: list[tuple[str, str]] = []
            mid = ""
            for line in lines:
                mid = line.removeprefix("a=mid:") if line.startswith("a=mid:") else mid
                if line.startswith("a=candidate:"):
                    candidates.append((line.removeprefix("a="), mid))
            await engine.add_candidate(offer.leg_id, *candidates[0], None)  # overtook the answer
            without = [line for line in lines if not line.startswith(("a=candidate:", "a=end-of-candidates"))]
            await engine.accept(offer.leg_id, "\r\n".join(without))
            for candidate, place in candidates[1:]:
                await engine.add_candidate(offer.leg_id, candidate, place, None)
            await engine.add_candidate(offer.leg_id, None, None, None)
            await until(lambda: events.has(LegConnected, offer.leg_id), "connected")
        finally:
            await peer.close()


async def test_a_watched_leg_delivers_decodable_pictures_from_a_key_picture_on(engine: Engine) -> None:
    async with listening(engine) as events, page(engine, events, "customer-1", DARK) as (_, its):
        await engine.watch(its.leg_id, pictures_per_s=30)
        await until(lambda: len(events.pictures) > PICTURES_PER_S, "a second of pictures")
        assert events.pictures[0].picture.key
        decoder = PictureDecoder(events.pictures[0].picture.codec)
        for sampled in events.pictures:
            decoder.feed(sampled.picture)
        latest = decoder.latest()
        assert latest is not None
        assert abs(float(latest.mean()) - DARK) < 15
        assert decoder.broken == 0
        before = len(events.pictures)
        engine.ask_key(its.leg_id)
        await until(lambda: any(sampled.picture.key for sampled in events.pictures[before:]), "another key picture")
        await engine.unwatch(its.leg_id)
        await asyncio.sleep(0.2)
        before = len(events.pictures)
        await asyncio.sleep(0.4)
        assert len(events.pictures) == before


async def test_a_recording_holds_sound_and_every_picture(engine: Engine, tmp_path: Path) -> None:
    identity = pyrage.x25519.Identity.generate()
    async with listening(engine) as events, page(engine, events, "customer-1", DARK) as (_, its):
        await engine.record(its.leg_id, tmp_path, "customer-1", str(identity.to_public()))
        await asyncio.sleep(2.5)
        (track,) = await engine.end_recording("customer-1")
    assert (track.role, track.width, track.height) == ("customer", 320, 240)
    assert track.gaps == ()
    assert track.frames > 8  # a loaded machine encodes five a second
    clear = b"".join(pyrage.decrypt((tmp_path / name).read_bytes(), [identity]) for name, *_ in track.segments)
    opened = tmp_path / "clear.mkv"
    opened.write_bytes(clear)
    with av.open(str(opened)) as container:
        pictures = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    with av.open(str(opened)) as container:
        sound = sum(1 for _ in container.decode(audio=0))
    assert len(pictures) == track.frames
    assert all(abs(float(picture.mean()) - DARK) < 15 for picture in pictures)
    assert sound > 20


async def test_a_silent_line_is_told_and_its_return_too(engine: Engine) -> None:
    async with listening(engine) as events, page(engine, events, "customer-1", DARK) as (peer, its):
        await asyncio.sleep(0.5)
        peer.flowing.clear()
        await until(lambda: events.has(LineLost, its.leg_id), "the lost line told")
        peer.flowing.set()
        await until(lambda: events.has(LineBack, its.leg_id), "the line back")
        assert not events.has(LegClosed, its.leg_id)


async def test_another_way_is_found_and_the_picture_goes_on(engine: Engine) -> None:
    async with (
        listening(engine) as events,
        page(engine, events, "customer-1", DARK) as (customer, its),
        page(engine, events, "clerk-1", BRIGHT) as (clerk, own),
    ):
        await engine.attach(its.leg_id, own.leg_id)
        await engine.attach(own.leg_id, its.leg_id)
        await until(sees(clerk, DARK, since_s=0), "the clerk sees the customer")
        if isinstance(engine, RelayEngine):  # it says so, and the call goes on as it was
            with pytest.raises(NoOtherWayError):
                await engine.restart(its.leg_id)
            await until(sees(clerk, DARK, since_s=time.monotonic()), "the clerk goes on seeing the customer")
            return
        again = await engine.restart(its.leg_id)
        assert again.leg_id == its.leg_id
        assert _credentials(again.sdp).isdisjoint(_credentials(its.sdp))
        await engine.accept(its.leg_id, await customer.answer_again(again.sdp))
        customer.follow()
        await asyncio.sleep(1.0)
        restarted_s = time.monotonic()
        await until(sees(clerk, DARK, since_s=restarted_s, pictures=20), "the clerk goes on seeing the customer")
        await until(sees(customer, BRIGHT, since_s=restarted_s, pictures=20), "the customer goes on seeing the clerk")
        assert not events.has(LegClosed)


def _credentials(sdp: str) -> set[str]:
    return {line for line in sdp.splitlines() if line.startswith("a=ice-ufrag:")}


async def test_a_page_that_leaves_is_told(engine: Engine) -> None:
    async with listening(engine) as events, page(engine, events, "customer-1", DARK) as (peer, its):
        await peer.close()
        await until(lambda: events.has(LegClosed, its.leg_id), "the leg closed")


async def test_nonsense_is_refused_and_the_leg_stays(engine: Engine) -> None:
    peer = Peer(DARK)
    async with listening(engine) as events:
        try:
            offer = await engine.create_leg("customer-1", "customer")
            for nonsense in ("", "v=0", offer.sdp, "\x00" * 100, "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"):
                with pytest.raises(BadDescriptionError):
                    await engine.accept(offer.leg_id, nonsense)
            await engine.accept(offer.leg_id, await peer.answer(offer.sdp))
            await until(lambda: events.has(LegConnected, offer.leg_id), "connected after all")
            with pytest.raises(BadDescriptionError):
                await engine.add_candidate(offer.leg_id, "candidate:1 1 udp a 1.2.3.4 c typ host", "0", 0)
        finally:
            await peer.close()


async def test_a_closed_leg_is_unknown_and_closing_it_again_is_fine(engine: Engine) -> None:
    async with listening(engine) as events, page(engine, events, "customer-1", DARK) as (_, its):
        await engine.close_leg(its.leg_id)
        await engine.close_leg(its.leg_id)
        for act in (
            engine.detach(its.leg_id),
            engine.accept(its.leg_id, its.sdp),
            engine.restart(its.leg_id),
            engine.watch(its.leg_id, pictures_per_s=1),
        ):
            with pytest.raises(UnknownLegError):
                await act
        assert not events.has(LegClosed, its.leg_id)  # we hung up ourselves
        assert engine.healthy
