"""Starts a kiosk: `python -m kiosk --config kiosk.toml`. Prints one JSON line when the page can be opened."""

import argparse
import json
import logging
import socket
import sys
from pathlib import Path

import uvicorn
from pydantic import ValidationError

from hardware_drivers.bench import ScannerSettings, open_readers, open_scanner
from kiosk.agent import build_agent
from kiosk.config import FingerConfig, KioskConfig, ScannerKind, read_config
from kiosk.doorkeeper import BODY_MAX
from kiosk.errors import ConfigError
from webrtc.logs import write_to_stderr

log = logging.getLogger("kiosk")


class ReadyServer(uvicorn.Server):
    """uvicorn that says on stdout when it listens, for whoever started us."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then tell."""
        await super().startup(sockets)
        if self.started and sockets:
            print(json.dumps({"ready": True, "port": sockets[0].getsockname()[1]}), flush=True)


def listen_here_only(port: int) -> socket.socket:
    """A socket on 127.0.0.1; there is no setting that opens this door further."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    return listening


def scanner_settings(finger: FingerConfig) -> ScannerSettings:
    """What the file says of the scanner, for whoever opens it."""
    return ScannerSettings(
        dpi=finger.dpi,
        folder=finger.folder,
        hand=finger.hand,
        person=finger.person,
        virtual_image=finger.virtual_image,
        sbi_trust=finger.sbi_trust,
        sbi_port=finger.sbi_port,
    )


def serve(config: KioskConfig) -> None:
    """Run the desk until a signal ends it."""
    readers = open_readers(config.reader.value, name_contains=config.reader_name, cable_port=config.cable_port)
    scanner = open_scanner(config.finger.scanner.value, scanner_settings(config.finger))
    with listen_here_only(config.listen_port) as listening:
        settings = uvicorn.Config(
            build_agent(config, readers, listening.getsockname()[1], scanner),
            ws="websockets-sansio",
            ws_max_size=BODY_MAX,
            ws_per_message_deflate=False,
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=3,
        )
        ReadyServer(settings).run(sockets=[listening])


def with_scanner(config: KioskConfig, kind: str) -> KioskConfig:
    """The same desk with another scanner; `ConfigError` when the file does not say what that one needs."""
    try:
        finger = FingerConfig.model_validate({**config.finger.model_dump(), "scanner": kind})
    except ValidationError as error:
        raise ConfigError(f"--finger {kind}: {error.errors()[0]['msg']}") from error
    return config.model_copy(update={"finger": finger})


def main() -> int:
    """Read the configuration and serve; 2 when it does not describe a kiosk."""
    parser = argparse.ArgumentParser(prog="python -m kiosk", description="The desk the customer stands at.")
    parser.add_argument("--config", type=Path, required=True, help="kiosk.toml")
    parser.add_argument(
        "--finger",
        choices=[kind.value for kind in ScannerKind],
        help="this fingerprint scanner instead of the file's; the rest of the table [finger] still holds",
    )
    wishes = parser.parse_args()
    write_to_stderr(logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs whole URLs
    try:
        config = read_config(wishes.config)
        serve(with_scanner(config, wishes.finger) if wishes.finger else config)
    except ConfigError as problem:
        print(problem, file=sys.stderr)
        return 2
    except OSError as problem:
        print(f"cannot listen: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
