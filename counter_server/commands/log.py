"""`counter log`: the log's own commands."""

import argparse

from counter_server.records.log.commands import add_log_commands


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", title: str) -> None:
    """Add `log`."""
    add_log_commands(commands)
