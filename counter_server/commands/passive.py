"""`counter calibrate passive` and `counter evaluate passive`: the operator's detector of paper and screens."""

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path

from biometrics.errors import BiometricsError
from biometrics.evaluation.passive import calibration_text, passive_figures
from biometrics.evaluation.passive_values import DRAWN, Studio, Values, show_all
from biometrics.face.engines import open_engine
from biometrics.face.engines.passive_calibration import LEAST_CLIPS, parse_passive_calibration
from biometrics.face.engines.passive_manifest import read_passive_manifest
from biometrics.face.texture import MANIFEST, Passive, passive_from
from counter_server.commands.home import print_figures, progress_line
from counter_server.errors import StoppedError

Subparsers = argparse._SubParsersAction
PEOPLE_HELP = "folders of people: every folder with pictures or clips in it is one person"
ATTACKS_HELP = "your own recordings: one folder for each species, every picture or clip below it is one attack"


def add_evaluation(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add `passive` below `evaluate`."""
    passive = commands.add_parser("passive", help=f"APCER by species and BPCER of the detector in {MANIFEST}")
    _add_material(passive)
    passive.add_argument("--json", choices=["-"], help="print one JSON object")
    passive.set_defaults(run=_evaluate)


def add_calibration(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add `passive` below `calibrate`."""
    passive = commands.add_parser("passive", help=f"write the calibration file of the detector in {MANIFEST}")
    _add_material(passive)
    passive.add_argument("--measured-on", required=True, help="who and what was shown, for whoever reads the file")
    passive.add_argument("--write", type=Path, required=True, help="the file; an existing one is not overwritten")
    passive.set_defaults(run=_calibrate)


def _add_material(passive: argparse.ArgumentParser) -> None:
    passive.add_argument("--data", type=Path, nargs="+", required=True, help=PEOPLE_HELP)
    passive.add_argument("--attacks", type=Path, help=ATTACKS_HELP)
    passive.add_argument(
        "--drawn",
        type=int,
        default=60,
        help=f"drawn attacks of each of {', '.join(DRAWN)}; at least {LEAST_CLIPS}, or 0",
    )
    passive.add_argument(
        "--as-recorded", action="store_true", help="pictures were taken by the counter's own camera: one look at each"
    )
    passive.add_argument("--bpcer", type=float, default=0.05, help="share of people that may be refused, at 95 %%")
    passive.add_argument("--seed", type=int, default=1)


def _evaluate(options: argparse.Namespace) -> int:
    _check(options)
    try:
        passive = _named(passive_from())
        figures = passive_figures(
            _show(options, passive),
            engine_id=passive.detector.id,
            bound=options.bpcer,
            seed=options.seed,
            calibrated_from=passive.accept_from,
        )
    except BiometricsError as error:
        raise StoppedError(str(error)) from error
    print_figures(figures, as_json=bool(options.json))
    return 0


def _calibrate(options: argparse.Namespace) -> int:
    _check(options)
    if options.write.exists():
        raise StoppedError(f"{options.write} exists; decisions refer to it, so give the new one another name")
    try:
        passive = _named(passive_from(to_calibrate=True))
        engine_id = passive.detector.id
        text = calibration_text(
            _show(options, passive),
            engine_id=engine_id,
            weights=read_passive_manifest(_manifest()).sha256,
            bound=options.bpcer,
            seed=options.seed,
            measured_on=options.measured_on,
            measured_at=datetime.now(UTC).date(),
        )
        calibration = parse_passive_calibration(text, options.write.name, engine_id)
    except BiometricsError as error:
        raise StoppedError(str(error)) from error
    options.write.write_text(text, encoding="utf-8")
    print(
        f"from {calibration.accept_from} on; {calibration.people_refused} of {calibration.people} unseen people were "
        f"refused, at most {calibration.bpcer_upper:.1%} (wanted: {calibration.bpcer_bound:.1%})"
    )
    for name, species in calibration.attacks.items():
        kind = "recorded" if species.recorded else "imitated"
        print(f"{name}: {species.accepted} of {species.clips} {kind} accepted, at most {species.apcer_upper:.1%}")
    for why in calibration.told_only_because:
        print(f"refuses nobody: {why}")
    return 0


def _check(options: argparse.Namespace) -> None:
    if not 0 < options.bpcer < 1:
        raise StoppedError("--bpcer is a share of people: more than 0, less than 1")
    if options.drawn < 0 or options.seed < 0:
        raise StoppedError("--drawn and --seed are not negative")


def _manifest() -> Path:
    return Path(os.environ.get(MANIFEST, ""))


def _named(passive: Passive | None) -> Passive:
    if passive is None:
        raise StoppedError(f"no detector is named: {MANIFEST} is the path of its manifest")
    return passive


def _show(options: argparse.Namespace, passive: Passive) -> Values:
    studio = Studio(open_engine(), passive.detector, options.seed, as_recorded=options.as_recorded)
    return show_all(
        studio,
        options.data,
        recorded_attacks=options.attacks,
        drawn_attacks=options.drawn,
        progress=progress_line("shown"),
    )
