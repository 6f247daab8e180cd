"""`counter record verify`: a record in this safe, or a copy of one anywhere, without and with its key."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from counter_server.records.agefile import AgeKeyring
from counter_server.records.codes import is_record_id
from counter_server.records.errors import RecordFormatError, RecordUnknownError
from counter_server.records.home import SafeHome
from counter_server.records.keys import read_keyring
from counter_server.records.log.examine import LogEvidence
from counter_server.records.log.files import LogFiles
from counter_server.records.log.policy import Policy
from counter_server.records.pdf_opinion import opinions
from counter_server.records.report import as_figures, as_lines
from counter_server.records.verify import verify_record
from counter_server.records.verify_clock import read_clock_roots

BROKEN = 1


def add_verify_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    answering: Callable[[Callable[[argparse.Namespace], int]], Callable[[argparse.Namespace], int]],
) -> None:
    """Add `verify`."""
    checking = commands.add_parser("verify", help="check a record; the last line is the answer")
    checking.add_argument("record", help="a record's number, or its folder wherever it was copied to")
    checking.add_argument("--trust", type=Path, help="root certificate(s), PEM; default: this installation's")
    checking.add_argument("--key", type=Path, help="file with the record's own key: checks the content too")
    checking.add_argument("--content", action="store_true", help="check the content with the key from the safe")
    checking.add_argument("--tsa-roots", type=Path, help="whose time stamps count, PEM; default: whom the record names")
    checking.add_argument("--proof", type=Path, help="proof that the record is in the log: checks that too")
    checking.add_argument("--log-policy", type=Path, help="the log's key and witnesses; default: this installation's")
    checking.add_argument("--home", type=Path, default=argparse.SUPPRESS)  # the global one holds otherwise
    checking.add_argument("--json", choices=["-"], help="machine output on standard output")
    checking.set_defaults(run=answering(_verify))


def _verify(asked: argparse.Namespace) -> int:
    """Check one record and print every check."""
    home = SafeHome(asked.home)
    registered: str | None = None
    if is_record_id(asked.record):
        folder = home.store().folder_of(asked.record)
        registered = _registered(home, asked.record)
    else:
        folder = Path(asked.record)
    identity = _identity(asked, home)
    verification = verify_record(
        folder,
        (asked.trust or home.trust_root).read_bytes(),
        identity,
        _log_evidence(asked, home),
        () if identity is None else opinions(),
        clocks_pem=_clocks(asked),
    )
    other = registered not in (None, verification.manifest_sha256)
    if asked.json:
        figures = {**as_figures(verification), "registered": None if registered is None else not other}
        print(json.dumps(figures, ensure_ascii=False))
    else:
        print("\n".join(as_lines(verification)))
        if other:
            print("the database knows another manifest under this number: this folder was exchanged")
    return 0 if verification.intact and not other else BROKEN


def _registered(home: SafeHome, record_id: str) -> str:
    """Which manifest the database knows under this number."""
    from counter_server.records.reading import open_database  # noqa: PLC0415 - as _identity
    from counter_server.records.service import find_record  # noqa: PLC0415 - as _identity

    with open_database(home) as conn:
        row = find_record(conn, record_id)
    if row is None:
        raise RecordUnknownError(f"no record {record_id} in this safe")
    return row.manifest_sha256


def _identity(asked: argparse.Namespace, home: SafeHome) -> AgeKeyring | None:
    if asked.key is not None:
        return read_keyring(asked.key.read_text())
    if not asked.content:
        return None
    from counter_server.records.custodian import open_record_keys  # noqa: PLC0415 - a database loads for a second

    return open_record_keys(home, asked.record).keyring()


def _clocks(asked: argparse.Namespace) -> bytes | None:
    if asked.tsa_roots is None:
        return None
    if asked.key is None and not asked.content:
        raise RecordFormatError("--tsa-roots is about the contract, which --key or --content opens")
    pem: bytes = asked.tsa_roots.read_bytes()
    read_clock_roots(pem)
    return pem


def _log_evidence(asked: argparse.Namespace, home: SafeHome) -> LogEvidence | None:
    if asked.proof is None:
        return None
    policy = asked.log_policy or LogFiles(home.folder).policy
    return LogEvidence(asked.proof.read_bytes(), Policy.parse(policy.read_text("utf-8")))
