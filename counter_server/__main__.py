"""`counter`: the counter's command line."""

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from counter_server.errors import StoppedError
from webrtc.logs import write_to_stderr

STOPPED = 2


@dataclass(frozen=True, slots=True)
class Command:
    """Where a command lives. Loaded when asked for: a look at a record need not load a face network first."""

    module: str
    adder: str
    title: str


COMMANDS = {
    "serve": Command("counter_server.commands.serving", "add", "run the counter"),
    "clerk": Command("counter_server.commands.people", "add_clerk", "people at the consoles"),
    "kiosk": Command("counter_server.commands.people", "add_kiosk", "desks"),
    "trust": Command("counter_server.commands.trust", "add", "issuers of ID cards"),
    "record": Command("counter_server.commands.records", "add", "the safe: list, verify and open sealed records"),
    "outbox": Command("counter_server.commands.outbox", "add", "who is told what, and whether it arrived"),
    "log": Command("counter_server.commands.log", "add", "the log that makes records provable to strangers"),
    "card": Command("counter_server.commands.cards", "add", "ID documents: read, verify, and try to break the reading"),
    "evaluate": Command("counter_server.commands.evaluate", "add", "measured error rates"),
    "calibrate": Command("counter_server.commands.calibrate", "add", "what the engine's distances mean"),
    "media": Command("counter_server.commands.media", "add", "what a media worker bears"),
    "bench": Command("counter_server.commands.proving", "add_bench", "measured speed"),
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the process's exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    # NumPy's threads, also those of the processes we start: on small matrices and a busy machine they wait for each
    # other, and reading a check's colours cost 183 ms of CPU instead of 13
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    options = build_parser(words).parse_args(words)
    write_to_stderr(logging.INFO if options.verbose else logging.WARNING)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except StoppedError as error:
        print(f"counter: {error}", file=sys.stderr)
        return STOPPED


def build_parser(words: list[str]) -> argparse.ArgumentParser:
    """Every command by its title, and the options of those whose name is among the words."""
    parser = argparse.ArgumentParser(prog="counter", description="A counter without a counter")
    parser.add_argument(
        "--home",
        type=Path,
        default=Path(os.environ.get("COUNTER_HOME", "var/counter")),
        help="where everything is kept",
    )
    parser.add_argument("--verbose", action="store_true", help="log what is expected too")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        if name in words:
            getattr(importlib.import_module(command.module), command.adder)(commands, command.title)
        else:
            commands.add_parser(name, help=command.title)
    return parser


if __name__ == "__main__":
    sys.exit(main())
