"""`counter evaluate fingerprint` and `counter calibrate fingerprint`."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from biometrics.errors import BiometricsError
from biometrics.evaluation.det import det_picture
from biometrics.evaluation.finger_sets import folders_of
from biometrics.evaluation.fingerprint import Peer, evaluate_fingerprint
from biometrics.evaluation.fingerprint_calibration import calibrate_fingerprint
from biometrics.evaluation.nbis_peer import nbis_peer
from biometrics.face.calibration import read_calibration
from biometrics.fingerprint.opening import open_extractor
from biometrics.fingerprint.policy import load_finger_calibration
from counter_server.commands.home import print_figures, progress_line
from counter_server.errors import StoppedError

Subparsers = argparse._SubParsersAction
DATA_HELP = "folders of finger_impression.png, or one folder that holds such folders; all share one threshold"


def add_evaluation(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add `fingerprint` below `evaluate`."""
    fingerprint = commands.add_parser(
        "fingerprint", help="error rates on sets of impressions, FVC's protocol and all pairs"
    )
    fingerprint.add_argument("--data", type=Path, nargs="+", required=True, help=DATA_HELP)
    fingerprint.add_argument("--picture", type=Path, help="write the DET curves here (.svg, .png or .pdf)")
    fingerprint.add_argument("--nbis", action="store_true", help="also NIST's MINDTCT and Bozorth3, where installed")
    fingerprint.add_argument(
        "--parts", action="store_true", help="also cut to parts: is the promised rate kept by size"
    )
    fingerprint.add_argument("--json", choices=["-"], help="print one JSON object")
    fingerprint.set_defaults(run=_evaluate)


def add_calibration(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add `fingerprint` below `calibrate`."""
    fingerprint = commands.add_parser("fingerprint", help="write the calibration file of the finger engine")
    fingerprint.add_argument("--data", type=Path, nargs="+", required=True, help=DATA_HELP)
    fingerprint.add_argument("--foreign", action="store_true", help="of another vendor's templates (.iso beside)")
    fingerprint.add_argument("--measured-on", required=True, help="whose fingers these are, for whoever reads the file")
    fingerprint.add_argument("--write", type=Path, required=True, help="the file; an existing one is not overwritten")
    fingerprint.set_defaults(run=_calibrate)


def _evaluate(options: argparse.Namespace) -> int:
    try:
        peers: dict[str, Peer] = {"nbis": nbis_peer()} if options.nbis else {}
        extractor = open_extractor()
        figures, curves = evaluate_fingerprint(
            folders_of(options.data),
            extractor,
            peers=peers,
            parts=load_finger_calibration(extractor.id) if options.parts else None,
            progress=progress_line("pictures and pairs"),
        )
        if options.picture is not None:
            det_picture(curves, f"{figures['engine']}, {figures['fingers']} fingers", options.picture)
    except BiometricsError as error:
        raise StoppedError(str(error)) from error
    print_figures(figures, as_json=bool(options.json))
    return 0


def _calibrate(options: argparse.Namespace) -> int:
    if options.write.exists():
        raise StoppedError(f"{options.write} exists; decisions refer to it, so give the new one another name")
    try:
        text = calibrate_fingerprint(
            folders_of(options.data),
            open_extractor(),
            foreign=options.foreign,
            measured_on=options.measured_on,
            measured_at=datetime.now(UTC).date(),
            progress=progress_line("pictures and pairs"),
        )
        calibration = read_calibration(text)
    except BiometricsError as error:
        raise StoppedError(str(error)) from error
    options.write.write_text(text, encoding="utf-8")
    for thresholds in calibration.fused:
        print(
            f"{thresholds.frames_fused} enrolled: accept to {thresholds.accept_distance:.4f}, where strangers of the "
            f"worst group match {thresholds.supported_fmr:.1e}; refer to {thresholds.refer_distance:.4f}"
        )
    return 0
