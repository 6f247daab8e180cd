"""`counter trust import`."""

import argparse
from pathlib import Path

from counter_server.commands.home import settings_of
from counter_server.identification.trust import describe_lists, import_trust


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", title: str) -> None:
    """Add `trust`."""
    trust = commands.add_parser("trust", help=title).add_subparsers(required=True)
    load = trust.add_parser("import", help="believe a CSCA certificate, a master list, or a revocation list")
    load.add_argument("file", type=Path)
    load.set_defaults(run=_import)


def _import(options: argparse.Namespace) -> int:
    trust = settings_of(options).trust
    known = import_trust(options.file, trust)
    for line in describe_lists(trust):
        print(line)
    print(f"{known} issuers known; a running counter takes them at its next start")
    return 0
