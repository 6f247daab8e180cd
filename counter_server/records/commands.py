"""`counter record list | verify | open`: the safe from the command line, also while the server runs."""

import argparse
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from counter_server.records.agefile import AgeKeyring
from counter_server.records.canonical import Plain
from counter_server.records.codes import is_record_id
from counter_server.records.court.commands import add_court_commands
from counter_server.records.custodian import open_masters, read_settings
from counter_server.records.custody import add_custody_commands
from counter_server.records.durable import PRIVATE_FOLDER, write_new
from counter_server.records.errors import KeepingError, RecordError, RecordUnknownError, StoreError, WithheldError
from counter_server.records.examination import BrokenError, read_blocks
from counter_server.records.home import SafeHome
from counter_server.records.journal import instant
from counter_server.records.keys import RecordKeys, read_keyring
from counter_server.records.log.examine import LogEvidence
from counter_server.records.log.files import LogFiles
from counter_server.records.log.policy import Policy
from counter_server.records.openings import note_opening, operator_name, read_reason
from counter_server.records.proving.commands import add_proving_commands
from counter_server.records.reading import open_database
from counter_server.records.record import MANIFEST_FILE, OBJECT_FOLDER, OBJECT_SUFFIX, Manifest
from counter_server.records.report import as_figures, as_lines
from counter_server.records.service import find_record, list_records
from counter_server.records.slots import read_slots
from counter_server.records.verify import Step, Verification, verify_record

BROKEN, UNUSABLE = 1, 2


def add_record_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `record` with its three commands. Each parser's `run(arguments) -> int` does it; 0 means done and whole."""
    record = subparsers.add_parser("record", help="the safe: list, verify and open sealed records")
    commands = record.add_subparsers(dest="record_command", required=True)
    listing = commands.add_parser("list", help="sealed records, newest first")
    listing.add_argument("--limit", type=int, default=200)
    checking = commands.add_parser("verify", help="check a record; the last line is the answer")
    checking.add_argument("record", help="a record's number, or its folder wherever it was copied to")
    checking.add_argument("--trust", type=Path, help="root certificate(s), PEM; default: this installation's")
    checking.add_argument("--key", type=Path, help="file with the record's own key: checks the content too")
    checking.add_argument("--content", action="store_true", help="check the content with the key from the safe")
    checking.add_argument("--proof", type=Path, help="proof that the record is in the log: checks that too")
    checking.add_argument("--log-policy", type=Path, help="the log's key and witnesses; default: this installation's")
    opening = commands.add_parser("open", help="decrypt a record into an empty folder; the opening is noted first")
    opening.add_argument("record", help="a record's number")
    opening.add_argument("--out", type=Path, required=True, help="a folder that does not exist yet")
    opening.add_argument("--reason", required=True, help="why; kept for ever in openings.jsonl")
    exporting = commands.add_parser("export-key", help="a record's own key for an auditor; noted as an opening first")
    exporting.add_argument("record", help="a record's number")
    exporting.add_argument("--out", type=Path, required=True, help="a file that does not exist yet")
    exporting.add_argument("--reason", required=True, help="why; kept for ever in openings.jsonl")
    for parser, run in (
        (listing, run_list),
        (checking, run_verify),
        (opening, run_open),
        (exporting, run_export_key),
    ):
        parser.add_argument("--home", type=Path, default=argparse.SUPPRESS)  # the global one holds otherwise
        parser.add_argument("--json", choices=["-"], help="machine output on standard output")
        parser.set_defaults(run=_answering(run))
    add_custody_commands(commands, _answering)
    add_court_commands(commands, _answering)
    add_proving_commands(commands)


def run_list(asked: argparse.Namespace) -> int:
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


def run_verify(asked: argparse.Namespace) -> int:
    """Check one record and print every check."""
    home = SafeHome(asked.home)
    registered: str | None = None
    if is_record_id(asked.record):
        folder = home.store().folder_of(asked.record)
        with open_database(home) as conn:
            row = find_record(conn, asked.record)
        if row is None:
            raise RecordUnknownError(f"no record {asked.record} in this safe")
        registered = row.manifest_sha256
    else:
        folder = Path(asked.record)
    identity = _identity(asked, home)
    verification = verify_record(
        folder,
        (asked.trust or home.trust_root).read_bytes(),
        identity,
        _log_evidence(asked, home),
        () if identity is None else _opinions(),
    )
    other = registered not in (None, verification.manifest_sha256)
    if asked.json:
        _print_json({**as_figures(verification), "registered": None if registered is None else not other})
    else:
        print("\n".join(as_lines(verification)))
        if other:
            print("the database knows another manifest under this number: this folder was exchanged")
    return 0 if verification.intact and not other else BROKEN


def run_open(asked: argparse.Namespace) -> int:
    """Check, note the opening durably, then decrypt into a new private folder."""
    home = SafeHome(asked.home)
    reason = read_reason(asked.reason)
    _refuse_alone(home)
    keys = _keys(home, asked.record)
    folder = home.store().folder_of(asked.record)
    verification = verify_record(folder, home.trust_root.read_bytes())
    manifest = verification.manifest
    if manifest is None or not verification.intact:
        _print_verification(asked, verification)
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


def run_export_key(asked: argparse.Namespace) -> int:
    """Note the opening durably, then write the record's age identity into a new private file.

    Whoever has the file can open this record for ever, also after its slot was deleted, and no other record.
    """
    home = SafeHome(asked.home)
    reason = read_reason(asked.reason)
    _refuse_alone(home)
    keys = _keys(home, asked.record)
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


def _identity(asked: argparse.Namespace, home: SafeHome) -> AgeKeyring | None:
    if asked.key is not None:
        return read_keyring(asked.key.read_text())
    return _keys(home, asked.record).keyring() if asked.content else None


def _opinions() -> tuple[Step, ...]:
    """What a PDF library says of the contract, where one is installed."""
    if find_spec("pyhanko") is None:
        return ()
    from counter_server.records.pdf_opinion import pdf_library_agrees  # noqa: PLC0415 - pyHanko loads for a second

    return (pdf_library_agrees,)


def _log_evidence(asked: argparse.Namespace, home: SafeHome) -> LogEvidence | None:
    if asked.proof is None:
        return None
    policy = asked.log_policy or LogFiles(home.folder).policy
    return LogEvidence(asked.proof.read_bytes(), Policy.parse(policy.read_text("utf-8")))


def _refuse_alone(home: SafeHome) -> None:
    """Where two people hold the escrow, no operator takes keys or content out alone."""
    if home.escrow.exists():
        raise KeepingError("keys leave this safe under two people's keys only: counter record release")


def _keys(home: SafeHome, record_id: str) -> RecordKeys:
    if not is_record_id(record_id):
        raise RecordUnknownError("not a record number")
    with open_database(home) as conn:
        slots = read_slots(conn, record_id)
    return slots.open(open_masters(home.sealing, read_settings(home)))


def _answering(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """The command with its expected troubles said in one line."""

    def answer(asked: argparse.Namespace) -> int:
        """Run, or say why not."""
        try:
            return run(asked)
        except (RecordError, BrokenError, OSError) as error:
            print(f"record {asked.record_command}: {error}", file=sys.stderr)
            return UNUSABLE

    return answer


def _print_verification(asked: argparse.Namespace, verification: Verification) -> None:
    if asked.json:
        _print_json(as_figures(verification))
    else:
        print("\n".join(as_lines(verification)))


def _print_json(figures: dict[str, Plain]) -> None:
    print(json.dumps(figures, ensure_ascii=False))
