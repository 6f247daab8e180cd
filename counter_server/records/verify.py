"""Is this record what the server sealed? A flat list of named checks; the first broken one is the answer.

Runs anywhere with the standard library and `cryptography`. Trust comes from outside: `server.pem` in the record is a
convenience and is believed only as far as it chains to the root the caller brings. Without a key the checks end at
the hashes of the encrypted objects; with the record's key they go on into the content.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from counter_server.records.agefile import AgeKeyring
from counter_server.records.errors import RecordError
from counter_server.records.examination import BrokenError, Examination, UnreachableError
from counter_server.records.log.examine import (
    LogEvidence,
    log_includes_record,
    log_is_witnessed,
    log_signed_checkpoint,
)
from counter_server.records.record import Manifest
from counter_server.records.verify_content import (
    commitments_hold,
    contract_holds_its_signatures,
    document_is_the_signed_one,
    journal_is_intact,
    objects_open,
    recording_runs_forward,
    staff_acted_by_passkey,
    statements_are_signed,
    strokes_are_the_signed_ones,
)
from counter_server.records.verify_seal import (
    certificate_is_the_named_one,
    certificate_reads,
    certificate_was_valid,
    chain_leads_to_trust,
    files_are_there,
    format_is_known,
    manifest_is_canonical,
    no_other_files,
    object_hashes_hold,
    object_sizes_hold,
    objects_are_there,
    recording_is_continuous,
    signature_holds,
)


class Outcome(StrEnum):
    """A check is never just true or false."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_POSSIBLE = "not_possible"


@dataclass(frozen=True, slots=True)
class Check:
    """One numbered check and why it came out as it did. No personal data."""

    number: int
    name: str
    outcome: Outcome
    why: str


@dataclass(frozen=True, slots=True)
class Verification:
    """Every check in order. `manifest` is there only when the signature over it held."""

    checks: tuple[Check, ...]
    manifest: Manifest | None
    manifest_sha256: str | None

    @property
    def intact(self) -> bool:
        """Whether every check passed; one that was not possible counts as broken."""
        return self.first_broken is None

    @property
    def first_broken(self) -> Check | None:
        """The first check that did not pass."""
        return next((check for check in self.checks if check.outcome is not Outcome.PASSED), None)


Step = Callable[[Examination], str]

SEAL_STEPS: tuple[Step, ...] = (
    files_are_there,
    manifest_is_canonical,
    format_is_known,
    certificate_is_the_named_one,
    certificate_reads,
    signature_holds,
    chain_leads_to_trust,
    certificate_was_valid,
    no_other_files,
    objects_are_there,
    object_sizes_hold,
    object_hashes_hold,
    recording_is_continuous,
)
CONTENT_STEPS: tuple[Step, ...] = (
    objects_open,
    commitments_hold,
    journal_is_intact,
    statements_are_signed,
    document_is_the_signed_one,
    strokes_are_the_signed_ones,
    recording_runs_forward,
    contract_holds_its_signatures,
    staff_acted_by_passkey,
)
LOG_STEPS: tuple[Step, ...] = (log_includes_record, log_signed_checkpoint, log_is_witnessed)


def numbered(name: str) -> str:
    """A check's number and name, as the checkers and their pages say it; the name alone where it has no number."""
    names = [step.__name__ for step in SEAL_STEPS + CONTENT_STEPS]
    return f"{names.index(name) + 1} {name}" if name in names else name


def verify_record(
    folder: Path,
    trust_pem: bytes,
    identity: AgeKeyring | None = None,
    log: LogEvidence | None = None,
    further: tuple[Step, ...] = (),
    *,
    clocks_pem: bytes | None = None,
) -> Verification:
    """Every check of a record's folder against a trust root; with the record's key also its content.

    Args:
        folder: The record's directory, wherever it was copied to.
        trust_pem: One or more root certificates, PEM, from a source the caller trusts.
        identity: The record's own keys, or None for the checks anybody can do.
        log: A proof from the log and whom to believe about it; its checks come last.
        further: Opinions that need more than this module may import; they come after everything.
        clocks_pem: Issuers of the time stamp authorities that count, PEM, instead of those the record names.
    """
    examination = Examination(folder, trust_pem, identity, clocks_pem=clocks_pem, log=log)
    steps = SEAL_STEPS if identity is None else SEAL_STEPS + CONTENT_STEPS
    steps += () if log is None else LOG_STEPS
    steps += further
    checks = tuple(_judge(number, step, examination) for number, step in enumerate(steps, start=1))
    held = any(check.name == signature_holds.__name__ and check.outcome is Outcome.PASSED for check in checks)
    stored = examination.manifest_bytes
    return Verification(
        checks,
        examination.manifest if held else None,
        None if stored is None else hashlib.sha256(stored).hexdigest(),
    )


def _judge(number: int, step: Step, examination: Examination) -> Check:
    try:
        return Check(number, step.__name__, Outcome.PASSED, step(examination))
    except UnreachableError as error:
        return Check(number, step.__name__, Outcome.NOT_POSSIBLE, str(error))
    except (BrokenError, RecordError) as error:
        return Check(number, step.__name__, Outcome.FAILED, str(error))
    except OSError as error:
        return Check(number, step.__name__, Outcome.FAILED, f"cannot be read: {error.strerror}")
