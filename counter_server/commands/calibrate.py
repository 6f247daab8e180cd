"""`counter calibrate`: what an engine's distances mean, measured on people and written down."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from biometrics.errors import BiometricsError
from biometrics.evaluation.calibrate import calibrate_face
from biometrics.face.calibration import read_calibration
from biometrics.face.engines import open_engine
from biometrics.face.gallery import NEEDED
from counter_server.commands import fingerprints, passive
from counter_server.commands.home import progress_line
from counter_server.errors import StoppedError


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", title: str) -> None:
    """Add `calibrate`."""
    calibrate = commands.add_parser("calibrate", help=title).add_subparsers(required=True)
    fingerprints.add_calibration(calibrate)
    passive.add_calibration(calibrate)
    face = calibrate.add_parser("face", help="write the calibration file of the engine in use (COUNTER_FACE_ENGINE)")
    face.add_argument("--data", type=Path, required=True, help="one folder per person, info.csv with groups if known")
    face.add_argument("--measured-on", required=True, help="whose pictures these are, for whoever reads the file")
    face.add_argument("--write", type=Path, required=True, help="the file; an existing one is not overwritten")
    face.set_defaults(run=_face)


def _face(options: argparse.Namespace) -> int:
    if options.write.exists():
        raise StoppedError(f"{options.write} exists; decisions refer to it, so give the new one another name")
    try:
        text = calibrate_face(
            options.data,
            open_engine(to_calibrate=True),  # an engine by manifest has no figures of its own yet
            measured_on=options.measured_on,
            measured_at=datetime.now(UTC).date(),
            progress=progress_line("people"),
        )
        calibration = read_calibration(text)
    except BiometricsError as error:
        raise StoppedError(str(error)) from error
    options.write.write_text(text, encoding="utf-8")
    print(f"{calibration.id}: worst group {calibration.worst_group} of {calibration.worst_group_people} people")
    for thresholds in calibration.fused:
        print(
            f"{thresholds.frames_fused} frames: accept below {thresholds.accept_distance:.3f}, where other people of "
            f"that group match falsely {thresholds.supported_fmr:.1e}; refer below {thresholds.refer_distance:.3f}"
        )
    chosen = calibration.of(NEEDED)
    if chosen is None or chosen.assists_only(1e-4):
        print("too few people to promise 1 in 10 000: this engine assists, it accepts nobody alone who asks for that")
    return 0
