"""`counter card` and `counter bench`."""

import argparse

from counter_server.card_commands import add_card_bench, add_card_commands
from counter_server.commands.home import provenance


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", title: str) -> None:
    """Add `card`."""
    add_card_commands(commands, provenance)


def add_bench(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", title: str) -> None:
    """Add `bench`."""
    add_card_bench(commands.add_parser("bench", help=title).add_subparsers(required=True), provenance)
