"""Passive authentication of files: the security object, its signer, and the data groups it was signed for.

Doc 9303-11 §5.1 without a chip: what `verify` does with a reading, for files from anywhere.
"""

from collections.abc import Mapping
from datetime import datetime

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.checks import Check, CheckName, Code, failed, passed, undecided
from hardware_drivers.id_chip.files import DATA_GROUP_TAGS
from hardware_drivers.id_chip.lds import parse_dg1
from hardware_drivers.id_chip.signer_checks import chain_of, check_issuing_state, judge_signer
from hardware_drivers.id_chip.sod import SecurityObject, parse_sod
from hardware_drivers.id_chip.trust import TrustStore


def sod_report(sod: bytes, data_groups: Mapping[int, bytes], trust: TrustStore, at: datetime) -> tuple[Check, ...]:
    """Every check that a security object and these data groups allow.

    Args:
        sod: EF.SOD, its outer tag included.
        data_groups: Number to the whole file; none need be given. DG1 adds the check of the issuing state.
        at: The moment to judge by, with zone.
    """
    security_object, made = check_sod(sod)
    chain = chain_of(security_object, trust)
    checks = [made, check_signature(security_object), *judge_signer(security_object, chain, trust, at)]
    for number in sorted(set(data_groups) & set(DATA_GROUP_TAGS)):
        checks.append(check_hash(security_object, data_groups, number))
    if 1 in data_groups:
        try:
            checks.append(check_issuing_state(security_object, chain, parse_dg1(data_groups[1])))
        except MalformedFileError:
            checks.append(check_issuing_state(security_object, chain, None))
    return tuple(checks)


def check_sod(ef_sod: bytes) -> tuple[SecurityObject | None, Check]:
    """Step 1."""
    name, clause = CheckName.SOD_PRESENT_AND_PARSED, "Doc 9303-10 §4.6.2"
    if not ef_sod:
        return None, failed(name, Code.MISSING, "the chip gave no security object", clause)
    try:
        sod = parse_sod(ef_sod)
    except MalformedFileError as error:
        return None, failed(name, Code.MALFORMED, f"not readable: {error}", clause)
    return sod, passed(name, f"{len(sod.hashes)} hashes by {sod.hash_name}", clause)


def check_signature(sod: SecurityObject | None) -> Check:
    """Step 2."""
    name, clause = CheckName.SOD_SIGNATURE, "Doc 9303-11 §5.1 step 4; RFC 5652 §5.6"
    if sod is None:
        return undecided(name, Code.NEEDS_SOD, "there is no readable security object", clause)
    try:
        holds = sod.signature_holds()
    except MalformedFileError as error:
        return failed(name, Code.UNSUPPORTED, f"cannot be verified: {error}", clause)
    if not holds:
        return failed(name, Code.WRONG_SIGNATURE, "the security object was changed after signing", clause)
    return passed(name, "signed by the certificate it carries", clause)


def check_hash(sod: SecurityObject | None, data_groups: Mapping[int, bytes], number: int) -> Check:
    """Step 4, one data group."""
    name, clause = CheckName(f"dg_hash_{number}"), "Doc 9303-11 §5.1 step 5"
    if sod is None:
        return undecided(name, Code.NEEDS_SOD, "there is no readable security object", clause)
    if number not in data_groups:
        return failed(name, Code.MISSING, f"data group {number} was not read", clause)
    if number not in sod.hashes:
        return failed(name, Code.NOT_SIGNED, f"no hash of data group {number} was signed", clause)
    if sod.digest(data_groups[number]) != sod.hashes[number]:
        return failed(name, Code.HASH_MISMATCH, f"data group {number} was changed after signing", clause)
    return passed(name, f"data group {number} is the one that was signed", clause)
