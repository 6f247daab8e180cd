"""Calls in H.264 between real browsers: seen, recorded on both sides, killed in the middle, joined late."""

import asyncio
import io
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import av
import pyrage  # type: ignore[import-untyped]
import pytest

from tests.webrtc.films import key_flags, pictures_in, unseal
from tests.webrtc.stage import Events, Participant, both_ways, browsers, listening, until
from webrtc.engine import RecordedTrack, VideoCodec, WorkerDied
from webrtc.h264 import NAL_IDR, NAL_PPS, NAL_SPS, units
from webrtc.snapshot import PictureDecoder
from webrtc.supervisor import SupervisedEngine


@pytest.fixture
async def engine() -> AsyncIterator[SupervisedEngine]:
    """A worker process of a deployment that speaks H.264."""
    engine = SupervisedEngine(host_addresses=["127.0.0.1"], codec=VideoCodec.H264)
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()


def film(folder: Path, track: RecordedTrack, identity: pyrage.x25519.Identity) -> bytes:
    """The track in the clear."""
    return unseal(folder, [name for name, _, _ in track.segments], identity)


@asynccontextmanager
async def recorded_call(
    engine: SupervisedEngine, folder: Path, identity: pyrage.x25519.Identity
) -> AsyncIterator[tuple[Participant, Participant, Events]]:
    """Customer and clerk, each in a browser of their own, shown to each other and recorded."""
    async with browsers(2) as (both, address), listening(engine) as events:
        customer, clerk = [await Participant.enter(browser, address, engine) for browser in both]
        for role, participant in (("customer", customer), ("clerk", clerk)):
            await participant.join("room", role, events)
            await engine.record(participant.leg_id, folder, role, str(identity.to_public()))
        await both_ways(customer, clerk)
        yield customer, clerk, events


async def test_two_browsers_and_a_third_who_joins_late_and_every_recorded_picture_decodes(
    engine: SupervisedEngine, tmp_path: Path
) -> None:
    identity = pyrage.x25519.Identity.generate()
    async with recorded_call(engine, tmp_path, identity) as (customer, clerk, events):
        await engine.watch(customer.leg_id, pictures_per_s=30)
        await customer.sees(20)
        await clerk.sees(20)
        assert clerk.page.context.browser is not None
        late = await Participant.enter(clerk.page.context.browser, clerk.page.url, engine)
        await late.join("room", "supervisor", events)
        await engine.attach(customer.leg_id, late.leg_id)
        await late.sees(20)
        await asyncio.sleep(2.5)  # two sender reports of each kind, once a second
        tracks = await engine.end_recording("room")
    assert {track.role for track in tracks} == {"customer", "clerk"}
    for track in tracks:
        matroska = film(tmp_path, track, identity)
        assert len(pictures_in(matroska)) == track.frames > 30
        assert key_flags(matroska)[0]
        with av.open(io.BytesIO(matroska)) as container:
            stream = container.streams.video[0]
            assert (stream.codec_context.name, stream.width, stream.height) == ("h264", track.width, track.height)
            assert stream.codec_context.profile is not None
            assert "baseline" in stream.codec_context.profile.lower()
            assert len(list(container.decode(audio=0))) > 50
        assert track.quality is not None
        print(track.role, track.quality, track.fps_measured)
        assert track.quality.skew_samples > 0
        assert abs(track.quality.skew_worst_ms or 0.0) < 1_000
        assert sum(minute.packets for minute in track.quality.minutes) > track.frames

    keys = [sampled.picture for sampled in events.pictures if sampled.picture.key]
    assert keys
    for picture in keys:  # who joins late, or decodes one picture alone, has nothing else
        assert {unit[0] & 0x1F for unit in units(picture.payload)} >= {NAL_SPS, NAL_PPS, NAL_IDR}
        decoder = PictureDecoder(picture.codec)
        decoder.feed(picture)
        assert decoder.latest() is not None


async def test_a_killed_worker_costs_both_sides_one_segment_and_what_is_there_decodes(
    engine: SupervisedEngine, tmp_path: Path
) -> None:
    identity = pyrage.x25519.Identity.generate()
    async with recorded_call(engine, tmp_path, identity) as (_, _, events):
        seconds = [tmp_path / f"{role}-0001.mkv.age" for role in ("customer", "clerk")]
        await until(lambda: all(path.exists() for path in seconds), "two segments of both", 30)
        assert engine.worker_pid is not None
        os.kill(engine.worker_pid, signal.SIGKILL)
        await until(lambda: events.has(WorkerDied), "the death told")
        tracks = await engine.end_recording("room")
    assert sorted((track.role, track.complete) for track in tracks) == [("clerk", False), ("customer", False)]
    for track in tracks:
        assert len(track.segments) >= 2
        shown = pictures_in(film(tmp_path, track, identity))
        assert shown[-1][0] > 4 * len(track.segments) - 3  # whole segments, but for the cluster each begins late by
