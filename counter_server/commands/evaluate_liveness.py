"""`counter evaluate liveness`."""

import argparse
import json
import os
import sys
from pathlib import Path

from biometrics.errors import BiometricsError
from biometrics.evaluation.attacks import SPECIES
from biometrics.evaluation.clips import evaluate_clips
from biometrics.evaluation.liveness import evaluate_liveness
from biometrics.face.engines import open_engine
from counter_server.commands.home import provenance
from counter_server.errors import StoppedError

DATA = "COUNTER_EVALUATION_DATA"


def add(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `liveness`."""
    liveness = parsers.add_parser("liveness", help="synthetic attacks and genuine clips: APCER by species, BPCER")
    liveness.add_argument("--data", type=Path, help=f"folder of people; default: faces/london below ${DATA}")
    liveness.add_argument("--clips", type=Path, help="films of real heads; default: faces/motion beside the people")
    liveness.add_argument("--attacks", type=int, default=300, help="of each species")
    liveness.add_argument("--genuine", type=int, default=300)
    liveness.add_argument("--seed", type=int, default=1)
    liveness.add_argument("--species", nargs="+", choices=list(SPECIES), default=list(SPECIES))
    liveness.add_argument("--json", choices=["-"], help="print one JSON object")
    liveness.set_defaults(run=_liveness)


def _liveness(options: argparse.Namespace) -> int:
    data = options.data
    if data is None:
        root = os.environ.get(DATA, "")
        if not root:
            raise StoppedError(f"name a folder of people by --data, or by the environment variable {DATA}")
        data = Path(root) / "faces" / "london"
    clips = options.clips or data.parent / "motion"
    try:
        engine = open_engine()
        figures = evaluate_liveness(
            data,
            attacks=options.attacks,
            genuine=options.genuine,
            seed=options.seed,
            species=options.species,
            engine=engine,
            progress=lambda done: print(done, file=sys.stderr, flush=True),
        )
        if options.clips or clips.is_dir():
            figures |= evaluate_clips(clips, engine)
    except BiometricsError as error:
        raise StoppedError(str(error)) from error
    if options.json:
        print(json.dumps(figures | provenance(), ensure_ascii=False))
        return 0
    for name, one in figures["apcer"].items():
        print(f"{name:24} {one['accepted']:4} of {one['attacks']} accepted, at most {one['apcer_upper']:.2%}")
    if figures["bona_fide"]:
        print(f"{'genuine refused':24} {figures['bona_fide_refused']:4} of {figures['bona_fide']}, at most ", end="")
        print(f"{figures['bpcer_upper']:.2%}; median {figures['bona_fide_seconds_median']:.1f} s")
    if "real_clips" in figures:
        print(f"{'real heads refused':24} {figures['real_clips_refused']:4} of {figures['real_clips']}")
    return 0
