"""`counter bench fingerprint`."""

import argparse
import json
import os
import subprocess
import sys

from counter_server.commands.home import print_figures
from counter_server.errors import StoppedError


def add_finger_bench(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `fingerprint` below `bench`."""
    fingerprint = commands.add_parser("fingerprint", help="one thread's CPU time per finger, and memory")
    fingerprint.add_argument("--json", choices=["-"], help="print one JSON object")
    fingerprint.set_defaults(run=_bench)


def _bench(options: argparse.Namespace) -> int:
    measured = subprocess.run(
        [sys.executable, "-m", "biometrics.evaluation.fingerprint_speed"],
        capture_output=True,
        check=False,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )
    if measured.returncode:
        raise StoppedError("the measuring process failed: " + measured.stderr.decode(errors="replace")[-300:])
    print_figures(json.loads(measured.stdout), as_json=bool(options.json))
    return 0
