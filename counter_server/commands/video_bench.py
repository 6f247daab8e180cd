"""`counter bench video`: calls of real browsers over bad lines, and Janus beside them."""

import argparse
import sys

from counter_server.commands.home import print_figures

PARTS = ("cpu", "relay", "latency", "first", "loss", "narrow", "far", "janus", "move", "memory", "sessions")
UNUSABLE = 2
# What shells say of a program that ^C ended.
STOPPED = 130


def add_video_bench(benches: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `bench video`."""
    video = benches.add_parser("video", help="calls over bad lines, beside Janus; root, Chromium, about 12 minutes")
    video.add_argument("--only", default=",".join(PARTS), help=f"some of the parts: {','.join(PARTS)}")
    video.add_argument("--json", choices=["-"], help="print one JSON object")
    video.set_defaults(run=_video)


def _video(options: argparse.Namespace) -> int:
    parts = tuple(part for part in options.only.split(",") if part)
    if unknown := [part for part in parts if part not in PARTS]:
        print(f"bench video: no part is named {', '.join(unknown)}", file=sys.stderr)
        return UNUSABLE
    # drives browsers by a package that only tests and measurements install
    from webrtc.proving.bench import bench_video  # noqa: PLC0415

    try:
        figures = bench_video(parts)
    except KeyboardInterrupt:
        print("bench video: stopped; its networks and clients are taken away", file=sys.stderr)
        return STOPPED
    print_figures(figures, as_json=bool(options.json))
    return 0
