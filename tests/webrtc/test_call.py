"""Calls between real browsers through a real worker process."""

import asyncio
import io
import os
import signal
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import av
import pyrage  # type: ignore[import-untyped]
import pytest

from tests.webrtc.stage import Participant, both_ways, browsers, listening, until
from webrtc.engine import LegClosed, LegConnected, LineBack, LineLost, WorkerDied
from webrtc.errors import BadDescriptionError, UnknownLegError
from webrtc.snapshot import PictureDecoder
from webrtc.supervisor import SupervisedEngine


@pytest.fixture
async def engine() -> AsyncIterator[SupervisedEngine]:
    """A worker process that offers 127.0.0.1 only, as the demonstration does."""
    engine = SupervisedEngine(host_addresses=["127.0.0.1"])
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()


def unsealed(folder: Path, filenames: list[str], identity: pyrage.x25519.Identity) -> bytes:
    """The Matroska file, put together as the documentation says."""
    return b"".join(pyrage.decrypt((folder / name).read_bytes(), [identity]) for name in filenames)


async def test_two_browsers_see_and_hear_each_other_and_both_sides_are_recorded(
    engine: SupervisedEngine, tmp_path: Path
) -> None:
    identity = pyrage.x25519.Identity.generate()
    recipient = str(identity.to_public())
    async with browsers(2) as ((left, right), address), listening(engine) as events:
        customer = await Participant.enter(left, address, engine)
        clerk = await Participant.enter(right, address, engine)
        await customer.join("room", "customer", events)
        await engine.record(customer.leg_id, tmp_path, "customer", recipient)
        await clerk.join("room", "clerk", events)
        await engine.record(clerk.leg_id, tmp_path, "clerk", recipient)
        attached_at = time.time()
        await both_ways(customer, clerk)
        for participant in (customer, clerk):
            await participant.sees(30)
            first_at = (await participant.figures())["firstFrameAt"] / 1000
            print(f"first picture painted {1000 * (first_at - attached_at):.0f} ms after attach")
        await engine.watch(customer.leg_id, pictures_per_s=6)
        await until(lambda: len(events.pictures) > 30, "30 pictures sampled")
        await engine.unwatch(customer.leg_id)
        await asyncio.sleep(3)
        figures = [await participant.figures() for participant in (customer, clerk)]
        tracks = await engine.end_recording("room")
        await engine.close_room("room")

    for figure in figures:
        assert figure["heard"] > 48_000  # more than a second of sound samples
    for shown, sent in ((figures[0], figures[1]), (figures[1], figures[0])):
        # each began to send a second before it was shown; from then on every picture arrives
        assert shown["decoded"] > 0.6 * sent["sent"]

    decoder = PictureDecoder(events.pictures[0].picture.codec)
    assert events.pictures[0].picture.key
    for sampled in events.pictures:
        decoder.feed(sampled.picture)
    picture = decoder.latest()
    assert decoder.broken == 0
    assert decoder.decoded == len(events.pictures)
    assert picture is not None
    assert picture.shape == (480, 640, 3)
    assert picture.std() > 10  # Chromium's fake camera shows a green field with a moving disc, not one colour

    assert {track.role for track in tracks} == {"customer", "clerk"}
    for track in tracks:
        assert len(track.segments) >= 2
        clear = unsealed(tmp_path, [name for name, _, _ in track.segments], identity)
        with av.open(io.BytesIO(clear)) as container:
            pictures = list(container.decode(video=0))
        with av.open(io.BytesIO(clear)) as container:
            sounds = list(container.decode(audio=0))
        assert len(pictures) == track.frames
        assert track.frames > 60
        assert len(sounds) > 100
        assert (track.width, track.height) == (pictures[0].width, pictures[0].height) == (640, 480)
        assert 15 < track.fps_measured < 35  # the fake camera gives 20, on a loaded machine a little less
        assert track.gaps == ()
        assert track.complete


def command_line(pid: int) -> bytes:
    """What a process of ours was started as; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def children_of(pid: int) -> list[int]:
    """Every descendant of a process."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")  # the kernel lists children by the thread that made them
    own = [int(child) for task in tasks for child in task.read_text().split()]
    return own + [grandchild for child in own for grandchild in children_of(child)]


def signal_all(pids: list[int], number: signal.Signals) -> None:
    """Send a signal to each."""
    for pid in pids:
        os.kill(pid, number)


async def test_a_killed_worker_is_told_at_once_and_the_call_and_its_recording_go_on_with_the_next(
    engine: SupervisedEngine, tmp_path: Path
) -> None:
    identity = pyrage.x25519.Identity.generate()
    async with browsers(1) as ((browser,), address), listening(engine) as events:
        customer = await Participant.enter(browser, address, engine)
        await customer.join("room", "customer", events)
        await engine.record(customer.leg_id, tmp_path, "customer", str(identity.to_public()))
        await until(lambda: (tmp_path / "customer-0000.mkv.age").exists(), "the first segment")
        old_leg, pid = customer.leg_id, engine.worker_pid
        assert pid is not None
        killed_s = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        await until(lambda: events.has(WorkerDied), "the death told")
        assert [event.rooms for _, event in events.told if isinstance(event, WorkerDied)] == [("room",)]
        assert (events.when(WorkerDied) or 0) - killed_s < 1.5
        assert not engine.healthy

        await customer.join("room", "customer", events)
        assert engine.worker_pid != pid
        with pytest.raises(UnknownLegError):
            await engine.attach(old_leg, customer.leg_id)
        await engine.record(customer.leg_id, tmp_path, "customer", str(identity.to_public()))
        await asyncio.sleep(1.5)
        tracks = await engine.end_recording("room")

    assert [(track.name, track.complete) for track in tracks] == [("customer", False), ("customer.2", True)]
    for track in tracks:
        clear = unsealed(tmp_path, [name for name, _, _ in track.segments], identity)
        with av.open(io.BytesIO(clear)) as container:
            assert len(list(container.decode(video=0))) > 10


