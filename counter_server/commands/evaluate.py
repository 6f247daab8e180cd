"""`counter evaluate`: measured error rates."""

import argparse
from pathlib import Path

from biometrics.errors import BiometricsError
from biometrics.evaluation.det import det_picture
from biometrics.evaluation.face import evaluate_face
from biometrics.face.engines import open_engine
from counter_server.commands import evaluate_liveness, fingerprints, passive
from counter_server.commands.home import print_figures, progress_line
from counter_server.errors import StoppedError


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", title: str) -> None:
    """Add `evaluate`."""
    evaluate = commands.add_parser("evaluate", help=title).add_subparsers(required=True)
    fingerprints.add_evaluation(evaluate)
    evaluate_liveness.add(evaluate)
    passive.add_evaluation(evaluate)
    face = evaluate.add_parser("face", help="false matches and non-matches on a folder of people")
    face.add_argument("--data", type=Path, required=True, help="one folder per person, info.csv with groups if known")
    face.add_argument("--picture", type=Path, help="write the DET curve here (.svg, .png or .pdf)")
    face.add_argument("--json", choices=["-"], help="print one JSON object")
    face.set_defaults(run=_face)


def _face(options: argparse.Namespace) -> int:
    try:
        figures, curves = evaluate_face(options.data, engine=open_engine(), progress=progress_line("people"))
        if options.picture is not None and not figures["genuine"]:
            figures["notes"].append("no picture was drawn: nobody has two pictures")
        elif options.picture is not None:
            det_picture(curves, f"{figures['engine']}, {figures['people']} people", options.picture)
    except BiometricsError as error:
        raise StoppedError(str(error)) from error
    print_figures(figures, as_json=bool(options.json))
    return 0
