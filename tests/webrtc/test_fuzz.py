"""Malformed packets over an engine's real sockets: nothing is raised where nobody waits for it, and calls go on."""

import os
import struct
from pathlib import Path

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


async def test_the_fuzzer_finds_a_parser_that_trusts_lengths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "_UNREADABLE", (ValueError, IndexError))  # as it was before the fuzzer
    figures = await fuzzed(tmp_path, seed=11)
    assert any(struct.error.__name__ in what for what in figures["unforeseen"])  # type: ignore[attr-defined]
    assert figures["answers_after"]
