"""The offline checker: `python -m counter_server.records verify DIR --trust PEM`.

Runs with the standard library and `cryptography`; copy this package next to a record and nothing else of ours is
needed. Exit code 0: whole; 1: broken, the last line names the first broken check; 2: could not be checked.
"""

import argparse
import json
import sys
from pathlib import Path

from counter_server.records.errors import RecordError
from counter_server.records.keys import read_keyring, read_private
from counter_server.records.log.examine import LogEvidence
from counter_server.records.log.policy import Policy
from counter_server.records.report import as_figures, as_lines
from counter_server.records.verify import verify_record
from counter_server.records.verify_clock import read_clock_roots


def main(words: list[str]) -> int:
    """Check one record's folder and say so."""
    parser = argparse.ArgumentParser(prog="python -m counter_server.records", description="check a sealed record")
    verify = parser.add_subparsers(dest="command", required=True).add_parser("verify", help="check a record's folder")
    verify.add_argument("folder", type=Path)
    verify.add_argument("--trust", type=Path, required=True, help="root certificate(s), PEM, from a source you trust")
    verify.add_argument("--identity", type=Path, help="file with the record's own key: checks the content too")
    verify.add_argument("--tsa-roots", type=Path, help="whose time stamps count, PEM; default: whom the record names")
    verify.add_argument("--proof", type=Path, help="proof that the record is in the log (.tlog-proof)")
    verify.add_argument("--log-policy", type=Path, help="the log's key and its witnesses, from a source you trust")
    verify.add_argument("--json", choices=["-"], help="machine output on standard output")
    asked = parser.parse_args(words)
    if (asked.proof is None) != (asked.log_policy is None):
        parser.error("--proof and --log-policy belong together")
    if asked.tsa_roots is not None and asked.identity is None:
        parser.error("--tsa-roots is about the contract, which --identity opens")
    try:
        log = None
        if asked.proof is not None:
            log = LogEvidence(asked.proof.read_bytes(), Policy.parse(asked.log_policy.read_text("utf-8")))
        identity = None if asked.identity is None else read_keyring(read_private(asked.identity).decode())
        clocks = None if asked.tsa_roots is None else asked.tsa_roots.read_bytes()
        if clocks is not None:
            read_clock_roots(clocks)
        verification = verify_record(asked.folder, asked.trust.read_bytes(), identity, log, clocks_pem=clocks)
    except (RecordError, OSError, UnicodeDecodeError) as error:
        print(f"could not be checked: {error}", file=sys.stderr)
        return 2
    if asked.json:
        print(json.dumps(as_figures(verification), ensure_ascii=False))
    else:
        print("\n".join(as_lines(verification)))
    return 0 if verification.intact else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
