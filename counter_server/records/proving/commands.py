"""`counter record crash-test | bitflip-test`: the proofs as commands, with printed figures and a verdict."""

import argparse
import json
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from counter_server.errors import StoppedError
from counter_server.records.canonical import Plain
from counter_server.records.errors import RecordError
from counter_server.records.proving.bit_flips import draw_flips, seal_sample, try_flips
from counter_server.records.proving.campaign import run_campaign
from counter_server.records.proving.court_flips import CourtFlipFigures, export_sample, try_court_flips
from counter_server.records.proving.nursery import scratch_folder

FAILED, UNUSABLE = 1, 2
SEED = 20261121


def add_proving_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add both below `record`. They work in a scratch folder and touch no home."""
    crash = commands.add_parser("crash-test", help="power cuts, failing disks, and sabotage that must be caught")
    crash.add_argument("--states", type=int, default=20_000, help="disks after a power cut")
    crash.add_argument("--faults", type=int, default=1_000, help="calls that kill, or answer EIO or ENOSPC")
    flips = commands.add_parser("bitflip-test", help="one changed bit anywhere in a record: who notices?")
    flips.add_argument("--flips", type=int, default=10_000)
    flips.add_argument("--script-flips", type=int, help="let the shell script judge only the first so many")
    flips.add_argument(
        "--court-script-flips",
        type=int,
        help="the same of the flips in a court's container, which are a quarter of all",
    )
    flips.add_argument("--record", type=Path, help="a sealed record's folder; default: one made up for this")
    flips.add_argument("--trust", type=Path, help="its trust root")
    for parser, run in ((crash, _crash), (flips, _flip)):
        parser.add_argument("--seed", type=int, default=SEED)
        parser.add_argument("--home", type=Path, default=argparse.SUPPRESS)
        parser.add_argument("--json", choices=["-"], help="machine output on standard output")
        parser.set_defaults(run=_answering(run))


def _crash(asked: argparse.Namespace) -> int:
    with scratch_folder() as scratch:
        campaign = run_campaign(scratch, states=asked.states, faults=asked.faults, seed=asked.seed)
    _print(asked, campaign.figures())
    return 0 if campaign.held else FAILED


def _flip(asked: argparse.Namespace) -> int:
    if (asked.record is None) != (asked.trust is None):
        raise StoppedError("--record and --trust belong together")
    with scratch_folder() as scratch:
        if asked.record is None:
            safe, sealed = seal_sample(scratch / "home")
            record, trust = sealed.folder, safe.home.trust_root
        else:  # flipped copies link to its files, so it must lie on the same file system
            record, trust = shutil.copytree(asked.record, scratch / "record"), asked.trust
        court_flips = asked.flips // 4 if asked.record is None else 0
        flips = draw_flips(record, asked.flips - court_flips, random.Random(asked.seed))  # noqa: S311 - to repeat, not a key
        found = try_flips(record, trust, flips, scratch, script_flips=asked.script_flips)
        court = CourtFlipFigures()
        if asked.record is None:  # a real record's container would want its server's keys
            sample, roots = export_sample(safe, sealed, scratch)
            chance = random.Random(asked.seed)  # noqa: S311 - as above
            court = try_court_flips(sample, roots, court_flips, chance, script_flips=asked.court_script_flips)
    figures: dict[str, Plain] = {
        "seed": asked.seed,
        "record_bytes": found.record_bytes,
        "container_bytes": court.container_bytes,
        "flips": found.flips + court.flips,
        "flips_in_container": court.flips,
        "accepted_by_verifier": found.accepted_by_verifier + court.accepted_by_verifier,
        "script_flips": found.script_flips + court.script_flips,
        "script_flips_in_container": court.script_flips,
        "accepted_by_script": found.accepted_by_script + court.accepted_by_script,
        "noticed_by_verifier": dict((found.noticed_by_verifier + court.noticed_by_verifier).most_common()),
        "noticed_by_script": dict((found.noticed_by_script + court.noticed_by_script).most_common()),
    }
    _print(asked, figures)
    accepted = found.accepted_by_verifier + found.accepted_by_script
    return 0 if accepted + court.accepted_by_verifier + court.accepted_by_script == 0 else FAILED


def _answering(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    def answer(asked: argparse.Namespace) -> int:
        try:
            return run(asked)
        except (RecordError, OSError) as error:
            print(f"record {asked.record_command}: {error}", file=sys.stderr)
            return UNUSABLE

    return answer


def _print(asked: argparse.Namespace, figures: dict[str, Plain]) -> None:
    if asked.json:
        print(json.dumps(figures, ensure_ascii=False))
        return
    for name, value in figures.items():
        if isinstance(value, dict):
            print(f"{name}:")
            for inner, figure in value.items():
                print(f"  {inner:48} {figure}")
        elif isinstance(value, list):
            print(f"{name}: {len(value)}")
            for line in value:
                print(f"  {line}")
        else:
            print(f"{name:28} {value}")
