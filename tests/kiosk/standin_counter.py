"""The counter's kiosk door for tests of the agent alone: real TLS 1.3 with client certificates, scripted answers.

The real counter stands behind the agent in tests/journeys; here it is replaced so that it can be slow, gone or wrong.
"""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request, Response, WebSocket
from starlette.websockets import WebSocketDisconnect
from uvicorn import Server

from counter_server.identification.chip import ChipQuestion, offer_for
from counter_server.people.kiosks import KioskAuthority
from hardware_drivers.fingerprint.scanner import FingerprintScanner
from hardware_drivers.smartcard.readers import CardReaders
from kiosk.__main__ import listen_here_only
from kiosk.agent import build_agent
from kiosk.config import KioskConfig, ReaderKind
from webrtc.wire.card import AskChipOffer, ChipChallenge, ChipOffer

CHALLENGE = bytes.fromhex("0123456789ABCDEF")


@dataclass
class Heard:
    """What reached the counter, and what it answers."""

    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    live: list[str] = field(default_factory=list)
    live_ended: threading.Event = field(default_factory=threading.Event)
    question: ChipQuestion = field(default_factory=ChipQuestion.draw)
    offered: list[ChipOffer] = field(default_factory=list)
    answer_status: int = 200
    answer: bytes = b"{}"


def standin_app(heard: Heard) -> FastAPI:
    """Records every request but a chip's questions; its live channel echoes, closes with 4001 when it hears `bye`."""
    app = FastAPI()

    @app.websocket("/{path:path}")
    async def live(page: WebSocket, path: str) -> None:
        await page.accept()
        try:
            while True:
                frame = await page.receive_text()
                heard.live.append(frame)
                if frame == "bye":
                    await page.close(4001)
                    return
                await page.send_text(f"echo {frame}")
        except WebSocketDisconnect:
            heard.live_ended.set()

    @app.post("/api/visits/{visit_id}/chip-challenge")
    async def challenge(visit_id: str) -> Response:
        return Response(ChipChallenge.model_construct(challenge=CHALLENGE).model_dump_json())

    @app.post("/api/visits/{visit_id}/chip-offer")
    async def offer(visit_id: str, asked: AskChipOffer) -> Response:
        heard.offered.append(offer_for(heard.question, asked.dg14))
        return Response(heard.offered[-1].model_dump_json())

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def anything(request: Request, path: str) -> Response:
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        heard.requests.append((request.method, target, dict(request.headers), await request.body()))
        return Response(heard.answer, heard.answer_status, {"content-type": "application/json", "set-cookie": "a=b"})

    return app


@contextlib.contextmanager
def serving(config: uvicorn.Config, sockets: list[socket.socket]) -> Iterator[Server]:
    """uvicorn in a thread, listening before the block begins and ended with it."""
    server = Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets}, daemon=True)
    thread.start()
    give_up_at = time.monotonic() + 10
    while not server.started and thread.is_alive() and time.monotonic() < give_up_at:
        time.sleep(0.01)
    assert server.started, "uvicorn did not start"
    try:
        yield server
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive(), "uvicorn did not end"


@contextlib.contextmanager
def standin_counter(authority: KioskAuthority, heard: Heard) -> Iterator[int]:
    """The stand-in on a free port, which is yielded."""
    authority.make_door(("127.0.0.1",))
    with listen_here_only(0) as listening:
        config = uvicorn.Config(
            standin_app(heard),
            ssl_certfile=authority.server_cert,
            ssl_keyfile=authority.server_key,
            ssl_ca_certs=str(authority.ca_file),
            ssl_cert_reqs=ssl.CERT_REQUIRED,
            ws="websockets-sansio",
            log_config=None,
            timeout_graceful_shutdown=1,
        )
        with serving(config, [listening]):
            yield listening.getsockname()[1]


def kiosk_config(folder: Path, counter_port: int, authority: KioskAuthority) -> KioskConfig:
    """A kiosk enrolled with this authority."""
    authority.make_kiosk("kiosk-t", folder)
    return KioskConfig(
        kiosk_id="kiosk-t",
        name="Test desk",
        counter_url=f"https://127.0.0.1:{counter_port}",
        ca_file=folder / "ca.pem",
        cert_file=folder / "kiosk.pem",
        key_file=folder / "kiosk.key",
        reader=ReaderKind.CABLE,
        cable_port=1,  # the readers are handed in by the test
    )


@contextlib.contextmanager
def agent(config: KioskConfig, readers: CardReaders, scanner: FingerprintScanner | None = None) -> Iterator[int]:
    """A kiosk agent on a free port, which is yielded."""
    with listen_here_only(0) as listening:
        port = listening.getsockname()[1]
        settings = uvicorn.Config(
            build_agent(config, readers, port, scanner),
            ws="websockets-sansio",
            log_config=None,
            timeout_graceful_shutdown=1,
        )
        with serving(settings, [listening]):
            yield port
