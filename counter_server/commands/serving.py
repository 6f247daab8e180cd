"""`counter serve`."""

import argparse
import os
from pathlib import Path

from counter_server.commands.home import settings_of
from counter_server.serve import serve
from webrtc.engine import EngineKind, VideoCodec
from webrtc.offered import read_offered


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", title: str) -> None:
    """Add `serve`."""
    server = commands.add_parser("serve", help=title)
    server.add_argument("--host", default="127.0.0.1")
    server.add_argument("--port", type=int, default=8070)
    server.add_argument("--kiosk-port", type=int, default=8444)
    server.add_argument("--public-url", default="", help="address customers' links begin with")
    server.add_argument("--tls-cert", type=Path)
    server.add_argument("--tls-key", type=Path)
    server.add_argument(
        "--media-address",
        action="append",
        default=[],
        type=_media_address,
        metavar="BOUND[=TOLD][:LOWEST-HIGHEST]",
        help="address calls are offered on, what pages are told instead, and the ports to keep to; repeatable",
    )
    server.add_argument(
        "--media-workers",
        type=int,
        default=int(os.environ.get("COUNTER_MEDIA_WORKERS", "0")),
        help="processes that carry calls (COUNTER_MEDIA_WORKERS); 0, the default: one for each core but one",
    )
    server.add_argument(
        "--media",
        choices=list(EngineKind),
        default=EngineKind(os.environ.get("COUNTER_MEDIA", EngineKind.OWN)),
        help="who carries calls (COUNTER_MEDIA); janus needs the package of that name and an address beside loopback",
    )
    server.add_argument(
        "--media-codec",
        choices=list(VideoCodec),
        default=VideoCodec(os.environ.get("COUNTER_MEDIA_CODEC", VideoCodec.VP8)),
        help="what everybody's pictures come in (COUNTER_MEDIA_CODEC): VP8, or H264 where a kiosk's hardware wants it",
    )
    server.add_argument("--turn", action="append", default=[], help="turn:host:port?transport=udp; repeatable")
    server.add_argument("--turn-secret", type=Path, help="file with the secret shared with coturn (static-auth-secret)")
    server.set_defaults(run=_serve)


def _media_address(text: str) -> str:
    """The text, if `webrtc.offered` can read it; argparse tells why not."""
    try:
        read_offered(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def _serve(options: argparse.Namespace) -> int:
    return serve(
        settings_of(options).model_copy(
            update={
                "host": options.host,
                "port": options.port,
                "kiosk_port": options.kiosk_port,
                "public_url": options.public_url,
                "tls_cert": options.tls_cert,
                "tls_key": options.tls_key,
                "media_addresses": tuple(options.media_address),
                "media_workers": options.media_workers,
                "turn_urls": tuple(options.turn),
                "turn_secret_file": options.turn_secret,
                "media": EngineKind(options.media),
                "media_codec": VideoCodec(options.media_codec),
            }
        )
    )
