"""Simulated people over our worker and over Janus: what `bench video` counts is what came."""

import asyncio
from pathlib import Path

import av
import numpy as np
import pytest

from webrtc.aio.pass_engine import PassEngine
from webrtc.janus.client import JanusClient
from webrtc.proving import janus as janus_server
from webrtc.proving.clip import HEIGHT, NUMBERS, WIDTH, make_clip, payloads, picture_number
from webrtc.proving.crowd import crowd, share_ms
from webrtc.proving.network import Network, usable
from webrtc.rtp import FORMATS, Assembler

in_namespaces = pytest.mark.skipif(usable() is not None, reason=usable() or "")


@in_namespaces
async def test_every_picture_of_the_crowd_comes_and_is_known_by_its_number(tmp_path: Path) -> None:
    with Network(("customer", "clerk")) as network:
        engine = PassEngine(host_addresses=[network.address])
        await engine.start()
        try:
            async with crowd(network) as people:
                await people.join(engine, "own-0")
                if janus_server.available():
                    async with janus_server.janus(network.address, tmp_path) as other:
                        client = await JanusClient.open(other.url, "", lambda: None)
                        await people.join_janus(client, 1, "janus-0")
                        flows = await people.watch(2.0)
                        await client.close()
                else:
                    flows = await people.watch(2.0)
                for flow in flows.values():
                    assert flow.sent > 20
                    assert abs(flow.sent - flow.pictures) < 15  # those on their way at both ends of the stretch
                    assert len(flow.latencies_ms) > 0.8 * flow.sent
                    assert 0 < share_ms(flow.latencies_ms, 0.5) < 1_000
                await people.hang_up("own-0")
                assert "own" not in await people.watch(0.1)
        finally:
            await engine.stop()


async def test_the_clip_decodes_and_keeps_its_numbers() -> None:
    clip = await asyncio.to_thread(make_clip)
    assembler, decoder = Assembler(FORMATS["vp8"]), av.CodecContext.create("vp8", "r")
    sequence = decoded = 0
    for number, picture in enumerate(clip.pictures[:20], start=NUMBERS - 10):
        pieces = payloads(picture, number)
        assert {picture_number(piece) for piece in pieces} == {number % NUMBERS}
        for piece in pieces:
            for whole in assembler.push(sequence, 3_000 * number, int(piece is pieces[-1]), piece, 0.0):
                for frame in decoder.decode(av.Packet(whole.payload)):
                    assert (frame.width, frame.height) == (WIDTH, HEIGHT)
                    assert np.ptp(frame.to_ndarray(format="gray")) > 100
                    decoded += 1
            sequence += 1
    assert decoded == 20


def test_a_payload_of_another_encoder_has_no_number() -> None:
    for other in (b"", b"\x10", b"\x10\x00\x00\x00\x00", b"\x90\x00\x00\x00", b"\x90\x80\x12\x00"):
        assert picture_number(other) is None
