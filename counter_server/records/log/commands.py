"""`counter log checkpoint | prove | check | witness | key | move-key`; all but the last also while the server runs."""

import argparse
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from counter_server.records.canonical import Plain
from counter_server.records.commands import BROKEN, UNUSABLE
from counter_server.records.durable import PUBLIC_FILE, replace_file
from counter_server.records.errors import RecordError
from counter_server.records.examination import BrokenError
from counter_server.records.home import SafeHome
from counter_server.records.journal import instant
from counter_server.records.log import ledger
from counter_server.records.log.audit import Auditor
from counter_server.records.log.checkpoint import Checkpoint
from counter_server.records.log.cosigning import ask_witness
from counter_server.records.log.errors import LogError, LogUnprovenError, NotPublishedError
from counter_server.records.log.files import LogFiles
from counter_server.records.log.key_commands import KEY_COMMANDS
from counter_server.records.log.merkle import Place
from counter_server.records.log.note import Note
from counter_server.records.log.policy import Policy
from counter_server.records.log.publishing import consistency_since
from counter_server.records.openings import read_openings
from counter_server.records.reading import open_database


def add_log_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `log` with its commands. Each parser's `run(arguments) -> int` does it; 0 means done and right."""
    log = subparsers.add_parser("log", help="the public log of records")
    commands = log.add_subparsers(dest="log_command", required=True)
    showing = commands.add_parser("checkpoint", help="the newest signed checkpoint")
    proving = commands.add_parser("prove", help="the proof that a record is in the log")
    proving.add_argument("record", help="a record's number")
    proving.add_argument("--out", type=Path, help="write it to a file (.tlog-proof) instead of showing it")
    proving.add_argument("--checkpoint", type=Path, help="prove against this checkpoint, such as one from `witness`")
    checking = commands.add_parser("check", help="audit: every leaf, every checkpoint, nothing taken back")
    checking.add_argument("--since", type=Path, help="a checkpoint somebody kept; default: the last audit's")
    asking = commands.add_parser("witness", help="have the newest checkpoint cosigned by the witnesses of the policy")
    asking.add_argument("--out", type=Path, help="keep the cosigned checkpoint in a file")
    for parser, run in (
        (showing, run_checkpoint),
        (proving, run_prove),
        (checking, run_check),
        (asking, run_witness),
        *((commands.add_parser(name, help=title), run) for name, title, run in KEY_COMMANDS),
    ):
        parser.add_argument("--home", type=Path, default=argparse.SUPPRESS)  # the global one holds otherwise
        parser.add_argument("--policy", type=Path, help="the log's key and witnesses; default: this installation's")
        parser.add_argument("--json", choices=["-"], help="machine output on standard output")
        parser.set_defaults(run=_answering(run))


def run_checkpoint(asked: argparse.Namespace) -> int:
    """Show what the log has signed last."""
    note, checkpoint, policy = _newest(asked)
    if asked.json:
        _print_json(_figures(note, checkpoint, policy))
    else:
        print(note.spelling(), end="")
    return 0


def run_prove(asked: argparse.Namespace) -> int:
    """Make the proof, and check it as a stranger would before handing it out."""
    home, policy = SafeHome(asked.home), _policy(asked)
    chosen = None if asked.checkpoint is None else Note.parse(asked.checkpoint.read_bytes())
    with open_database(home) as conn:
        proof = ledger.prove_record(conn, asked.record, chosen)
        (leaf,) = ledger.read_hashes(conn, (Place(0, proof.index),))
    checkpoint = policy.open(proof.note)
    proof.check_path(leaf, checkpoint)
    if asked.out is not None:
        replace_file(asked.out, proof.spelling().encode(), PUBLIC_FILE)
    if asked.json:
        proven: dict[str, Plain] = {"record_id": asked.record, "index": proof.index, "proof": proof.spelling()}
        _print_json({**_figures(proof.note, checkpoint, policy), **proven})
    elif asked.out is None:
        print(proof.spelling(), end="")
    else:
        print(f"{asked.record}: leaf {proof.index} of {checkpoint.size}, proof in {asked.out}")
    return 0


