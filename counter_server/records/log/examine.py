"""Checks of a record against the log. Each returns its good news or raises, as those of the seal do."""

from dataclasses import dataclass

from counter_server.records.examination import BrokenError, Examination, UnreachableError
from counter_server.records.log.checkpoint import Checkpoint
from counter_server.records.log.errors import LogFormatError
from counter_server.records.log.merkle import leaf_hash
from counter_server.records.log.policy import Policy
from counter_server.records.log.proof import Proof


@dataclass(frozen=True, slots=True)
class LogEvidence:
    """A proof as it was handed over, and whom the reader believes."""

    proof: bytes
    policy: Policy


def log_includes_record(examination: Examination) -> str:
    """The proof leads from this very manifest to the root of its checkpoint."""
    proof, _ = _proof(examination)
    if examination.manifest_bytes is None:
        raise UnreachableError("the manifest could not be read")
    checkpoint = Checkpoint.parse(proof.note.text)
    proof.check_path(leaf_hash(examination.manifest_bytes), checkpoint)
    return f"leaf {proof.index} of {checkpoint.size}"


def log_signed_checkpoint(examination: Examination) -> str:
    """A log of the policy signed that checkpoint."""
    proof, policy = _proof(examination)
    return f"signed by {policy.open(proof.note).origin}"


def log_is_witnessed(examination: Examination) -> str:
    """Enough witnesses of the policy cosigned it."""
    proof, policy = _proof(examination)
    cosigned = policy.witnesses_of(proof.note)
    counted = f"cosigned by {len(cosigned)} of {len(policy.witnesses)} witnesses"
    if not policy.satisfied_by(cosigned):
        raise BrokenError(f"{counted}: not the quorum {policy.quorum}")
    return f"{counted}, quorum {policy.quorum}"


def _proof(examination: Examination) -> tuple[Proof, Policy]:
    evidence = examination.log
    if not isinstance(evidence, LogEvidence):
        raise UnreachableError("no proof was handed over")
    try:
        return Proof.parse(evidence.proof), evidence.policy
    except LogFormatError as error:
        raise BrokenError(f"the proof cannot be read: {error}") from error
