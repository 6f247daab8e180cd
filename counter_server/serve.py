"""From settings to a listening counter."""

import asyncio
import contextlib
import json
import logging
import signal
import socket
import ssl
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from types import FrameType

import uvicorn
from sqlalchemy import Connection
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from counter_server.app import build_app
from counter_server.catalogue.catalogue import load_catalogue
from counter_server.config import Settings
from counter_server.db import Database
from counter_server.errors import StoppedError
from counter_server.guards import Guards, with_certificate
from counter_server.identification.trust import load_trust
from counter_server.people.kiosks import KioskAuthority
from counter_server.records.custodian import open_masters, open_sealing
from counter_server.records.errors import RecordError
from counter_server.records.keys import read_private
from counter_server.records.store import RecordStore
from counter_server.signing.errors import FontsMissingError
from counter_server.signing.fonts import load_fonts
from counter_server.visits.office import Office
from hardware_drivers.smartcard.relay import MESSAGE_MAX
from webrtc.supervisor import SupervisedEngine, spare_cores
from webrtc.turn import TurnServer, turn_server

log = logging.getLogger(__name__)

SYNCED_COMMITS = (2, 3)  # SQLite's FULL and EXTRA
GRACE_S = 5  # for requests under way at shutdown; sockets are told 1012, "service restart"


class _Server(uvicorn.Server):
    """One listener of two; signals are taken once, by us."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.settled = asyncio.Event()  # listening, or given up

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, and say so."""
        try:
            await super().startup(sockets)
        finally:
            self.settled.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


def open_database(settings: Settings) -> Database:
    """The home's database, opened.

    Raises:
        StoppedError: the home is in use, cannot be read, or lies where acknowledged records get lost.
    """
    database = Database(settings.database)
    database.open()
    try:
        database.run_now(refuse_what_loses)
    except BaseException:
        database.close()
        raise
    return database


def refuse_what_loses(connection: Connection) -> None:
    """Stop unless the database works as the power-cut model found nothing lost: WAL, synced at every commit.

    SQLite answers with another mode, and works on in it, where a file system has no shared memory (network shares, some
    container volumes). Of such a rollback journal the model lost a third of what had been acknowledged.
    """
    mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
    level = connection.exec_driver_sql("PRAGMA synchronous").scalar()
    if mode != "wal" or level not in SYNCED_COMMITS:
        raise StoppedError(
            f"the database works in mode {mode}, synchronous {level}: a power cut could take what was acknowledged. "
            "Put the home on a local disk (ext4, xfs, btrfs)."
        )


def build_office(settings: Settings, database: Database) -> Office:
    """Everything a counter needs, from its home.

    Raises:
        StoppedError: a key, certificate or catalogue file is wrong; names it.
    """
    try:
        sealing = open_sealing(settings.keys, settings.signing, datetime.now(UTC))
        master = open_masters(settings.keys, settings.signing)
    except RecordError as error:
        raise StoppedError(f"{settings.keys}: {error}") from error
    try:
        fonts = load_fonts()
    except FontsMissingError as error:
        raise StoppedError(str(error)) from error
    office = Office(
        settings,
        database,
        load_catalogue(),
        load_trust(settings.trust),
        master,
        sealing,
        RecordStore(settings.records, sealing.trust_root),
        fonts,
        SupervisedEngine(
            host_addresses=settings.offered_addresses,
            workers=settings.media_workers or spare_cores(),
            kind=settings.media,
            codec=settings.media_codec,
        ),
    )
    office.turn = _turn(settings)
    return office


def _turn(settings: Settings) -> TurnServer | None:
    """Where pages relay through; `StoppedError` when the secret cannot be read or guards nothing."""
    if not settings.turn_urls:
        return None
    if settings.turn_secret_file is None:
        raise StoppedError("--turn needs --turn-secret with the file of the secret shared with the TURN server")
    try:
        return turn_server(settings.turn_urls, read_private(settings.turn_secret_file))
    except (RecordError, ValueError) as error:
        raise StoppedError(f"{settings.turn_secret_file}: {error}") from error


def serve(settings: Settings) -> int:
    """Run until SIGINT or SIGTERM. Returns the process's exit code."""
    return asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> int:
    database = open_database(settings)
    try:
        authority = KioskAuthority(settings.keys)
        authority.make_door(("127.0.0.1", "localhost", settings.host))
        office = build_office(settings, database)
        app = build_app(office)
        public = _Server(_public(settings, app))
        kiosks = _Server(_kiosk_door(settings, authority, app))
        stop = asyncio.Event()

        def on_signal(_number: int, _frame: FrameType | None) -> None:
            stop.set()
            for server in (public, kiosks):
                server.should_exit = True

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, on_signal, number, None)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(public.serve())
            await public.settled.wait()
            if public.started:  # the office's life hangs on the public listener's lifespan, so kiosks come second
                tasks.create_task(kiosks.serve())
                await kiosks.settled.wait()
            if kiosks.started:
                sys.stdout.write(json.dumps({"ready": True, "port": _port(public), "kiosk_port": _port(kiosks)}) + "\n")
                sys.stdout.flush()
                await office.closed.wait()  # asked for by a signal, or because one of its tasks failed
            for server in (public, kiosks):
                server.should_exit = True
        return 0 if stop.is_set() else 1
    finally:
        database.close()


def _public(settings: Settings, app: Guards) -> uvicorn.Config:
    return _config(
        app,
        settings.host,
        settings.port,
        lifespan="on",
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        http=HttpToolsProtocol,
        ws=WebSocketsSansIOProtocol,
    )


def _kiosk_door(settings: Settings, authority: KioskAuthority, app: Guards) -> uvicorn.Config:
    def tls(_config: uvicorn.Config, _default: object) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(authority.server_cert, authority.server_key)
        context.load_verify_locations(authority.ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    return _config(
        app,
        settings.host,
        settings.kiosk_port,
        lifespan="off",
        ssl_context_factory=tls,
        http=with_certificate(HttpToolsProtocol),
        ws=with_certificate(WebSocketsSansIOProtocol),
    )


def _config(app: ASGIApp, host: str, port: int, **more: object) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,  # paths carry visit ids, the receipt check its code
        log_level=logging.WARNING,  # below it uvicorn names the path of every WebSocket
        server_header=False,
        ws_max_size=MESSAGE_MAX,  # a stranger may send one frame before saying hello; uvicorn would take 16 MiB
        ws_per_message_deflate=False,  # doubles the memory of an idle socket, measured
        timeout_graceful_shutdown=GRACE_S,
        **more,  # type: ignore[arg-type]  # uvicorn's own option types
    )


def _port(server: uvicorn.Server) -> int:
    return int(server.servers[0].sockets[0].getsockname()[1])
