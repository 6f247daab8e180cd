"""Whose time stamps are believed? With the standard library and `cryptography` alone.

A record may carry the issuers that its operator accepts (`signature/time-stamp-roots.pem`, its hash a policy of the
manifest); a checker may bring a list of its own, which then counts instead. Without either it is the contracts' root.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID

from counter_server.records.cms import TimeStamp
from counter_server.records.errors import UNREADABLE, RecordFormatError
from counter_server.records.examination import BrokenError, Examination
from counter_server.records.record import CLOCKS_POLICY, CONTRACT_ROOT, TIME_STAMP_ROOTS

CLOCKS_FILE = "time-stamp-roots.pem"  # beside the contracts' root, put there by the operator
LONGEST_CHAIN = 4  # authority, its issuer, a cross certificate, a root: none in use has more


def read_clock_roots(pem: bytes) -> tuple[x509.Certificate, ...]:
    """The accepted issuers, at least one; `RecordFormatError` otherwise."""
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except UNREADABLE as error:
        raise RecordFormatError("the list of time stamp issuers holds no certificate") from error


def installed_clock_roots(folder: Path) -> bytes | None:
    """The operator's list in this folder of keys, or None where there is none."""
    path = folder / CLOCKS_FILE
    if not path.exists():
        return None
    pem = path.read_bytes()
    read_clock_roots(pem)
    return pem


def clocks_policy(pem: bytes) -> str:
    """How a manifest names the list."""
    return CLOCKS_POLICY + hashlib.sha256(pem).hexdigest()


def accepted_clocks(examination: Examination) -> tuple[x509.Certificate, ...]:
    """Who may have stamped this record's contract. The record's own list must be the one its policy names."""
    manifest = examination.manifest
    named = [policy for policy in manifest.policies if policy.startswith(CLOCKS_POLICY)]
    carried = None
    if named or any(item.name == TIME_STAMP_ROOTS for item in manifest.objects):
        carried = examination.content(TIME_STAMP_ROOTS)
        if named != [clocks_policy(carried)]:
            raise BrokenError("the list of time stamp issuers is not the one the manifest names")
    if examination.clocks_pem is not None:
        return read_clock_roots(examination.clocks_pem)
    return read_clock_roots(carried or examination.content(CONTRACT_ROOT))


def check_clock(stamp: TimeStamp, roots: Sequence[x509.Certificate]) -> None:
    """Whether an accepted issuer made its signer a clock (RFC 3161 §2.3), and all of them were valid at that time.

    Raises:
        BrokenError: No.
    """
    if not _is_clock(stamp.signer):
        raise BrokenError("a time stamp by somebody who is no time stamp authority")
    if not _valid(stamp.signer, stamp.at):
        raise BrokenError("a time stamp from outside its authority's time")
    carried, below = readable(stamp.carried), stamp.signer
    for _ in range(LONGEST_CHAIN):
        if any(_issued(root, below, stamp.at) for root in roots):
            return
        above = next((one for one in carried if one != below and _issued(one, below, stamp.at)), None)
        if above is None:
            break
        below = above
    raise BrokenError("a time stamp authority that nobody here vouches for")


def _is_clock(certificate: x509.Certificate) -> bool:
    """For time stamps, for nothing else, and marked critical."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except (*UNREADABLE, x509.ExtensionNotFound):
        return False
    return usage.critical and list(usage.value) == [ExtendedKeyUsageOID.TIME_STAMPING]


def _valid(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _issued(authority: x509.Certificate, below: x509.Certificate, at: datetime) -> bool:
    try:
        may = authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        may = may and authority.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
        below.verify_directly_issued_by(authority)
    except (*UNREADABLE, x509.ExtensionNotFound, InvalidSignature):
        return False
    return may and _valid(authority, at)


def readable(carried: Sequence[bytes]) -> list[x509.Certificate]:
    """Certificates that came with the stamp; one that cannot be read vouches for nobody."""
    found = []
    for encoded in carried:
        try:
            found.append(x509.load_der_x509_certificate(encoded))
        except UNREADABLE:
            continue
    return found
