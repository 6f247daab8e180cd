"""The checks of a document by name, and how each comes out: what every part of the judging hands back."""

from dataclasses import dataclass
from enum import StrEnum


class CheckName(StrEnum):
    """Every check there is, in the order they are made."""

    SOD_PRESENT_AND_PARSED = "sod_present_and_parsed"
    SOD_SIGNATURE = "sod_signature"
    SIGNER_CERTIFICATE_CHAIN = "signer_certificate_chain"
    SIGNER_CERTIFICATE_VALID_AT_SIGNING = "signer_certificate_valid_at_signing"
    SIGNER_NOT_REVOKED = "signer_not_revoked"
    ISSUER_VALID_WHEN_ISSUING = "issuer_valid_when_issuing"
    ALGORITHMS_ACCEPTED = "algorithms_accepted"
    ISSUING_STATE_MATCHES_SIGNER = "issuing_state_matches_signer"
    DG_HASH_1 = "dg_hash_1"
    DG_HASH_2 = "dg_hash_2"
    DG_HASH_3 = "dg_hash_3"
    DG_HASH_4 = "dg_hash_4"
    DG_HASH_5 = "dg_hash_5"
    DG_HASH_6 = "dg_hash_6"
    DG_HASH_7 = "dg_hash_7"
    DG_HASH_8 = "dg_hash_8"
    DG_HASH_9 = "dg_hash_9"
    DG_HASH_10 = "dg_hash_10"
    DG_HASH_11 = "dg_hash_11"
    DG_HASH_12 = "dg_hash_12"
    DG_HASH_13 = "dg_hash_13"
    DG_HASH_14 = "dg_hash_14"
    DG_HASH_15 = "dg_hash_15"
    DG_HASH_16 = "dg_hash_16"
    COM_MATCHES_SOD = "com_matches_sod"
    MRZ_CHECK_DIGITS = "mrz_check_digits"
    DOCUMENT_NOT_EXPIRED = "document_not_expired"
    DOCUMENT_NUMBER_MATCHES_ACCESS = "document_number_matches_access"
    PORTRAIT_DECODABLE = "portrait_decodable"
    CARD_ACCESS_MATCHES_DG14 = "card_access_matches_dg14"
    CLONE_PROTECTION = "clone_protection"


class Outcome(StrEnum):
    """A check is never just true or false."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_POSSIBLE = "not_possible"


class Code(StrEnum):
    """Why, for machines; the counter chooses the customer's words by it."""

    OK = "ok"
    MALFORMED = "malformed"
    WRONG_SIGNATURE = "wrong_signature"
    UNSUPPORTED = "unsupported"  # an algorithm or key outside Doc 9303-12
    UNKNOWN_ISSUER = "unknown_issuer"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    HASH_MISMATCH = "hash_mismatch"
    NOT_SIGNED = "not_signed"  # the security object has no hash for it
    MISSING = "missing"
    GROUPS_DIFFER = "groups_differ"
    WRONG_CHECK_DIGIT = "wrong_check_digit"
    OTHER_DOCUMENT = "other_document"
    NEEDS_SOD = "needs_sod"
    NEEDS_DG1 = "needs_dg1"
    NOT_GIVEN = "not_given"
    NOT_PROVEN = "not_proven"
    REVOKED = "revoked"
    NO_REVOCATION_LIST = "no_revocation_list"
    STALE = "stale"  # the newest revocation list is overdue
    NEEDS_ISSUER = "needs_issuer"
    WEAK_ALGORITHM = "weak_algorithm"
    OTHER_STATE = "other_state"
    AA_SIGNATURE_WRONG = "aa_signature_wrong"
    CA_FAILED = "ca_failed"
    CAM_FAILED = "cam_failed"
    DG14_MISMATCH = "dg14_mismatch"
    DG15_MISMATCH = "dg15_mismatch"
    CHALLENGE_DIFFERS = "challenge_differs"  # evidence of another reading
    PROOF_WITHHELD = "proof_withheld"  # asked for, possible by what was signed, and not given
    TERMINAL_VOUCHES = "terminal_vouches"  # proven to the reading terminal, which is not ours
    NOT_OFFERED = "not_offered"


# What may stay undecided without the document being refused; anything else that has not passed refuses it.
MAY_BE_UNDECIDED = frozenset(
    {
        CheckName.SIGNER_NOT_REVOKED,
        # what leaves these two undecided (no issuer, no zone) is refused by its own check
        CheckName.ISSUER_VALID_WHEN_ISSUING,
        CheckName.ISSUING_STATE_MATCHES_SIGNER,
        CheckName.DOCUMENT_NUMBER_MATCHES_ACCESS,
        CheckName.CARD_ACCESS_MATCHES_DG14,
        CheckName.CLONE_PROTECTION,
    }
)


@dataclass(frozen=True, slots=True)
class Check:
    """One named check.

    Attributes:
        why: English, for clerks and logs, without anything personal.
        clause: Where the standard asks for it.
        code: The reason for machines.
    """

    name: CheckName
    outcome: Outcome
    why: str
    clause: str
    code: Code


def passed(name: CheckName, why: str, clause: str) -> Check:
    """A check that holds."""
    return Check(name, Outcome.PASSED, why, clause, Code.OK)


def failed(name: CheckName, code: Code, why: str, clause: str) -> Check:
    """A check that does not hold."""
    return Check(name, Outcome.FAILED, why, clause, code)


def undecided(name: CheckName, code: Code, why: str, clause: str) -> Check:
    """A check that could not be made."""
    return Check(name, Outcome.NOT_POSSIBLE, why, clause, code)
