"""`counter outbox list | retry | drop`: who was told what, also while the counter runs."""

import argparse
import json
import time

from counter_server.commands.home import settings_of
from counter_server.errors import StoppedError
from counter_server.outbox.orders import What, write_order
from counter_server.outbox.service import DeliveryRow, list_deliveries
from counter_server.records.errors import RecordError
from counter_server.records.home import SafeHome
from counter_server.records.reading import open_database


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", title: str) -> None:
    """Add `outbox`."""
    outbox = commands.add_parser("outbox", help=title).add_subparsers(required=True)
    listing = outbox.add_parser("list", help="deliveries, newest first")
    listing.add_argument("--record", help="of this record alone")
    listing.add_argument("--limit", type=int, default=200)
    listing.add_argument("--json", choices=["-"], help="machine output on standard output")
    listing.set_defaults(run=_list)
    for what, words in ((What.RETRY, "try again, now"), (What.DROP, "give up for good; what waits behind it goes on")):
        order = outbox.add_parser(what.value, help=words)
        order.add_argument("number", type=int)
        order.set_defaults(run=_order, what=what)


def _list(options: argparse.Namespace) -> int:
    rows = _deliveries(options)
    if options.json:
        print(json.dumps([_as_json(row) for row in rows], indent=1))
        return 0
    for row in rows:
        made = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(row.made_at_s))
        print(
            f"{row.number:6d}  {made}Z  {row.record_id}  {row.subscriber:16}  {row.state.value:9}  "
            f"{row.attempts:2d} tries  {row.trouble or ''}"
        )
    return 0


def _deliveries(options: argparse.Namespace) -> list[DeliveryRow]:
    try:
        with open_database(SafeHome(options.home)) as connection:
            return list_deliveries(connection, limit=options.limit, record_id=options.record)
    except RecordError as error:
        raise StoppedError(str(error)) from error


def _order(options: argparse.Namespace) -> int:
    write_order(settings_of(options).home, options.number, options.what)
    print(f"delivery {options.number}: {options.what.value}, within seconds or at the counter's next start")
    return 0


def _as_json(row: DeliveryRow) -> dict[str, object]:
    return {
        "number": row.number,
        "event_id": row.event_id,
        "subscriber": row.subscriber,
        "record_id": row.record_id,
        "state": row.state.value,
        "attempts": row.attempts,
        "trouble": row.trouble,
        "next_at_s": row.next_at_s,
        "made_at_s": row.made_at_s,
        "ended_at_s": row.ended_at_s,
    }
