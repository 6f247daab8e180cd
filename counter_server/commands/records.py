"""`counter record`: the records room's own commands."""

import argparse

from counter_server.records.commands import add_record_commands


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", title: str) -> None:
    """Add `record`."""
    add_record_commands(commands)
