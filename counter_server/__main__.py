"""`counter`: the counter's command line."""

import argparse
import getpass
import json
import logging
import os
import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from biometrics.errors import BiometricsError
from biometrics.evaluation.face import evaluate_face
from counter_server.card_commands import add_card_bench, add_card_commands
from counter_server.config import Settings, read_patience
from counter_server.errors import StoppedError
from counter_server.identification.trust import describe_lists, import_trust
from counter_server.people import clerks, kiosks
from counter_server.people.kiosks import KioskAuthority
from counter_server.records.commands import add_record_commands
from counter_server.serve import open_database, serve
from webrtc.wire import Language

STOPPED = 2


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the process's exit code."""
    options = build_parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO if options.verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except (StoppedError, BiometricsError) as error:
        print(f"counter: {error}", file=sys.stderr)
        return STOPPED


def build_parser() -> argparse.ArgumentParser:
    """Every command and option."""
    parser = argparse.ArgumentParser(prog="counter", description="A counter without a counter")
    parser.add_argument(
        "--home",
        type=Path,
        default=Path(os.environ.get("COUNTER_HOME", "var/counter")),
        help="where everything is kept",
    )
    parser.add_argument("--verbose", action="store_true", help="log what is expected too")
    commands = parser.add_subparsers(dest="command", required=True)

    server = commands.add_parser("serve", help="run the counter")
    server.add_argument("--host", default="127.0.0.1")
    server.add_argument("--port", type=int, default=8070)
    server.add_argument("--kiosk-port", type=int, default=8444)
    server.add_argument("--public-url", default="", help="address customers' links begin with")
    server.add_argument("--tls-cert", type=Path)
    server.add_argument("--tls-key", type=Path)
    server.add_argument("--media-address", action="append", default=[], help="address calls are offered on; repeatable")
    server.set_defaults(run=_serve)

    clerk = commands.add_parser("clerk", help="people at the consoles").add_subparsers(required=True)
    add = clerk.add_parser("add", help="add a clerk, or give one a new password and roles")
    add.add_argument("username")
    add.add_argument("--name", required=True)
    add.add_argument("--role", action="append", choices=clerks.ROLES, default=None)
    add.add_argument("--language", choices=[language.value for language in Language], default="zh")
    add.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    add.set_defaults(run=_add_clerk)

    kiosk = commands.add_parser("kiosk", help="desks").add_subparsers(required=True)
    enrol = kiosk.add_parser("enrol", help="make a kiosk's certificate and know it from now on")
    enrol.add_argument("kiosk_id")
    enrol.add_argument("--name", required=True)
    enrol.add_argument("--out", type=Path, required=True, help="folder for ca.pem, kiosk.pem, kiosk.key")
    enrol.set_defaults(run=_enrol)

    trust = commands.add_parser("trust", help="issuers of ID cards").add_subparsers(required=True)
    load = trust.add_parser("import", help="believe a CSCA certificate, a master list, or a revocation list")
    load.add_argument("file", type=Path)
    load.set_defaults(run=_import_trust)

    evaluate = commands.add_parser("evaluate", help="measured error rates").add_subparsers(required=True)
    face = evaluate.add_parser("face", help="false matches and non-matches on a folder of people")
    face.add_argument("--data", type=Path, required=True)
    face.add_argument("--json", choices=["-"], help="print one JSON object")
    face.set_defaults(run=_evaluate_face)

    add_record_commands(commands)
    add_card_commands(commands, provenance)
    bench = commands.add_parser("bench", help="measured speed").add_subparsers(required=True)
    add_card_bench(bench, provenance)
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    home = options.home.absolute()
    return Settings(home=home, patience=read_patience(home))


def _serve(options: argparse.Namespace) -> int:
    return serve(
        _settings(options).model_copy(
            update={
                "host": options.host,
                "port": options.port,
                "kiosk_port": options.kiosk_port,
                "public_url": options.public_url,
                "tls_cert": options.tls_cert,
                "tls_key": options.tls_key,
                "media_addresses": tuple(options.media_address),
            }
        )
    )


def _add_clerk(options: argparse.Namespace) -> int:
    password = sys.stdin.readline().rstrip("\n") if options.password_stdin else getpass.getpass("Password: ")
    if len(password) < 12:
        raise StoppedError("a password needs 12 characters or more (NIST SP 800-63B asks for 15 where it stands alone)")
    database = open_database(_settings(options))
    try:
        roles = tuple(options.role or ["clerk"])
        language = Language(options.language)
        clerk_id = database.run_now(clerks.add_clerk, options.username, options.name, roles, language, password)
    finally:
        database.close()
    print(f"{clerk_id}: {', '.join(roles)}")
    return 0


def _enrol(options: argparse.Namespace) -> int:
    settings = _settings(options)
    database = open_database(settings)
    try:
        fingerprint = KioskAuthority(settings.keys).make_kiosk(options.kiosk_id, options.out)
        database.run_now(kiosks.enrol, options.kiosk_id, options.name, fingerprint)
    finally:
        database.close()
    print(f"{options.kiosk_id}: certificate in {options.out}; carry the folder to the desk and keep kiosk.key there")
    return 0


def _import_trust(options: argparse.Namespace) -> int:
    trust = _settings(options).trust
    known = import_trust(options.file, trust)
    for line in describe_lists(trust):
        print(line)
    print(f"{known} issuers known; a running counter takes them at its next start")
    return 0


def _evaluate_face(options: argparse.Namespace) -> int:
    figures = dict(evaluate_face(options.data))
    if options.json:
        print(json.dumps(figures | provenance(), ensure_ascii=False))
    else:
        for name, value in figures.items():
            print(f"{name:32} {value}")
    return 0


def provenance() -> dict[str, object]:
    """What every printed object carries: machine, versions, time."""
    return {
        "machine": f"{platform.machine()} {platform.system()} {platform.release()}",
        "versions": {name: version(name) for name in ("dlib-bin", "numpy", "opencv-python-headless")},
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


if __name__ == "__main__":
    sys.exit(main())
