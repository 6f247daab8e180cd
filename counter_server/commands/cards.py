"""`counter card`."""

import argparse

from counter_server.card_commands import add_card_commands
from counter_server.commands.home import provenance


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", title: str) -> None:
    """Add `card`."""
    add_card_commands(commands, provenance)
