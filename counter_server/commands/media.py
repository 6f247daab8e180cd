"""`counter media`: what a media worker bears."""

import argparse
import asyncio
import tempfile
from pathlib import Path

from counter_server.commands.home import print_figures
from counter_server.errors import StoppedError
from webrtc.engine import EngineKind, VideoCodec
from webrtc.errors import MediaError
from webrtc.supervisor import SupervisedEngine


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", title: str) -> None:
    """Add `media` with what is below it."""
    media = commands.add_parser("media", help=title).add_subparsers(required=True)
    fuzz = media.add_parser("fuzz", help="malformed RTP, RTCP, STUN and SDP into a real worker; about 2 minutes")
    fuzz.add_argument("--packets", type=int, default=100_000)
    fuzz.add_argument("--seed", type=int, default=1, help="same seed, same packets")
    fuzz.add_argument("--codec", choices=list(VideoCodec), default=VideoCodec.VP8, help="what the worker speaks")
    fuzz.add_argument("--json", choices=["-"], help="print one JSON object")
    fuzz.set_defaults(run=_fuzz)


def _fuzz(options: argparse.Namespace) -> int:
    try:
        figures = asyncio.run(_fuzz_worker(options.packets, options.seed, VideoCodec(options.codec)))
    except MediaError as error:
        raise StoppedError(f"media fuzz: {error}") from error
    print_figures(figures, as_json=bool(options.json))
    return 0 if figures["worker_deaths"] == 0 and figures["same_worker"] and figures["answers_after"] else 1


async def _fuzz_worker(packets: int, seed: int, codec: VideoCodec) -> dict[str, object]:
    """Figures of one run against the worker a counter would start."""
    # the key of a recording nobody will open
    import pyrage  # type: ignore[import-untyped]  # noqa: PLC0415

    from webrtc.proving.fuzz import fuzz_engine  # noqa: PLC0415 - loads aiortc, which `counter --help` need not

    recipient = str(pyrage.x25519.Identity.generate().to_public())
    engine = SupervisedEngine(host_addresses=["127.0.0.1"], kind=EngineKind.OWN, codec=codec)
    await engine.start()
    try:
        with tempfile.TemporaryDirectory(prefix="counter-fuzz-") as folder:
            return await fuzz_engine(engine, packets, seed, Path(folder), recipient, lambda: engine.worker_pid)
    finally:
        await engine.stop()
