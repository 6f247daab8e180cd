"""A deployment that speaks H.264: every engine offers nothing else, and what it brings is recorded and sampled."""

import io
import time
from collections.abc import AsyncIterator
from pathlib import Path

import av
import pyrage  # type: ignore[import-untyped]
import pytest

from tests.webrtc.engine_contract.engines import ENGINES, Engine, running
from tests.webrtc.engine_contract.pages import BRIGHT, DARK, page, sees
from tests.webrtc.films import key_flags, pictures_in, unseal
from tests.webrtc.stage import listening, until
from webrtc.engine import VideoCodec
from webrtc.snapshot import PictureDecoder


@pytest.fixture(params=ENGINES)
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    async with running(request.param, VideoCodec.H264) as engine:
        yield engine


async def test_a_call_in_h264_is_seen_recorded_and_sampled(engine: Engine, tmp_path: Path) -> None:
    identity = pyrage.x25519.Identity.generate()
    async with (
        listening(engine) as events,
        page(engine, events, "customer-1", DARK) as (customer, its),
        page(engine, events, "clerk-1", BRIGHT) as (clerk, own),
    ):
        for sdp in (its.sdp, own.sdp):
            assert "profile-level-id=42e01f" in sdp
            assert "VP8/90000" not in sdp
        began_s = time.monotonic()
        await engine.attach(its.leg_id, own.leg_id)
        await engine.attach(own.leg_id, its.leg_id)
        await engine.record(its.leg_id, tmp_path, "customer", str(identity.to_public()))
        await engine.watch(its.leg_id, pictures_per_s=30)
        await until(sees(clerk, DARK, since_s=began_s), "the clerk sees the customer")
        await until(sees(customer, BRIGHT, since_s=began_s), "the customer sees the clerk")
        await until(lambda: len(events.pictures) >= 10, "ten pictures sampled")
        (track,) = await engine.end_recording("customer-1")
    matroska = unseal(tmp_path, [name for name, _, _ in track.segments], identity)
    shown = pictures_in(matroska)
    assert len(shown) == track.frames >= 5
    assert shown[0][1:] == (track.width, track.height)
    assert key_flags(matroska)[0]
    with av.open(io.BytesIO(matroska)) as container:
        assert container.streams.audio[0].codec_context.name in ("opus", "libopus")
    decoder = PictureDecoder(events.pictures[0].picture.codec)
    for sampled in events.pictures:
        decoder.feed(sampled.picture)
    picture = decoder.latest()
    assert picture is not None
    assert abs(float(picture[60:].mean()) - DARK) < 15
    assert (decoder.broken, decoder.decoded) == (0, len(events.pictures))
