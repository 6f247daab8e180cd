"""`counter evaluate face`."""

import argparse
import json
from pathlib import Path

from biometrics.errors import BiometricsError
from biometrics.evaluation.face import evaluate_face
from counter_server.commands.home import provenance
from counter_server.errors import StoppedError


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", title: str) -> None:
    """Add `evaluate`."""
    evaluate = commands.add_parser("evaluate", help=title).add_subparsers(required=True)
    face = evaluate.add_parser("face", help="false matches and non-matches on a folder of people")
    face.add_argument("--data", type=Path, required=True)
    face.add_argument("--json", choices=["-"], help="print one JSON object")
    face.set_defaults(run=_face)


def _face(options: argparse.Namespace) -> int:
    try:
        figures = dict(evaluate_face(options.data))
    except BiometricsError as error:
        raise StoppedError(str(error)) from error
    if options.json:
        print(json.dumps(figures | provenance(), ensure_ascii=False))
    else:
        for name, value in figures.items():
            print(f"{name:32} {value}")
    return 0
