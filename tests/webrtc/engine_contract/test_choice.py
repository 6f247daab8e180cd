"""Which engine runs, what happens when it cannot, and that a Janus never outlives its worker."""

import os
import signal
import subprocess
import sys

import aioice.ice
import pytest

from tests.webrtc.engine_contract.peer import Peer, janus_missing
from tests.webrtc.stage import listening, until
from webrtc.aio import compat
from webrtc.aio.pass_engine import PassEngine
from webrtc.aio.relay_engine import RelayEngine
from webrtc.engine import EngineKind, LegClosed, LegConnected
from webrtc.engines import open_engine
from webrtc.errors import BadDescriptionError, EngineUnfitError
from webrtc.janus.descriptions import ANSWER_MAX_BYTES, candidate_for_janus, janus_answers
from webrtc.janus.janus_engine import JanusEngine
from webrtc.supervisor import SupervisedEngine

needs_janus = pytest.mark.skipif(janus_missing() is not None, reason=janus_missing() or "")


async def test_our_own_engine_runs_where_every_private_name_is_in_its_place() -> None:
    engine, echo_s = await open_engine(EngineKind.OWN, ["127.0.0.1"])
    try:
        assert isinstance(engine, PassEngine)
        assert echo_s > 0
    finally:
        await engine.stop()


async def test_a_private_name_that_moved_makes_calls_dearer_not_impossible(monkeypatch: pytest.MonkeyPatch) -> None:
    moved = (*compat._PRIVATE_NAMES, (aioice.ice.Connection, ("a_name_of_the_next_version",)))
    monkeypatch.setattr(compat, "_PRIVATE_NAMES", moved)
    engine, _ = await open_engine(EngineKind.OWN, ["127.0.0.1"])
    peer = Peer(100)
    try:
        assert isinstance(engine, RelayEngine)
        async with listening(engine) as events:
            offer = await engine.create_leg("customer-1", "customer")
            await engine.accept(offer.leg_id, await peer.answer(offer.sdp))
            await until(lambda: events.has(LegConnected, offer.leg_id), "connected all the same")
    finally:
        await peer.close()
        await engine.stop()


@pytest.mark.parametrize("kind", [EngineKind.OWN, EngineKind.RELAY])
async def test_no_engine_runs_on_an_address_this_machine_has_not(kind: EngineKind) -> None:
    with pytest.raises(EngineUnfitError):
        await open_engine(kind, ["192.0.2.77"])  # RFC 5737: nobody's


@needs_janus
async def test_when_janus_dies_its_legs_are_told_closed_and_the_engine_is_not_healthy() -> None:
    engine = JanusEngine()
    await engine.start()
    try:
        assert engine.janus_pid is not None
        async with listening(engine) as events:
            offer = await engine.create_leg("customer-1", "customer")
            assert engine.healthy
            os.kill(engine.janus_pid, signal.SIGKILL)
            await until(lambda: events.has(LegClosed, offer.leg_id), "the leg closed")
        assert not engine.healthy
    finally:
        await engine.stop()


@needs_janus
async def test_a_killed_worker_takes_its_janus_along_and_the_next_has_another() -> None:
    engine = SupervisedEngine(kind=EngineKind.JANUS)
    await engine.start()
    try:
        worker = engine.worker_pid
        assert worker is not None
        (before,) = _januses_of(worker)
        os.kill(worker, signal.SIGKILL)
        await until(lambda: not _alive(before), "Janus ended")
        await until(lambda: engine.worker_pid not in (None, worker) and engine.healthy, "another worker")
        offer = await engine.create_leg("customer-1", "customer")
        assert offer.sdp.count("m=") == 4
    finally:
        await engine.stop()


def _januses_of(worker: int) -> list[int]:
    """Children of the worker."""
    with open(f"/proc/{worker}/task/{worker}/children", encoding="ascii") as children:
        return [int(pid) for pid in children.read().split()]


def _alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


ANSWER = "\r\n".join(
    [
        *("v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=group:BUNDLE 0 1", "a=group:BUNDLE 2 3"),
        *(
            line
            for mid in range(4)
            for line in (
                f"m={('audio', 'video')[mid % 2]} 9 UDP/TLS/RTP/SAVPF 96",
                f"a=mid:{mid}",
                f"a=ice-ufrag:u{mid // 2}",
                "a=ice-pwd:p",
                "a=fingerprint:sha-256 AA",
                "a=setup:active",
            )
        ),
        "",
    ]
)


def test_a_pages_answer_is_told_to_each_connection_in_its_own_names() -> None:
    sent, got = janus_answers(ANSWER, 1)
    for part, ufrag in ((sent, "u0"), (got, "u1")):
        assert part.count("m=") == 2
        assert [line for line in part.splitlines() if line.startswith("a=mid:")] == ["a=mid:0", "a=mid:1"]
        assert {line for line in part.splitlines() if "ufrag" in line} == {f"a=ice-ufrag:{ufrag}"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a=mid:3", "a=mid:4"),
        ("m=video 9", "m=video 0"),
        ("a=setup:active", "a=setup:passive"),
        ("a=fingerprint:sha-256 AA", "a=fingerprint:sha-256 "),
        ("a=ice-pwd:p\r\n", ""),
        ("s=-", "s=\x07"),
        ("s=-", "s=" + "x" * ANSWER_MAX_BYTES),
        ("v=0", "v=1"),
    ],
)
def test_an_answer_janus_must_not_see_is_refused(old: str, new: str) -> None:
    with pytest.raises(BadDescriptionError):
        janus_answers(ANSWER.replace(old, new), 1)


@pytest.mark.parametrize(
    ("line", "mid", "index"),
    [
        ("candidate:1 1 udp 1 1.2.3.4 9 typ host\r\na=x", "0", 0),
        ("candidate:1 1 udp x 1.2.3.4 9 typ host", "0", 0),
        ("candidate:1 1 udp 1 name.example 9 typ host", "0", 0),
        ("candidate:1 1 udp 1 1.2.3.4 9 typ host", "4", None),
        ("candidate:1 1 udp 1 1.2.3.4 9 typ host", None, -1),
    ],
)
def test_a_candidate_janus_must_not_see_is_refused(line: str, mid: str | None, index: int | None) -> None:
    with pytest.raises(BadDescriptionError):
        candidate_for_janus(line, mid, index)


def test_a_candidate_goes_to_the_connection_its_section_belongs_to() -> None:
    line = "candidate:1 1 udp 1 1.2.3.4 9 typ host"
    assert candidate_for_janus(line, "1", None) == (True, {"candidate": line, "sdpMid": "1", "sdpMLineIndex": 1})
    assert candidate_for_janus(line, None, 2) == (False, {"candidate": line, "sdpMid": "0", "sdpMLineIndex": 0})


def test_the_fallback_is_there_where_the_file_of_private_names_cannot_even_be_read() -> None:
    code = "import sys; sys.modules['webrtc.aio.compat'] = None; import webrtc.engines, webrtc.aio.relay_engine"
    subprocess.run([sys.executable, "-c", code], check=True)
