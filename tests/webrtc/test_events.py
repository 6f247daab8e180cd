"""What waits for a slow reader, and what crosses the pipe."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from webrtc.engine import (
    EncodedPicture,
    LegClosed,
    LegConnected,
    LineBack,
    LineLost,
    LineMinute,
    MediaEvent,
    PictureSampled,
    PictureSize,
    RecordedTrack,
    TrackQuality,
)
from webrtc.errors import UnknownLegError
from webrtc.events import WAITING_PICTURES, EventQueue
from webrtc.pipe import (
    failure_from_json,
    failure_to_json,
    pack_event,
    pack_frame,
    read_event,
    read_frame,
    track_from_json,
    track_to_json,
)


def sampled(number: int, *, key: bool = False, leg_id: str = "a") -> PictureSampled:
    return PictureSampled(leg_id, EncodedPicture(b"%d" % number, key, "VP8", float(number), number / 30))


async def test_a_slow_reader_loses_pictures_up_to_the_next_key_and_nothing_else() -> None:
    asked: list[str] = []
    events = EventQueue(asked.append)
    for number in range(WAITING_PICTURES + 50):
        events.put(sampled(number, key=number == 0))
    events.put(LineLost("a"))
    for _ in range(WAITING_PICTURES):
        assert isinstance(await events.get(), PictureSampled)
    assert isinstance(await events.get(), LineLost)
    events.put(sampled(200))  # its reference was refused
    assert asked == ["a"]
    events.put(sampled(201, key=True))
    events.put(sampled(202))
    assert [(await events.get()), (await events.get())] == [sampled(201, key=True), sampled(202)]


async def test_one_leg_that_nobody_reads_does_not_cost_another_its_pictures() -> None:
    events = EventQueue(lambda leg_id: None)
    for number in range(WAITING_PICTURES * 2):
        events.put(sampled(number, key=True))
    events.put(sampled(1, key=True, leg_id="b"))
    told = [await events.get() for _ in range(WAITING_PICTURES + 1)]
    assert told[-1] == sampled(1, key=True, leg_id="b")


async def test_a_reader_may_wait_first() -> None:
    events = EventQueue(lambda leg_id: None)
    waiting = asyncio.create_task(events.get())
    await asyncio.sleep(0)
    events.put(LegConnected("a"))
    assert await waiting == LegConnected("a")


@pytest.mark.parametrize(
    "event", [LegConnected("a"), LineLost("a"), LineBack("a"), LegClosed("a"), sampled(5, key=True)], ids=str
)
async def test_events_cross_the_pipe_unchanged(event: MediaEvent) -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(pack_event(event))
    assert read_event(*await read_frame(reader)) == event


@pytest.mark.parametrize(
    "nonsense", [b"\xff" * 64, b"\x00\x00\x00\x02\x00\x00\x00\x00[]", b"\x00\x00\x00\x01\x00\x00\x00\x00{"]
)
async def test_nonsense_on_the_pipe_is_a_value_error(nonsense: bytes) -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(nonsense)
    with pytest.raises(ValueError):  # noqa: PT011 - json's own subclass among them
        await read_frame(reader)


async def test_a_frame_cut_short_is_an_end() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(pack_frame({"call": 1}, b"tail")[:-1])
    reader.feed_eof()
    with pytest.raises(asyncio.IncompleteReadError):
        await read_frame(reader)


def test_tracks_and_failures_survive_json() -> None:
    began = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    track = RecordedTrack("clerk", "clerk", (("a", 1, "ff"),), began, 1.5, 40, ((0.5, 2.0),), 640, 480, 29.9)
    quality = TrackQuality((PictureSize(0.1, 640, 480),), -3.5, 12.0, 7, (LineMinute(1_000, 3, 2), LineMinute(9, 0, 0)))
    for told in (track, replace(track, quality=quality)):
        assert track_from_json(json.loads(json.dumps(track_to_json(told)))) == told
    failure = failure_from_json(failure_to_json(UnknownLegError("gone")))
    assert (type(failure), str(failure)) == (UnknownLegError, "gone")
