"""Malformed packets and descriptions for a media worker, over its real sockets: nothing a page sends may end it.

The fuzzer is a page whose call is up, so most of what it sends passes ICE and SRTP and reaches the code behind them.
Same seed, same packets.
"""

import asyncio
import contextlib
import os
import random
import struct
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aioice.stun
import pylibsrtp
from aiortc import RTCPeerConnection, RTCSessionDescription

from webrtc.aio.connection import new_peer_connection
from webrtc.engine import LegClosed, LegConnected, MediaEngine, PictureSampled, WorkerDied
from webrtc.errors import BadDescriptionError, MediaError
from webrtc.proving.malformed import (
    candidate,
    datagram_of_nobody,
    description,
    rtcp_packet,
    rtp_packet,
    scribbled,
    stun_attributes,
)

# What share of the packets is what: most go through SRTP, because the deepest code is behind it.
KINDS = {"rtp": 45, "rtcp": 25, "stun": 12, "noise": 12, "dtls": 3, "sdp": 1, "candidate": 2}
# So many packets are read by the worker in the pause that follows them.
BATCH = 50
CONNECT_PATIENCE_S = 15.0
_DTLS_TYPES = range(20, 26)


@dataclass(slots=True)
class Findings:
    """What was sent and what came of it."""

    sent: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    legs_lost: int = 0
    worker_deaths: int = 0
    unforeseen: Counter[str] = field(default_factory=Counter)
    dropped_by_kernel: int = 0
    answers_after: bool = False


class _Page:
    """A peer whose call is up, and the raw way to the worker's socket."""

    def __init__(self, connection: RTCPeerConnection, leg_id: str, answer: str, ssrcs: dict[str, int]):
        self.connection = connection
        self.leg_id = leg_id
        self.answer = answer
        self.ssrcs = ssrcs
        dtls: Any = connection.getTransceivers()[0].receiver.transport
        self._tx_srtp: pylibsrtp.Session = dtls._tx_srtp
        self.ice: Any = dtls.transport._connection
        pair = self.ice._nominated[1]
        self._socket, self.worker_address = pair.protocol.transport, pair.remote_addr

    def send(self, datagram: bytes) -> None:
        """Out as it is."""
        if not self._socket.is_closing():
            self._socket.sendto(datagram, self.worker_address)

    def protect(self, packet: bytes, *, rtcp: bool) -> bytes | None:
        """Validly encrypted, or None where libsrtp itself refuses to."""
        try:
            return self._tx_srtp.protect_rtcp(packet) if rtcp else self._tx_srtp.protect(packet)
        except (pylibsrtp.Error, TypeError):
            return None


def _ssrcs(sdp: str) -> dict[str, int]:
    """First SSRC of each section of the engine's offer: what feedback must name to be heard."""
    found: dict[str, int] = {}
    kind = ""
    for line in sdp.splitlines():
        if line.startswith("m="):
            kind = line[2:].split(" ")[0]
        elif line.startswith("a=ssrc:") and kind not in found:
            found[kind] = int(line[7:].split(" ")[0])
    return found