async def test_a_closed_tab_is_a_lost_line_and_a_rejoin_continues_the_same_recording(
    engine: SupervisedEngine, tmp_path: Path
) -> None:
    identity = pyrage.x25519.Identity.generate()
    async with browsers(1) as ((browser,), address), listening(engine) as events:
        customer = await Participant.enter(browser, address, engine)
        await customer.join("room", "customer", events)
        await engine.record(customer.leg_id, tmp_path, "customer", str(identity.to_public()))
        await asyncio.sleep(1.5)
        closed_s = time.monotonic()
        await customer.page.close()
        await until(lambda: events.has(LineLost, customer.leg_id), "the lost line told", 4)
        assert (events.when(LineLost, customer.leg_id) or 0) - closed_s < 3

        again = await Participant.enter(browser, address, engine)
        await again.join("room", "customer", events)
        await engine.record(again.leg_id, tmp_path, "customer", str(identity.to_public()))
        await engine.close_leg(customer.leg_id)
        await asyncio.sleep(1.5)
        (track,) = await engine.end_recording("room")

    assert len(track.gaps) == 1
    gap_at_s, gap_s = track.gaps[0]
    assert gap_s > 1.5
    clear = unsealed(tmp_path, [name for name, _, _ in track.segments], identity)
    with av.open(io.BytesIO(clear)) as container:
        times = [float(picture.time) for picture in container.decode(video=0)]
    assert len(times) == track.frames
    steps = [later - earlier for earlier, later in pairwise(times)]
    assert max(steps) == pytest.approx(gap_s, abs=0.05)  # the gap is on the true time line
    assert times[steps.index(max(steps))] == pytest.approx(gap_at_s, abs=0.05)


async def test_the_clerk_sees_a_customer_who_joins_again_on_the_connection_of_before(engine: SupervisedEngine) -> None:
    async with browsers(2) as ((left, right), address), listening(engine) as events:
        customer = await Participant.enter(left, address, engine)
        clerk = await Participant.enter(right, address, engine)
        await clerk.join("room", "clerk", events)
        await customer.join("room", "customer", events)
        await both_ways(customer, clerk)
        await clerk.sees(20)
        await customer.page.close()
        again = await Participant.enter(left, address, engine)
        await again.join("room", "customer", events)
        await both_ways(again, clerk)
        await engine.close_leg(customer.leg_id)
        before = int((await clerk.figures())["decoded"])
        await clerk.sees(before + 40)
        await again.sees(20)
        assert (await clerk.figures())["state"] == "connected"
        await engine.detach(clerk.leg_id)
        await asyncio.sleep(0.3)
        still = int((await clerk.figures())["decoded"])
        await asyncio.sleep(0.5)
        assert int((await clerk.figures())["decoded"]) == still


async def test_a_page_whose_candidates_nobody_can_resolve_is_found_by_its_checks(engine: SupervisedEngine) -> None:
    """As with Chromium's `.local` names: not one candidate of the page reaches the engine."""
    async with browsers(1) as ((browser,), address), listening(engine) as events:
        customer = await Participant.enter(browser, address, engine)
        offer = await engine.create_leg("room", "customer")
        sdp = await customer.page.evaluate("sdp => answer(sdp)", offer.sdp)
        lines = [line for line in sdp.splitlines() if not line.startswith("a=candidate:")]
        await engine.accept(offer.leg_id, "\r\n".join(lines) + "\r\n")
        await until(lambda: events.has(LegConnected, offer.leg_id), "connected", 5)


async def test_a_page_without_network_is_lost_and_comes_back(engine: SupervisedEngine) -> None:
    async with browsers(1) as ((browser,), address), listening(engine) as events:
        customer = await Participant.enter(browser, address, engine)
        await customer.join("room", "customer", events)
        network = [pid for pid in children_of(os.getpid()) if b"network.mojom" in command_line(pid)]
        assert network
        signal_all(network, signal.SIGSTOP)
        try:
            await until(lambda: events.has(LineLost, customer.leg_id), "the lost line told", 4)
        finally:
            signal_all(network, signal.SIGCONT)
        await until(lambda: events.has(LineBack, customer.leg_id), "the line back", 4)
        assert not events.has(LegClosed, customer.leg_id)


async def test_an_answer_from_nowhere_is_refused_and_the_leg_stays(engine: SupervisedEngine) -> None:
    offer = await engine.create_leg("room", "customer")
    for nonsense in ("", "v=0", offer.sdp, "\x00" * 100, "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"):
        with pytest.raises(BadDescriptionError):
            await engine.accept(offer.leg_id, nonsense)
    with pytest.raises(UnknownLegError):
        await engine.accept("0" * 16, offer.sdp)
