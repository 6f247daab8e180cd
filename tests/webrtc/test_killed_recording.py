"""A media worker killed in mid-call: what its recordings of both sides still hold, read back by libav.

Pictures carry their number in blocks of black and white, so that what is missing is counted and not guessed.
"""

import asyncio
import io
import os
import signal
import time
from contextlib import AsyncExitStack
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pyrage  # type: ignore[import-untyped]
from aiortc import MediaStreamTrack

from tests.webrtc.engine_contract.peer import HEIGHT, PICTURES_PER_S, WIDTH, Peer
from tests.webrtc.films import key_flags, unseal
from tests.webrtc.stage import Events, listening, until
from webrtc.aio.addresses import set_host_addresses
from webrtc.engine import LegConnected, RecordedTrack, VideoCodec, WorkerDied
from webrtc.matroska import CLUSTER_MS
from webrtc.sealed import SEGMENT_S
from webrtc.supervisor import SupervisedEngine

BITS = 10
BLOCK_PX = WIDTH // BITS
ROLES = ("customer", "clerk")
# The writer cuts at its next turn and syncs: far less than this, but the machine may be doing something else.
SLACK_S = 3.0


class NumberedCamera(MediaStreamTrack):
    """Pictures that say which they are; notes when each was made."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._began_s = time.monotonic()
        self.made_s: list[float] = []

    async def recv(self) -> av.VideoFrame:
        """The next picture in its time."""
        await asyncio.sleep(1 / PICTURES_PER_S)
        bits = [len(self.made_s) >> bit & 1 for bit in range(BITS)]
        grey = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        grey[:HEIGHT] = np.repeat(np.array(bits, np.uint8) * 200 + 30, BLOCK_PX)
        self.made_s.append(time.monotonic())
        picture = av.VideoFrame.from_ndarray(grey, format="yuv420p")
        picture.pts, picture.time_base = int((time.monotonic() - self._began_s) * 90_000), Fraction(1, 90_000)
        return picture


def numbers_in(matroska: bytes) -> list[int]:
    """What each picture of the film says of itself; a decoding error raises."""
    told: list[int] = []
    with av.open(io.BytesIO(matroska)) as container:
        stream = container.streams.video[0]
        stream.codec_context.options = {"err_detect": "explode"}
        for picture in container.decode(stream):
            light = picture.to_ndarray(format="gray")[:, : BITS * BLOCK_PX].reshape(HEIGHT, BITS, BLOCK_PX)
            told.append(sum(int(mean > 128) << bit for bit, mean in enumerate(light.mean(axis=(0, 2)))))
    return told


async def join(
    engine: SupervisedEngine, events: Events, stack: AsyncExitStack, role: str
) -> tuple[str, NumberedCamera]:
    """A leg that is up, and the camera it shows."""
    camera = NumberedCamera()
    peer = Peer(0, camera)
    stack.push_async_callback(peer.close)
    offer = await engine.create_leg("room", role)
    await engine.accept(offer.leg_id, await peer.answer(offer.sdp))
    await until(lambda: events.has(LegConnected, offer.leg_id), f"{role} connected")
    return offer.leg_id, camera


async def killed_in_mid_call(
    codec: VideoCodec, folder: Path, recipient: str
) -> tuple[dict[str, NumberedCamera], float, tuple[RecordedTrack, ...]]:
    """Both sides' cameras, when the worker was killed, and the recordings it left."""
    engine = SupervisedEngine(host_addresses=["127.0.0.1"], codec=codec)
    await engine.start()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.stop)
        events = await stack.enter_async_context(listening(engine))
        joined = [await join(engine, events, stack, role) for role in ROLES]
        legs = [leg_id for leg_id, _ in joined]
        for leg_id, other_id, role in zip(legs, reversed(legs), ROLES, strict=True):
            await engine.record(leg_id, folder, role, recipient)
            await engine.attach(leg_id, other_id)
        firsts = [folder / f"{role}-0000.mkv.age" for role in ROLES]
        await until(lambda: all(path.exists() for path in firsts), "a segment of each side")
        await asyncio.sleep(SEGMENT_S - 1)  # the next is almost whole: the worst moment
        assert engine.worker_pid is not None
        killed_s = time.monotonic()
        os.kill(engine.worker_pid, signal.SIGKILL)
        await until(lambda: events.has(WorkerDied), "the death told")
        cameras = {role: camera for role, (_, camera) in zip(ROLES, joined, strict=True)}
        return cameras, killed_s, await engine.end_recording("room")


async def test_a_killed_worker_leaves_one_film_of_each_side_that_lacks_at_most_its_last_segment(tmp_path: Path) -> None:
    identity = pyrage.x25519.Identity.generate()
    set_host_addresses(["127.0.0.1"])
    try:
        calls = [killed_in_mid_call(codec, tmp_path / codec, str(identity.to_public())) for codec in VideoCodec]
        ends = await asyncio.gather(*calls)
    finally:
        set_host_addresses(None)
    for codec, (cameras, killed_s, tracks) in zip(VideoCodec, ends, strict=True):
        folder = tmp_path / codec
        assert sorted((track.role, track.name, track.complete) for track in tracks) == [
            ("clerk", "clerk", False),
            ("customer", "customer", False),
        ]
        for track in tracks:
            matroska = unseal(folder, [name for name, _, _ in track.segments], identity)
            assert key_flags(matroska)[0]
            numbers = numbers_in(matroska)
            steps = [later - earlier for earlier, later in pairwise(numbers)]
            assert min(steps) > 0
            assert sum(step - 1 for step in steps) <= len(numbers) // 10  # a busy machine's camera stumbles, no more
            missing_s = killed_s - cameras[track.role].made_s[numbers[-1]]
            print(f"{codec} {track.role}: {len(numbers)} pictures, the last {missing_s:.1f} s before the kill")
            assert missing_s < SEGMENT_S + CLUSTER_MS / 1000 + SLACK_S
            with av.open(io.BytesIO(matroska)) as container:
                sounds = sum(frame.samples for frame in container.decode(audio=0)) / 48_000
            assert sounds > 0.2  # a busy machine speaks haltingly too
