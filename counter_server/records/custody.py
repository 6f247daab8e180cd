"""`counter record keep | erase-customer | rotate | hold | lift-hold | escrow | release`: who may still open what."""

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from counter_server.db import Database
from counter_server.errors import StoppedError
from counter_server.records import erasure
from counter_server.records.canonical import Plain
from counter_server.records.codes import is_record_id
from counter_server.records.custodian import open_masters, read_settings
from counter_server.records.durable import write_new
from counter_server.records.errors import KeepingError, RecordUnknownError, StoreError
from counter_server.records.escrow import EscrowPair, EscrowPerson
from counter_server.records.home import SafeHome
from counter_server.records.masters import MasterKeys
from counter_server.records.openings import note_opening, operator_name, read_reason
from counter_server.records.reading import open_database
from counter_server.records.slots import read_slots

Answer = dict[str, Plain]


def add_custody_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    answering: Callable[[Callable[[argparse.Namespace], int]], Callable[[argparse.Namespace], int]],
) -> None:
    """Add the commands. All but `release` write, so the counter must be stopped; it does `keep` itself every day."""
    keeping = commands.add_parser("keep", help="erase what has been kept for as long as it may be")
    erasing = commands.add_parser("erase-customer", help="erase all of a customer that no law and no hold keeps")
    erasing.add_argument("customer", help="a customer's number, or the number of any record of theirs")
    rotating = commands.add_parser("rotate", help="a new master key; the old one is destroyed")
    holding = commands.add_parser("hold", help="keep a record, or all of a customer, until the hold is lifted")
    lifting = commands.add_parser("lift-hold", help="end a hold")
    for parser in (holding, lifting):
        parser.add_argument("subject", help="a record's or a customer's number")
        parser.add_argument("--case", required=True, help="the case's number; the log commits to it without telling it")
    pairing = commands.add_parser("escrow", help="from now on a record's keys leave under two people's keys only")
    pairing.add_argument("--person", action="append", required=True, help="NAME=age1…; give two")
    releasing = commands.add_parser("release", help="a record's keys for the two people, noted as an opening first")
    releasing.add_argument("record", help="a record's number")
    releasing.add_argument("--out", type=Path, required=True, help="a file that does not exist yet")
    releasing.add_argument("--reason", required=True, help="why; kept for ever in openings.jsonl")
    for parser, work in (
        (keeping, _keep),
        (erasing, _erase_customer),
        (rotating, _rotate),
        (holding, _hold),
        (lifting, _lift),
        (pairing, _escrow),
        (releasing, _release),
    ):
        parser.add_argument("--home", type=Path, default=argparse.SUPPRESS)  # the global one holds otherwise
        parser.add_argument("--json", choices=["-"], help="machine output on standard output")
        parser.set_defaults(run=answering(_printing(work)))


def _printing(work: Callable[[argparse.Namespace], Answer]) -> Callable[[argparse.Namespace], int]:
    def run(asked: argparse.Namespace) -> int:
        answer = work(asked)
        if asked.json:
            print(json.dumps(answer, ensure_ascii=False))
        else:
            for name, value in answer.items():
                print(f"{name:16} {', '.join(map(str, value)) if isinstance(value, list) else value}")
        return 0

    return run


def _keep(asked: argparse.Namespace) -> Answer:
    with _safe(asked) as (database, masters):
        return _told(database.run_now(erasure.enforce_retention, masters, datetime.now(UTC)))


def _erase_customer(asked: argparse.Namespace) -> Answer:
    with _safe(asked) as (database, masters):
        customer = asked.customer
        if is_record_id(customer):
            customer = database.run_now(erasure.customer_of, customer)
        return _told(database.run_now(erasure.erase_customer, masters, customer, datetime.now(UTC)))


def _rotate(asked: argparse.Namespace) -> Answer:
    with _safe(asked) as (database, masters):
        return {"slots_wrapped_anew": database.run_now(erasure.rotate_master, masters, datetime.now(UTC))}


def _hold(asked: argparse.Namespace) -> Answer:
    with _safe(asked) as (database, _):
        database.run_now(erasure.place_hold, asked.subject, asked.case, operator_name(), datetime.now(UTC))
    return {"held": asked.subject}


def _lift(asked: argparse.Namespace) -> Answer:
    with _safe(asked) as (database, _):
        database.run_now(erasure.lift_hold, asked.subject, asked.case, operator_name(), datetime.now(UTC))
    return {"lifted": asked.subject}


def _escrow(asked: argparse.Namespace) -> Answer:
    home = SafeHome(asked.home)
    if len(asked.person) != 2:
        raise KeepingError("escrow wants exactly two people")
    pair = EscrowPair.of(*(EscrowPerson.parse(each) for each in asked.person))
    pair.save(home.escrow)
    return {"escrow": [pair.first.name, pair.second.name]}


def _release(asked: argparse.Namespace) -> Answer:
    home, reason = SafeHome(asked.home), read_reason(asked.reason)
    pair = EscrowPair.load(home.escrow)
    if pair is None:
        raise KeepingError("nobody holds this safe's escrow: counter record escrow --person … --person …")
    if not is_record_id(asked.record):
        raise RecordUnknownError("not a record number")
    if asked.out.exists():
        raise StoreError(f"{asked.out} exists")
    with open_database(home) as conn:
        keys = read_slots(conn, asked.record).open(open_masters(home.sealing, read_settings(home)))
    note_opening(
        home.openings,
        at=datetime.now(UTC),
        actor=operator_name(),
        event="key_released",
        details={"record_id": asked.record, "reason": reason, "to": f"{pair.first.name}, {pair.second.name}"},
    )
    write_new(asked.out, pair.slot(keys))
    return {"record_id": asked.record, "out": str(asked.out), "opened_by": [pair.first.name, pair.second.name]}


def _told(done: erasure.Erasure) -> Answer:
    kept: list[Plain] = [f"{each.record_id} {each.keep_class}: {each.why}" for each in done.kept]
    erased: list[Plain] = [f"{record_id} {kept}" for record_id, kept in done.erased]
    gone: list[Plain] = list(done.customers_gone)
    return {"erased": erased, "kept": kept, "customers_gone": gone}


@contextmanager
def _safe(asked: argparse.Namespace) -> Iterator[tuple[Database, MasterKeys]]:
    """The safe for writing, its change of keys finished before and after."""
    home = SafeHome(asked.home)
    if not home.database.is_file():
        raise StoreError(f"no database in {home.folder}; is --home right?")
    masters, database = open_masters(home.sealing, read_settings(home)), Database(home.database)
    try:
        database.open()
    except StoppedError as error:
        raise StoreError(str(error)) from error
    try:
        if masters.next_id is not None:
            database.run_now(erasure.rotate_master, masters, datetime.now(UTC))
            _finish(database, masters)
        yield database, masters
        _finish(database, masters)
    finally:
        database.close()


def _finish(database: Database, masters: MasterKeys) -> None:
    if database.run_now(erasure.needs_finish, masters):
        masters.promote()
