"""What several commands share: settings of the home they were given, and how figures are told."""

import argparse
import json
import platform
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version

from counter_server.config import Settings, read_passkeys, read_patience, read_record_settings, read_signing

PACKAGES = ("cryptography", "dlib-bin", "numpy", "onnxruntime", "opencv-python-headless")


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
        "versions": {name: version(name) for name in PACKAGES},
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def print_figures(figures: Mapping[str, object], *, as_json: bool) -> None:
    """One JSON object with where it comes from, or a table for people."""
    if as_json:
        print(json.dumps({**figures, **provenance()}, ensure_ascii=False))
        return
    for name, value in figures.items():
        if isinstance(value, dict):
            for inner, figure in value.items():
                print(f"{name + ' ' + str(inner):44} {figure}")
        else:
            print(f"{name:44} {value}")


def progress_line(what: str) -> Callable[[int, int], None]:
    """A line on the terminal of whoever waits, of how many were measured so far; nothing in a file."""

    def tell(done: int, of: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done} of {of} {what}", end="\n" if done == of else "", file=sys.stderr, flush=True)

    return tell
