"""What several commands share: settings of the home they were given, and where figures come from."""

import argparse
import platform
from datetime import UTC, datetime
from importlib.metadata import version

from counter_server.config import Settings, read_passkeys, read_patience, read_record_settings, read_signing


def settings_of(options: argparse.Namespace) -> Settings:
    """Settings of `--home`."""
    home = options.home.absolute()
    return Settings(
        home=home,
        patience=read_patience(home),
        signing=read_signing(home),
        records_sealed=read_record_settings(home),
        passkeys=read_passkeys(home),
    )


def provenance() -> dict[str, object]:
    """What every printed object of figures carries: machine, versions, time."""
    return {
        "machine": f"{platform.machine()} {platform.system()} {platform.release()}",
        "versions": {name: version(name) for name in ("cryptography", "dlib-bin", "numpy", "opencv-python-headless")},
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
