"""`counter evaluate liveness`."""

import argparse
import json
import os
import sys
from pathlib import Path

from biometrics.errors import BiometricsError
from biometrics.evaluation.attacks import SPECIES
from biometrics.evaluation.liveness import evaluate_liveness
from counter_server.commands.home import provenance
from counter_server.errors import StoppedError

DATA = "COUNTER_EVALUATION_DATA"


def add(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `liveness`."""
    liveness = parsers.add_parser("liveness", help="synthetic attacks and genuine clips: APCER by species, BPCER")
    liveness.add_argument("--data", type=Path, help=f"folder of people; default: faces/london below ${DATA}")
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
    try:
        figures = evaluate_liveness(
            data,
            attacks=options.attacks,
            genuine=options.genuine,
            seed=options.seed,
            species=options.species,
            progress=lambda done: print(done, file=sys.stderr, flush=True),
        )
    except BiometricsError as error:
        raise StoppedError(str(error)) from error
    if options.json:
        print(json.dumps(figures | provenance(), ensure_ascii=False))
        return 0
    for name, one in figures["apcer"].items():
        print(f"{name:24} {one['accepted']:4} of {one['attacks']} accepted, at most {one['apcer_upper']:.2%}")
    print(f"{'genuine refused':24} {figures['bona_fide_refused']:4} of {figures['bona_fide']}, at most ", end="")
    print(f"{figures['bpcer_upper']:.2%}; median {figures['bona_fide_seconds_median']:.1f} s")
    return 0
