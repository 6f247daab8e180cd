"""`counter bench`: card readings, faces, calls and the safe."""

import argparse
import sys
import tempfile
from pathlib import Path

from counter_server.card_commands import add_card_bench
from counter_server.commands.face_bench import add_face_bench
from counter_server.commands.finger_bench import add_finger_bench
from counter_server.commands.home import print_figures, provenance
from counter_server.commands.video_bench import add_video_bench
from counter_server.records.errors import RecordError
from counter_server.records.proving.bench import bench_records

UNUSABLE = 2


def add_bench(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", title: str) -> None:
    """Add `bench` with everything below it."""
    benches = commands.add_parser("bench", help=title).add_subparsers(required=True)
    add_card_bench(benches, provenance)
    add_finger_bench(benches)
    add_face_bench(benches)
    add_video_bench(benches)
    records = benches.add_parser("records", help="sealing, seeking, verifying, the log; needs 1.5 GB for a minute")
    records.add_argument("--scratch", type=Path, help="where files of the measurement go; default: the system's own")
    records.add_argument("--json", choices=["-"], help="print one JSON object")
    records.set_defaults(run=_records)


def _records(options: argparse.Namespace) -> int:
    try:
        with tempfile.TemporaryDirectory(prefix="counter-bench-", dir=options.scratch) as scratch:
            figures = bench_records(Path(scratch))
    except (RecordError, OSError) as error:
        print(f"bench records: {error}", file=sys.stderr)
        return UNUSABLE
    print_figures(figures, as_json=bool(options.json))
    return 0
