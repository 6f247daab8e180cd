"""`counter record list | open | export-key`: what is in the safe, and what leaves it for a reason."""

import argparse
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from counter_server.records.agefile import AgeKeyring
from counter_server.records.canonical import Plain
from counter_server.records.custodian import open_record_keys
from counter_server.records.durable import PRIVATE_FOLDER, write_new
from counter_server.records.errors import KeepingError, StoreError, WithheldError
from counter_server.records.examination import read_blocks
from counter_server.records.home import SafeHome
from counter_server.records.journal import instant
from counter_server.records.openings import note_opening, operator_name, read_reason
from counter_server.records.reading import open_database
from counter_server.records.record import MANIFEST_FILE, OBJECT_FOLDER, OBJECT_SUFFIX, Manifest
from counter_server.records.report import as_figures, as_lines
from counter_server.records.service import list_records
from counter_server.records.verify import verify_record

BROKEN = 1


def add_safe_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    answering: Callable[[Callable[[argparse.Namespace], int]], Callable[[argparse.Namespace], int]],
) -> None:
    """Add the three commands."""
    listing = commands.add_parser("list", help="sealed records, newest first")
    listing.add_argument("--limit", type=int, default=200)
    opening = commands.add_parser("open", help="decrypt a record into an empty folder; the opening is noted first")
    opening.add_argument("record", help="a record's number")
    opening.add_argument("--out", type=Path, required=True, help="a folder that does not exist yet")
    opening.add_argument("--reason", required=True, help="why; kept for ever in openings.jsonl")
    exporting = commands.add_parser("export-key", help="a record's own key for an auditor; noted as an opening first")
    exporting.add_argument("record", help="a record's number")
    exporting.add_argument("--out", type=Path, required=True, help="a file that does not exist yet")
    exporting.add_argument("--reason", required=True, help="why; kept for ever in openings.jsonl")
    for parser, run in ((listing, _list), (opening, _open), (exporting, _export_key)):
        parser.add_argument("--home", type=Path, default=argparse.SUPPRESS)  # the global one holds otherwise
        parser.add_argument("--json", choices=["-"], help="machine output on standard output")
        parser.set_defaults(run=answering(run))


def _list(asked: argparse.Namespace) -> int:
    """Print what is in the safe."""
    with open_database(SafeHome(asked.home)) as conn:
        rows = list_records(conn, limit=asked.limit)
    if asked.json:
        listed: list[Plain] = [
            {
                "record_id": row.record_id,
                "visit_id": row.visit_id,
                "service_id": row.service_id,
                "outcome": row.outcome,
                "channel": row.channel,
                "sealed_at": instant(row.sealed_at),
                "manifest_sha256": row.manifest_sha256,
                "size": row.size,
            }
            for row in rows
        ]
        _print_json({"records": listed})
        return 0
    for row in rows:
        sealed_at = f"{row.sealed_at:%Y-%m-%d %H:%M}"
        print(
            f"{row.record_id}  {sealed_at}Z  {row.outcome:12s} {row.service_id:20s} {row.channel:6s} {row.size:>12,d}"
        )
    print(f"{len(rows)} record(s)")
    return 0


def _open(asked: argparse.Namespace) -> int:
    """Check, note the opening durably, then decrypt into a new private folder."""
    home = SafeHome(asked.home)
    reason = read_reason(asked.reason)
    _refuse_alone(home)
    keys = open_record_keys(home, asked.record)
    folder = home.store().folder_of(asked.record)
    verification = verify_record(folder, home.trust_root.read_bytes())
    manifest = verification.manifest
    if manifest is None or not verification.intact:
        print(json.dumps(as_figures(verification)) if asked.json else "\n".join(as_lines(verification)))
        return BROKEN
    try:
        asked.out.mkdir(mode=PRIVATE_FOLDER)
    except OSError as error:
        raise StoreError(f"{asked.out}: {error.strerror}") from error
    note_opening(
        home.openings,
        at=datetime.now(UTC),
        actor=operator_name(),
        event="record_opened",
        details={"record_id": asked.record, "reason": reason},
    )
    written = _decrypt_all(folder, manifest, keys.keyring(), asked.out)
    if asked.json:
        _print_json({"record_id": asked.record, "out": str(asked.out), "objects": list(written)})
    else:
        print(f"{asked.record}: {len(written)} objects in {asked.out}; the opening is noted in {home.openings.name}")
    return 0


def _export_key(asked: argparse.Namespace) -> int:
    """Note the opening durably, then write the record's age identity into a new private file.

    Whoever has the file can open this record for ever, also after its slot was deleted, and no other record.
    """
    home = SafeHome(asked.home)
    reason = read_reason(asked.reason)
    _refuse_alone(home)
    keys = open_record_keys(home, asked.record)
    if asked.out.exists():
        raise StoreError(f"{asked.out} exists")
    note_opening(
        home.openings,
        at=datetime.now(UTC),
        actor=operator_name(),
        event="key_exported",
        details={"record_id": asked.record, "reason": reason},
    )
    write_new(asked.out, keys.identity.encode() + b"\n")
    if asked.json:
        _print_json({"record_id": asked.record, "out": str(asked.out)})
    else:
        print(f"{asked.record}: its key is in {asked.out}; the export is noted in {home.openings.name}")
    return 0


def _decrypt_all(folder: Path, manifest: Manifest, keyring: AgeKeyring, out: Path) -> tuple[str, ...]:
    written = []
    for item in manifest.objects:
        sealed = b"".join(read_blocks(folder / OBJECT_FOLDER / f"{item.sha256}{OBJECT_SUFFIX}"))
        try:
            content = keyring.open(sealed)
        except WithheldError:
            continue  # its key was erased before the others
        target = out / item.name
        target.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
        write_new(target, content)
        written.append(item.name)
    write_new(out / MANIFEST_FILE, b"".join(read_blocks(folder / MANIFEST_FILE)))
    return tuple(written)


def _refuse_alone(home: SafeHome) -> None:
    """Where two people hold the escrow, no operator takes keys or content out alone."""
    if home.escrow.exists():
        raise KeepingError("keys leave this safe under two people's keys only: counter record release")


def _print_json(figures: dict[str, Plain]) -> None:
    print(json.dumps(figures, ensure_ascii=False))