class Fuzzer:
    """Sends to one engine and watches whether it lives."""

    def __init__(self, engine: MediaEngine, seed: int, folder: Path, recipient: str):
        self.findings = Findings()
        self._engine = engine
        self._dice = random.Random(seed)  # noqa: S311 - repeatable
        self._folder = folder
        self._recipient = recipient
        self._up: dict[str, asyncio.Event] = {}
        self._gone: set[str] = set()
        self._page: _Page | None = None
        self._rooms = 0
        self._spare: str | None = None

    async def run(self, packets: int) -> Findings:
        """Send so many packets; afterwards a call must still come about."""
        listening = asyncio.create_task(self._listen())
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self._unforeseen(context))
        try:
            for number in range(packets):
                page = await self._present_page()
                await self._send_one(page)
                if number % BATCH == BATCH - 1:
                    await asyncio.sleep(0.002)
                    with contextlib.suppress(MediaError):  # a round trip: the worker has read what we sent
                        await self._engine.add_candidate(page.leg_id, None, None, None)
            self._count_drops()
            await self._leave()
            page = await self._present_page()
            self.findings.answers_after = True
        finally:
            await self._leave()
            listening.cancel()
            loop.set_exception_handler(None)
        return self.findings

    def _unforeseen(self, context: dict[str, Any]) -> None:
        """Something was raised where nobody waits for it (only seen for an engine in this process)."""
        error = context.get("exception")
        self.findings.unforeseen[f"{type(error).__name__}: {context.get('message', '')}"[:120]] += 1

    async def _listen(self) -> None:
        """Follow the engine's events."""
        while True:
            match await self._engine.next_event():
                case LegConnected(leg_id):
                    self._up.setdefault(leg_id, asyncio.Event()).set()
                case LegClosed(leg_id):
                    self._gone.add(leg_id)
                case WorkerDied():
                    self.findings.worker_deaths += 1
                    if self._page is not None:
                        self._gone.add(self._page.leg_id)
                case PictureSampled() | _:
                    continue

    async def _present_page(self) -> _Page:
        """The page in the call, or a new one when that ended."""
        if self._page is not None and self._page.leg_id in self._gone:
            self.findings.legs_lost += 1
            await self._leave()
        if self._page is None:
            self._page = await self._join()
        return self._page

    async def _join(self) -> _Page:
        """A page that is shown to itself, recorded and watched, so that every tap sees what it sends."""
        self._rooms += 1
        room = f"fuzz-{self._rooms}"
        offer = await self._engine.create_leg(room, "customer")
        connection, up = new_peer_connection(), asyncio.Event()
        connection.on("connectionstatechange", lambda: up.set() if connection.connectionState == "connected" else None)
        await connection.setRemoteDescription(RTCSessionDescription(sdp=offer.sdp, type="offer"))
        for transceiver in connection.getTransceivers():
            transceiver.direction = "sendrecv"
        await connection.setLocalDescription(await connection.createAnswer())
        answer = connection.localDescription.sdp
        await self._engine.accept(offer.leg_id, answer)
        async with asyncio.timeout(CONNECT_PATIENCE_S):
            await self._up.setdefault(offer.leg_id, asyncio.Event()).wait()
            await up.wait()
        await self._engine.attach(offer.leg_id, offer.leg_id)
        await self._engine.watch(offer.leg_id, pictures_per_s=30)
        await self._engine.record(offer.leg_id, self._folder, room, self._recipient)
        return _Page(connection, offer.leg_id, answer, _ssrcs(offer.sdp))

    async def _leave(self) -> None:
        """Close the page and its leg."""
        page, self._page = self._page, None
        if page is not None:
            with contextlib.suppress(MediaError):
                await self._engine.close_leg(page.leg_id)
                await self._engine.end_recording(f"fuzz-{self._rooms}")
            await page.connection.close()

    async def _send_one(self, page: _Page) -> None:
        """One packet or description of a kind the dice choose."""
        dice = self._dice
        (kind,) = dice.choices(list(KINDS), weights=list(KINDS.values()))
        self.findings.sent[kind] += 1
        match kind:
            case "rtp":
                self._send_protected(page, rtp_packet(dice), rtcp=False)
            case "rtcp":
                self._send_protected(page, rtcp_packet(dice, page.ssrcs), rtcp=True)
            case "stun":
                page.send(self._stun(page))
            case "noise":
                page.send(datagram_of_nobody(dice))
            case "dtls":
                body = dice.randbytes(dice.randrange(120))
                head = struct.pack("!BHHHLH", dice.choice(_DTLS_TYPES), 0xFEFD, 1, 0, dice.getrandbits(32), len(body))
                page.send(scribbled(head + body, dice))
            case "sdp":
                await self._refusable(kind, self._describe(page))
            case _:
                told = candidate(dice), dice.choice(["0", "1", "x", None]), dice.choice([0, 1, 7, -1, None])
                await self._refusable(kind, self._engine.add_candidate(page.leg_id, *told))

    async def _describe(self, page: _Page) -> None:
        """A scribbled answer for a leg that waits for one; refused, it goes on waiting."""
        if self._spare is None:  # one for many: a worker that has made a thousand legs is replaced in good health
            self._spare = (await self._engine.create_leg("descriptions", "customer")).leg_id
        await self._engine.accept(self._spare, description(page.answer, self._dice))
        taken, self._spare = self._spare, None
        await self._engine.close_leg(taken)

    async def _refusable(self, kind: str, act: Any) -> None:
        """Refused by name is as good as taken; anything else is a finding."""
        try:
            await act
        except BadDescriptionError:
            self.findings.refused[kind] += 1
        except MediaError as error:
            self.findings.unforeseen[type(error).__name__] += 1

    def _send_protected(self, page: _Page, packet: bytes, *, rtcp: bool) -> None:
        """Through SRTP; what libsrtp refuses to encrypt goes out in clear."""
        page.send(page.protect(packet, rtcp=rtcp) or packet)

    def _stun(self, page: _Page) -> bytes:
        """A check with the right key and wrong insides, or one that was damaged on its way."""
        ice, dice = page.ice, self._dice
        message = aioice.stun.Message(
            dice.choice(list(aioice.stun.Method)),
            dice.choice(list(aioice.stun.Class)),
            dice.randbytes(12),
        )
        message.attributes["USERNAME"] = f"{ice.remote_username}:{ice.local_username}"
        for name, value in stun_attributes(dice):
            message.attributes[name] = value
        message.add_message_integrity(ice.remote_password.encode())
        whole = bytes(message)
        return whole if dice.random() < 0.3 else scribbled(whole, dice)

    def _count_drops(self) -> None:
        """Packets the worker was too slow for: they were not tested."""
        if self._page is None:
            return
        port = f":{self._page.worker_address[1]:04X}"
        for line in Path("/proc/net/udp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[1].endswith(port):
                self.findings.dropped_by_kernel += int(fields[-1])


def resident_mb(pid: int | None) -> float:
    """Memory of a process in megabytes; 0 when it is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, ValueError):
        return 0.0
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


async def fuzz_engine(
    engine: MediaEngine, packets: int, seed: int, folder: Path, recipient: str, pid: Callable[[], int | None]
) -> dict[str, object]:
    """Figures of one run against a started engine."""
    began_s, before_mb, first = time.monotonic(), resident_mb(pid()), pid()
    fuzzer = Fuzzer(engine, seed, folder, recipient)
    findings = await fuzzer.run(packets)
    return {
        "packets": sum(findings.sent.values()),
        "seed": seed,
        "sent": dict(findings.sent),
        "refused": dict(findings.refused),
        "worker_deaths": findings.worker_deaths,
        "same_worker": pid() == first,
        "unforeseen": dict(findings.unforeseen),
        "legs_lost": findings.legs_lost,
        "dropped_by_kernel": findings.dropped_by_kernel,
        "answers_after": findings.answers_after,
        "rss_growth_mb": round(resident_mb(pid()) - before_mb, 1),
        "seconds": round(time.monotonic() - began_s, 1),
    }