def run_check(asked: argparse.Namespace) -> int:
    """Audit; a good one is where the next takes up."""
    home, files = SafeHome(asked.home), LogFiles(asked.home)
    kept = asked.since or (files.audited if files.audited.exists() else None)
    since = None if kept is None else Note.parse(kept.read_bytes())
    with open_database(home) as conn:
        auditor = Auditor(conn, files, _policy(asked), home.store(), read_openings(home.openings))
        audit = auditor.audit(since)
    broken = audit.first_broken
    if broken is None and audit.note is not None:
        replace_file(files.audited, audit.note.spelling().encode(), PUBLIC_FILE)
    if asked.json:
        listed: list[Plain] = [{"name": each.name, "good": each.good, "broken": each.broken} for each in audit.findings]
        _print_json(
            {"intact": broken is None, "first_broken": None if broken is None else broken.name, "checks": listed}
        )
    else:
        for number, each in enumerate(audit.findings, start=1):
            print(f"{number:2d} {'FAILED' if each.broken else 'passed'} {each.name}: {each.broken or each.good}")
        print("the log holds" if broken is None else f"the log is BROKEN, first at {broken.name}: {broken.broken}")
    return 0 if broken is None else BROKEN


def run_witness(asked: argparse.Namespace) -> int:
    """Ask every witness of the policy; 0 when their cosignatures are the quorum."""
    note, checkpoint, policy = _newest(asked)
    troubles: list[str] = []
    with open_database(SafeHome(asked.home)) as conn:
        for witness in policy.witnesses:
            try:
                note, _ = ask_witness(witness, note, checkpoint, 0, lambda old, new: consistency_since(conn, old, new))
            except LogError as error:
                troubles.append(str(error))
    if asked.out is not None:
        replace_file(asked.out, note.spelling().encode(), PUBLIC_FILE)
    figures = _figures(note, checkpoint, policy)
    if asked.json:
        _print_json({**figures, "troubles": list(troubles)})
    else:
        print("\n".join([*troubles, note.spelling().removesuffix("\n")]))
        print(f"cosigned by {figures['cosigned']} of {figures['witnesses']} witnesses, quorum {policy.quorum}")
    return 0 if figures["quorum_reached"] else BROKEN


def _newest(asked: argparse.Namespace) -> tuple[Note, Checkpoint, Policy]:
    policy = _policy(asked)
    with open_database(SafeHome(asked.home)) as conn:
        note = ledger.newest_note(conn)
    if note is None:
        raise NotPublishedError("nothing was signed yet; the counter does it at its next start")
    return note, policy.open(note), policy


def _policy(asked: argparse.Namespace) -> Policy:
    if asked.policy is None:
        return LogFiles(asked.home).read_policy()
    return Policy.parse(asked.policy.read_text("utf-8"))


def _figures(note: Note, checkpoint: Checkpoint, policy: Policy) -> dict[str, Plain]:
    try:
        cosigned = policy.witnesses_of(note)
    except LogUnprovenError:
        cosigned = ()
    return {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "checkpoint": note.spelling(),
        "cosigned": len(cosigned),
        "witnesses": len(policy.witnesses),
        "quorum_reached": policy.satisfied_by(cosigned),
        "at": instant(datetime.now(UTC)),
    }


def _answering(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """The command with its expected troubles said in one line."""

    def answer(asked: argparse.Namespace) -> int:
        """Run, or say why not."""
        try:
            return run(asked)
        except (RecordError, BrokenError, OSError, UnicodeDecodeError) as error:
            print(f"log {asked.log_command}: {error}", file=sys.stderr)
            return UNUSABLE

    return answer


def _print_json(figures: dict[str, Plain]) -> None:
    print(json.dumps(figures, ensure_ascii=False))
