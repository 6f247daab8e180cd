"""Is it this chip, or a copy of its files? Judging the proofs in the evidence (Doc 9303-11 §6), and PACE's offer.

What each proof is worth is argued in chip_auth.py. In short: active authentication over the verifier's challenge and
chip authentication under the verifier's own key convince anybody; a terminal's own run convinces that terminal.
"""

from enum import IntEnum

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.active_auth import challenge_bytes, parse_dg15, signature_proves
from hardware_drivers.id_chip.checks import Check, CheckName, Code, failed, passed, undecided
from hardware_drivers.id_chip.chip_auth import ProofState, chip_key_of, chip_keys, proof_state
from hardware_drivers.id_chip.domain_parameters import AgreementKey
from hardware_drivers.id_chip.evidence import ChipEvidence
from hardware_drivers.id_chip.security_infos import SecurityInfos, parse_dg14, parse_security_infos
from hardware_drivers.id_chip.signed_data import parse_signed_data
from hardware_drivers.id_chip.sod import SecurityObject
from hardware_drivers.id_chip.trust import ChainResult, TrustStore

SECURITY_OBJECT = "0.4.0.127.0.7.3.2.1"  # id-SecurityObject, TR-03110-3 §A.1.2.5: what EF.CardSecurity signs
NAME = CheckName.CLONE_PROTECTION
CLAUSE = "Doc 9303-11 §6"


class Worth(IntEnum):
    """Whom a proof convinces."""

    NOBODY = 0  # not made
    ITS_TERMINAL = 1
    EVERYBODY = 2


def check_clone_protection(
    evidence: ChipEvidence,
    sod: SecurityObject | None,
    trust: TrustStore,
    *,
    challenge: bytes | None,
    counter_secret: bytes | None,
    own_terminal: bool,
) -> Check:
    """Whether a chip with the state's keys answered, and not a copy.

    Args:
        challenge: What the terminal was given for this reading; None where nobody asked.
        counter_secret: Of the `CounterTerminal` that ran chip authentication from here, if one did.
        own_terminal: The reading was made by the very machine that judges it now.
    """
    if sod is None:
        return undecided(NAME, Code.NEEDS_SOD, "there is no readable security object", CLAUSE)
    for number, code in ((14, Code.DG14_MISMATCH), (15, Code.DG15_MISMATCH)):
        content = evidence.data_groups.get(number)
        if content is not None and sod.hashes.get(number) != sod.digest(content):
            why = f"the keys in data group {number} are not those that were signed, so nothing they prove counts"
            return failed(NAME, code, why, f"{CLAUSE}; §5.1")
    try:
        infos = parse_dg14(evidence.data_groups[14]) if 14 in evidence.data_groups else SecurityInfos()
        made = [
            _active(evidence, infos, challenge),
            _chip(evidence, infos, challenge, counter_secret),
            _mapping(evidence, infos, trust),
        ]
    except MalformedFileError as error:
        return failed(NAME, Code.MALFORMED, f"its keys are not readable: {error}", CLAUSE)
    wrong = next((judged for judged in made if isinstance(judged, Check)), None)
    if wrong is not None:
        return wrong
    worth = max(judged for judged in made if isinstance(judged, Worth))
    if worth is Worth.EVERYBODY:
        return passed(NAME, "the chip proved that it has the state's private key", CLAUSE)
    if worth is Worth.ITS_TERMINAL and own_terminal:
        return passed(NAME, "the chip proved to this terminal that it has the state's private key", CLAUSE)
    if worth is Worth.ITS_TERMINAL:
        why = "the chip proved itself to the terminal that read it; whether that terminal is honest cannot be seen here"
        return undecided(NAME, Code.TERMINAL_VOUCHES, why, f"{CLAUSE}.2")
    can_prove = 15 in sod.hashes or (14 in sod.hashes and (14 not in evidence.data_groups or bool(chip_keys(infos))))
    if not can_prove:
        return undecided(NAME, Code.NOT_OFFERED, "this document has no protection against copies", CLAUSE)
    if challenge is not None:
        why = "the document can prove that it is no copy, was asked to, and did not"
        return failed(NAME, Code.PROOF_WITHHELD, why, CLAUSE)
    why = "copying is only excluded by chip or active authentication, which was not made"
    return undecided(NAME, Code.NOT_PROVEN, why, CLAUSE)


