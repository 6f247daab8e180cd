"""Malformed packets over an engine's real sockets: nothing is raised where nobody waits for it, and calls go on."""

import asyncio
import os
import re
import socket
import struct
from pathlib import Path

import aioice.stun
import pyrage  # type: ignore[import-untyped]
import pytest

from webrtc.aio import port
from webrtc.aio.pass_engine import PassEngine
from webrtc.proving.fuzz import fuzz_engine

PACKETS = 1_500


async def fuzzed(folder: Path, seed: int) -> dict[str, object]:
    """Figures of a short run against an engine in this process, where its unforeseen errors can be seen."""
    engine = PassEngine(host_addresses=["127.0.0.1"])
    await engine.start()
    try:
        recipient = str(pyrage.x25519.Identity.generate().to_public())
        figures = await fuzz_engine(engine, PACKETS, seed, folder, recipient, os.getpid)
        assert engine.healthy
        return figures
    finally:
        await engine.stop()


async def test_malformed_packets_and_descriptions_end_nothing(tmp_path: Path) -> None:
    figures = await fuzzed(tmp_path, seed=11)
    assert figures["unforeseen"] == {}
    assert figures["answers_after"]
    assert figures["legs_lost"] == 0
    sent, refused = figures["sent"], figures["refused"]
    assert isinstance(sent, dict)
    assert isinstance(refused, dict)
    assert min(sent.values()) > 5
    assert 0 < refused["sdp"] < sent["sdp"]  # some descriptions are scribbled where it does not matter


async def test_a_check_whose_attribute_is_shorter_than_its_kind_is_dropped() -> None:
    """Anybody can send one: no key is needed."""
    engine = PassEngine(host_addresses=["127.0.0.1"])
    await engine.start()
    raised: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: raised.append(context))
    try:
        offer = await engine.create_leg("customer-1", "customer")
        port_number = int(re.findall(r"127\.0\.0\.1 (\d+) typ host", offer.sdp)[0])
        check = aioice.stun.Message(aioice.stun.Method.BINDING, aioice.stun.Class.REQUEST, bytes(12))
        whole = bytes(check)[:2] + struct.pack("!H", 8) + bytes(check)[4:] + struct.pack("!HHL", 0x0024, 2, 0)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for _ in range(5):
                stranger.sendto(whole, ("127.0.0.1", port_number))
        await asyncio.sleep(0.3)
        assert raised == []
        with pytest.raises(struct.error):  # what aioice does with it
            aioice.stun.parse_message(whole)
    finally:
        asyncio.get_running_loop().set_exception_handler(None)
        await engine.stop()


async def test_the_fuzzer_finds_a_parser_that_trusts_lengths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "_UNREADABLE", (ValueError, IndexError))  # as it was before the fuzzer
    figures = await fuzzed(tmp_path, seed=11)
    assert any(struct.error.__name__ in what for what in figures["unforeseen"])  # type: ignore[attr-defined]
    assert figures["answers_after"]
