"""`counter clerk add | forget-passkey` and `counter kiosk enrol | revoke`."""

import argparse
import getpass
import sys
from pathlib import Path

from counter_server.commands.home import settings_of
from counter_server.db import Database
from counter_server.errors import StoppedError
from counter_server.people import clerks, kiosks
from counter_server.people.kiosks import KioskAuthority
from webrtc.wire.message import Language

SHORTEST_PASSWORD = 12


def add_clerk(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", title: str) -> None:
    """Add `clerk`."""
    clerk = commands.add_parser("clerk", help=title).add_subparsers(required=True)
    add = clerk.add_parser("add", help="add a clerk, or give one a new password and roles")
    add.add_argument("username")
    add.add_argument("--name", required=True)
    add.add_argument("--role", action="append", choices=clerks.ROLES, default=None)
    add.add_argument("--language", choices=[language.value for language in Language], default="zh")
    add.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    add.set_defaults(run=_add_clerk)
    forget = clerk.add_parser(
        "forget-passkey", help="believe none of a clerk's passkeys any longer, after a loss say; stop the counter first"
    )
    forget.add_argument("username")
    forget.set_defaults(run=_forget_passkey)


def add_kiosk(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", title: str) -> None:
    """Add `kiosk`."""
    kiosk = commands.add_parser("kiosk", help=title).add_subparsers(required=True)
    enrol = kiosk.add_parser("enrol", help="make a kiosk's certificate and know it from now on")
    enrol.add_argument("kiosk_id")
    enrol.add_argument("--name", required=True)
    enrol.add_argument("--out", type=Path, required=True, help="folder for ca.pem, kiosk.pem, kiosk.key")
    enrol.set_defaults(run=_enrol)
    revoke = kiosk.add_parser(
        "revoke", help="stop believing a kiosk's certificate, after a theft say; stop the counter first"
    )
    revoke.add_argument("kiosk_id")
    revoke.set_defaults(run=_revoke)


def _add_clerk(options: argparse.Namespace) -> int:
    password = sys.stdin.readline().rstrip("\n") if options.password_stdin else getpass.getpass("Password: ")
    if len(password) < SHORTEST_PASSWORD:
        raise StoppedError(f"a password needs {SHORTEST_PASSWORD} characters or more; better a sentence")
    database = Database(settings_of(options).database)
    database.open()
    try:
        roles = tuple(options.role or ["clerk"])
        language = Language(options.language)
        clerk_id = database.run_now(clerks.add_clerk, options.username, options.name, roles, language, password)
    finally:
        database.close()
    print(f"{clerk_id}: {', '.join(roles)}")
    return 0


def _forget_passkey(options: argparse.Namespace) -> int:
    database = Database(settings_of(options).database)
    database.open()
    try:
        forgotten = database.run_now(clerks.forget_passkeys, options.username)
    finally:
        database.close()
    if forgotten is None:
        raise StoppedError(f"{options.username}: no clerk of that name")
    if forgotten == 0:
        raise StoppedError(f"{options.username} has no passkey")
    print(f"{options.username}: {forgotten} passkeys refused from now on, every session ended")
    return 0


def _revoke(options: argparse.Namespace) -> int:
    database = Database(settings_of(options).database)
    database.open()
    try:
        known = database.run_now(kiosks.revoke, options.kiosk_id)
    finally:
        database.close()
    if not known:
        raise StoppedError(f"{options.kiosk_id}: no kiosk of that name was enrolled")
    print(f"{options.kiosk_id}: refused from now on")
    return 0


def _enrol(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    database = Database(settings.database)
    database.open()
    try:
        fingerprint = KioskAuthority(settings.keys).make_kiosk(options.kiosk_id, options.out)
        database.run_now(kiosks.enrol, options.kiosk_id, options.name, fingerprint)
    finally:
        database.close()
    print(f"{options.kiosk_id}: certificate in {options.out}; carry the folder to the desk and keep kiosk.key there")
    return 0
