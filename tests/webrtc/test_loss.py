"""A real browser's call over a line that loses packets both ways."""

import asyncio
import io
import random
from pathlib import Path

import av
import pyrage  # type: ignore[import-untyped]
import pytest

from tests.webrtc.stage import Participant, both_ways, browsers, listening
from webrtc.aio.compat import SecureLink
from webrtc.aio.pass_engine import PassEngine

LOSS = 0.05


async def test_five_percent_loss_each_way_is_repaired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(7)  # noqa: S311 - repeatable losses
    receive, send = SecureLink._data_received, SecureLink._send
    lost = [0, 0]

    def lossy_receive(link: SecureLink, datagram: bytes, component: int) -> None:
        if 128 <= datagram[0] < 192 and dice.random() < LOSS:
            lost[0] += 1
        else:
            receive(link, datagram, component)

    def lossy_send(link: SecureLink, datagram: bytes) -> None:
        if dice.random() < LOSS:
            lost[1] += 1
        else:
            send(link, datagram)

    monkeypatch.setattr(SecureLink, "_data_received", lossy_receive)
    monkeypatch.setattr(SecureLink, "_send", lossy_send)
    identity = pyrage.x25519.Identity.generate()
    engine = PassEngine(host_addresses=["127.0.0.1"])
    await engine.start()
    try:
        async with browsers(2) as ((left, right), address), listening(engine) as events:
            customer = await Participant.enter(left, address, engine)
            clerk = await Participant.enter(right, address, engine)
            await customer.join("room", "customer", events)
            await clerk.join("room", "clerk", events)
            await engine.record(customer.leg_id, tmp_path, "customer", str(identity.to_public()))
            await both_ways(customer, clerk)
            await clerk.sees(10)
            before = await clerk.figures(), await customer.figures()
            await asyncio.sleep(6)
            after = await clerk.figures(), await customer.figures()
            (track,) = await engine.end_recording("room")
            repaired = engine._legs[customer.leg_id].receivers["video"].repaired
    finally:
        await engine.stop()

    assert min(lost) > 20
    shown = after[0]["decoded"] - before[0]["decoded"]
    sent = after[1]["sent"] - before[1]["sent"]
    assert repaired >= 2  # about one picture in ten lost a packet on its way up
    assert shown > 0.8 * sent
    clear = b"".join(pyrage.decrypt((tmp_path / name).read_bytes(), [identity]) for name, _, _ in track.segments)
    with av.open(io.BytesIO(clear)) as container:
        assert len(list(container.decode(video=0))) == track.frames
    assert track.frames > 0.8 * sent
