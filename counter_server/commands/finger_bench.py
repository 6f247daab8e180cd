"""`counter bench fingerprint`."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version

from counter_server.commands.home import provenance
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
    return print_figures(json.loads(measured.stdout), as_json=bool(options.json))


def print_figures(figures: Mapping[str, object], *, as_json: bool) -> int:
    """One JSON object with where it comes from, or a table for people; the command's exit code."""
    if as_json:
        from_where = provenance()
        versions = from_where["versions"]
        if isinstance(versions, dict):
            versions["onnxruntime"] = version("onnxruntime")
        print(json.dumps({**figures, **from_where}, ensure_ascii=False))
        return 0
    for name, value in figures.items():
        if isinstance(value, dict):
            for inner, figure in value.items():
                print(f"{name + ' ' + inner:44} {figure}")
        else:
            print(f"{name:44} {value}")
    return 0
