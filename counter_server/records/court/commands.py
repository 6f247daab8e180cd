"""`counter record export-court` and `check-court`: a record in one file that a court checks with its own tools."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from counter_server.config import read_signing
from counter_server.records.codes import is_record_id
from counter_server.records.court.container import check_court
from counter_server.records.court.export import export_court
from counter_server.records.custodian import open_sealing, read_settings
from counter_server.records.durable import PUBLIC_FILE, write_new
from counter_server.records.errors import RecordUnknownError, StoreError
from counter_server.records.home import SafeHome
from counter_server.records.log import ledger
from counter_server.records.log.errors import NotPublishedError
from counter_server.records.openings import note_opening, operator_name, read_reason
from counter_server.records.reading import open_database
from counter_server.records.service import find_record
from counter_server.records.verify_clock import installed_clock_roots
from counter_server.signing.errors import SigningError
from counter_server.signing.worker import open_desk

BROKEN = 1


def add_court_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    answering: Callable[[Callable[[argparse.Namespace], int]], Callable[[argparse.Namespace], int]],
) -> None:
    """Add both commands."""
    exporting = commands.add_parser("export-court", help="a record as ASiC-E with CAdES-B-T, still encrypted")
    exporting.add_argument("record", help="a record's number")
    exporting.add_argument("out", type=Path, help="a file that does not exist yet, such as record.asice")
    exporting.add_argument("--reason", required=True, help="why; kept for ever in openings.jsonl")
    exporting.add_argument("--trust-out", type=Path, help="also write the roots it is checked against")
    exporting.add_argument("--home", type=Path, default=argparse.SUPPRESS)  # the global one holds otherwise
    checking = commands.add_parser("check-court", help="check such a file, every bit of it")
    checking.add_argument("file", type=Path)
    checking.add_argument("--trust", type=Path, required=True, help="roots of records and of time stamps, PEM")
    for parser, run in ((exporting, _export), (checking, _check)):
        parser.set_defaults(run=answering(run))


def _export(asked: argparse.Namespace) -> int:
    home, reason = SafeHome(asked.home), read_reason(asked.reason)
    if not is_record_id(asked.record):
        raise RecordUnknownError("not a record number")
    with open_database(home) as conn:
        if find_record(conn, asked.record) is None:
            raise RecordUnknownError(f"no record {asked.record} in this safe")
        try:
            proof: bytes | None = ledger.prove_record(conn, asked.record).spelling().encode()
        except NotPublishedError:
            proof = None
    sealing = open_sealing(home.sealing, read_settings(home), datetime.now(UTC))
    try:
        desk = open_desk(home.sealing, read_signing(home.folder))
        clocks = installed_clock_roots(home.sealing) or desk.authority.root.public_bytes(Encoding.PEM)
        trust = sealing.trust_root.read_bytes() + clocks
        made = export_court(home.store().folder_of(asked.record), proof, sealing, desk.clock, trust, asked.out)
    except SigningError as error:
        raise StoreError(str(error)) from error
    # its hash is in the list, and so in the log: nobody can later hand out another container for this one
    note_opening(
        home.openings,
        at=datetime.now(UTC),
        actor=operator_name(),
        event="court_export",
        details={"record_id": asked.record, "reason": reason, "sha256": made.sha256},
    )
    if asked.trust_out is not None:
        write_new(asked.trust_out, trust, PUBLIC_FILE)
    print(f"{asked.record}: {made.files} files, {made.size} bytes, stamped {made.stamped_at}, sha256 {made.sha256}")
    return 0


def _check(asked: argparse.Namespace) -> int:
    found = check_court(asked.file, asked.trust.read_bytes())
    if found.broken is not None:
        print(f"{asked.file.name} is BROKEN: check {found.broken}")
        return BROKEN
    print(f"{asked.file.name} is whole: {found.files} files, stamped {found.stamped_at}")
    return 0
