"""`counter record …`: the safe from the command line, also while the server runs.

A command is loaded when it is asked for. Checking a copied record needs no database, no PDF library and no proofs of
ours, and those load for two seconds.
"""

import argparse
import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass

from counter_server.records.errors import RecordError
from counter_server.records.examination import BrokenError
from counter_server.records.verify_command import add_verify_command

BROKEN, UNUSABLE = 1, 2
Run = Callable[[argparse.Namespace], int]


@dataclass(frozen=True, slots=True)
class Family:
    """Commands that live in one module, by name and title."""

    module: str
    adder: str
    titles: dict[str, str]


PROVING = Family(  # says its own troubles, since those of a proof are others
    "counter_server.records.proving.commands",
    "add_proving_commands",
    {
        "crash-test": "power cuts, failing disks, and sabotage that must be caught",
        "bitflip-test": "one changed bit anywhere in a record: who notices?",
    },
)
FAMILIES = (
    Family(
        "counter_server.records.safe_commands",
        "add_safe_commands",
        {
            "list": "sealed records, newest first",
            "open": "decrypt a record into an empty folder; the opening is noted first",
            "export-key": "a record's own key for an auditor; noted as an opening first",
        },
    ),
    Family(
        "counter_server.records.custody",
        "add_custody_commands",
        {
            "keep": "erase what has been kept for as long as it may be",
            "erase-customer": "erase all of a customer that no law and no hold keeps",
            "rotate": "a new master key; the old one is destroyed",
            "hold": "keep a record, or all of a customer, until the hold is lifted",
            "lift-hold": "end a hold",
            "escrow": "from now on a record's keys leave under two people's keys only",
            "release": "a record's keys for the two people, noted as an opening first",
        },
    ),
    Family(
        "counter_server.records.court.commands",
        "add_court_commands",
        {
            "export-court": "a record as ASiC-E with CAdES-B-T, still encrypted",
            "check-court": "check such a file, every bit of it",
        },
    ),
    PROVING,
)


def add_record_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `record` with its commands. Each parser's `run(arguments) -> int` does it; 0 means done and whole."""
    record = subparsers.add_parser("record", help="the safe: list, verify and open sealed records")
    commands = record.add_subparsers(dest="record_command", required=True)
    add_verify_command(commands, _answering)
    for family in FAMILIES:
        for name, title in family.titles.items():
            # no word begins an option here: all of them are for the parser that the family brings
            later = commands.add_parser(name, help=title, add_help=False, prefix_chars="\0")
            later.add_argument("words", nargs="*")
            later.set_defaults(run=_loading(family))


def _loading(family: Family) -> Run:
    """What loads a family, reads the words that were put off, and runs the command."""

    def run(asked: argparse.Namespace) -> int:
        parser = argparse.ArgumentParser(prog="counter record")
        add = getattr(importlib.import_module(family.module), family.adder)
        below = parser.add_subparsers(dest="record_command", required=True)
        add(below) if family is PROVING else add(below, _answering)
        known = {name: value for name, value in vars(asked).items() if name not in ("run", "words")}
        asked = parser.parse_args([asked.record_command, *asked.words], argparse.Namespace(**known))
        code: int = asked.run(asked)
        return code

    return run


def _answering(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """The command with its expected troubles said in one line."""

    def answer(asked: argparse.Namespace) -> int:
        """Run, or say why not."""
        try:
            return run(asked)
        except (RecordError, BrokenError, OSError) as error:
            print(f"record {asked.record_command}: {error}", file=sys.stderr)
            return UNUSABLE

    return answer