def _active(evidence: ChipEvidence, infos: SecurityInfos, challenge: bytes | None) -> Worth | Check:
    """Active authentication."""
    proof, clause = evidence.active_authentication, "Doc 9303-11 §6.1"
    if proof is None or challenge is None:
        return Worth.NOBODY
    if 15 not in evidence.data_groups:
        return failed(NAME, Code.DG15_MISMATCH, "a signature came without the key it was made with", clause)
    if proof.challenge != challenge_bytes(challenge):
        return failed(NAME, Code.CHALLENGE_DIFFERS, "the chip signed another challenge: an older reading?", clause)
    info = infos.active_authentication[0] if infos.active_authentication else None
    if not signature_proves(parse_dg15(evidence.data_groups[15]), proof, info):
        return failed(NAME, Code.AA_SIGNATURE_WRONG, "the chip's signature is not by the key in data group 15", clause)
    return Worth.EVERYBODY


def _chip(
    evidence: ChipEvidence, infos: SecurityInfos, challenge: bytes | None, counter_secret: bytes | None
) -> Worth | Check:
    """Chip authentication, run from here or by the terminal."""
    proof, clause = evidence.chip_authentication, "Doc 9303-11 §6.2"
    secret = challenge if proof is not None and proof.salt else counter_secret
    if proof is None or secret is None:
        return Worth.NOBODY
    key = chip_key_of(infos, proof.oid, proof.key_id)
    if key is None:
        return failed(NAME, Code.DG14_MISMATCH, "run with a key that data group 14 does not hold", clause)
    match proof_state(proof, key, secret, evidence.data_groups.get(1, b"")):
        case ProofState.HOLDS:
            return Worth.ITS_TERMINAL if proof.salt else Worth.EVERYBODY
        case ProofState.OTHER_CHALLENGE:
            return failed(NAME, Code.CHALLENGE_DIFFERS, "run for another challenge: an older reading?", clause)
        case ProofState.WRONG:
            return failed(NAME, Code.CA_FAILED, "the chip lacks the private key to data group 14: a copy", clause)


def _mapping(evidence: ChipEvidence, infos: SecurityInfos, trust: TrustStore) -> Worth | Check:
    """PACE with chip authentication mapping, against keys that are signed in either place."""
    proof, clause = evidence.mapping, "Doc 9303-11 §4.4.3.5.2"
    if proof is None:
        return Worth.NOBODY
    keys = [one.key for one in infos.chip_keys] + _keys_in_card_security(evidence.ef_card_security, trust)
    fitting = [key for key in keys if key.domain == proof.domain]
    if not fitting:
        return Worth.NOBODY
    if not any(proof.shown_by(key) for key in fitting):
        return failed(NAME, Code.CAM_FAILED, "the chip that ran PACE lacks the state's private key: a copy", clause)
    return Worth.ITS_TERMINAL


def _keys_in_card_security(content: bytes, trust: TrustStore) -> list[AgreementKey]:
    """The chip's keys in EF.CardSecurity, if a state we trust signed it."""
    try:
        signed = parse_signed_data("EF.CardSecurity", content, SECURITY_OBJECT) if content else None
        if signed is None or not signed.signature_holds() or trust.check(signed.certificate) is not ChainResult.TRUSTED:
            return []
        return [one.key for one in parse_security_infos(signed.content).chip_keys]
    except MalformedFileError:
        return []


def check_card_access(evidence: ChipEvidence, sod: SecurityObject | None) -> Check:
    """Whether EF.CardAccess, which nobody signed, offers the ways to PACE that DG14 does.

    Someone between chip and reader could have taken the better ways out of it.
    """
    name, clause = CheckName.CARD_ACCESS_MATCHES_DG14, "Doc 9303-11 §9.2.11"
    if sod is None or 14 not in sod.hashes or 14 not in evidence.data_groups:
        return undecided(name, Code.NOT_SIGNED, "no signed data group 14 to compare with", clause)
    try:
        offered, signed = parse_security_infos(evidence.ef_card_access), parse_dg14(evidence.data_groups[14])
    except MalformedFileError as error:
        return failed(name, Code.MALFORMED, f"not readable: {error}", clause)
    if not signed.pace:
        return undecided(name, Code.NOT_SIGNED, "data group 14 does not repeat the ways to PACE", clause)
    if not offered.offers_the_same_pace(signed):
        return failed(name, Code.GROUPS_DIFFER, "the ways to PACE were changed on their way", clause)
    return passed(name, "the ways to PACE are those that were signed", clause)
