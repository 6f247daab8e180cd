"""`counter bench face`."""

import argparse
import os
from pathlib import Path

from counter_server.commands.home import print_figures


def add_face_bench(benches: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `bench face`."""
    face = benches.add_parser("face", help="what faces cost, against face_recognition on the same frames; 40 s")
    data = Path(os.environ.get("COUNTER_EVALUATION_DATA", "../shared/data")) / "faces"
    face.add_argument("--data", type=Path, default=data, help="people in folders, their pictures in them")
    face.add_argument("--json", choices=["-"], help="print one JSON object")
    face.set_defaults(run=_face)


def _face(options: argparse.Namespace) -> int:
    # late: other benches load no face network
    from biometrics.evaluation.face_speed import measure_faces  # noqa: PLC0415
    from counter_server.commands.face_session_cost import measure_sessions  # noqa: PLC0415

    figures = measure_faces(options.data, measure_sessions)
    print_figures(figures, as_json=bool(options.json))
    return 0
