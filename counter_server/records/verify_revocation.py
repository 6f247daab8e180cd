"""Was a time stamp authority's certificate revoked? By the lists inside the contract, asking nobody.

With the standard library and `cryptography` alone, so the PDF is not parsed: whatever stands in a stream and is a
revocation list signed by the authority's own issuer counts, wherever it stands. Leaving one out is possible, and then
the answer is "not checked"; making one up is not.
"""

import re
import zlib
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from counter_server.records.cms import TimeStamp
from counter_server.records.der import read_first
from counter_server.records.errors import UNREADABLE, RecordFormatError
from counter_server.records.examination import BrokenError
from counter_server.records.verify_clock import readable

# ISO 32000-2 §7.3.8. With the end of line before its last word, which a list's own last byte may look like
STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
LARGEST_LIST = 4 << 20  # the largest in use are a megabyte; a stream that unpacks to more is none
# RFC 3161 §4: with these reasons, stamps from before the revocation stay good; with any other, or none, none does
HARMLESS = (
    x509.ReasonFlags.unspecified,
    x509.ReasonFlags.affiliation_changed,
    x509.ReasonFlags.superseded,
    x509.ReasonFlags.cessation_of_operation,
)


def lists_in(pdf: bytes) -> tuple[x509.CertificateRevocationList, ...]:
    """Every revocation list that stands in a stream of the file, packed or not; nothing is believed of it yet."""
    found = []
    for stream in STREAM.finditer(pdf):
        content = stream[1]
        if not content.startswith(b"\x30"):
            packed = zlib.decompressobj()
            try:
                content = packed.decompress(content, 1)  # fonts and pages are not unpacked to be thrown away
                if content == b"\x30":
                    content += packed.decompress(packed.unconsumed_tail, LARGEST_LIST)
            except zlib.error:
                continue
        if content.startswith(b"\x30"):
            try:
                found.append(x509.load_der_x509_crl(read_first(content).whole))
            except (*UNREADABLE, RecordFormatError):
                continue
    return tuple(found)


def check_standing(
    stamp: TimeStamp, roots: Sequence[x509.Certificate], lists: Sequence[x509.CertificateRevocationList]
) -> datetime | None:
    """When its issuer last said that the stamp's authority was not revoked; None where nothing here says so.

    Raises:
        BrokenError: It was revoked, in a way that takes this stamp with it.
    """
    theirs = [one for one in lists if _issued(one, stamp, roots)]
    for one in theirs:
        entry = one.get_revoked_certificate_by_serial_number(stamp.signer.serial_number)
        if entry is not None and not (_reason(entry) in HARMLESS and stamp.at < entry.revocation_date_utc):
            raise BrokenError("a time stamp by an authority that was revoked")
    return max((one.last_update_utc for one in theirs if _acquits(one, stamp)), default=None)


def list_places(certificate: x509.Certificate) -> tuple[str, ...]:
    """Where the certificate says its issuer's list is (RFC 5280 §4.2.1.13)."""
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except (*UNREADABLE, x509.ExtensionNotFound):
        return ()
    return tuple(place for point in points for place in _addresses(point.full_name))


def _issued(one: x509.CertificateRevocationList, stamp: TimeStamp, roots: Sequence[x509.Certificate]) -> bool:
    """Whether the issuer of the stamp's authority signed this list."""
    if one.issuer != stamp.signer.issuer:
        return False
    return any(_signed(one, issuer, stamp.signer) for issuer in (*roots, *readable(stamp.carried)))


def _acquits(one: x509.CertificateRevocationList, stamp: TimeStamp) -> bool:
    """Whether it would name the stamp's authority, had that been revoked.

    A part of a list or a supplement to one may not (RFC 5280 §5.2), nor one that ended before the stamp. But whom any
    of them names was revoked.
    """
    if one.next_update_utc is None or one.next_update_utc < stamp.at:
        return False
    try:
        return all(_includes(limit, stamp.signer) for limit in one.extensions)
    except UNREADABLE:
        return False


def _includes(limit: x509.Extension[x509.ExtensionType], certificate: x509.Certificate) -> bool:
    part = limit.value
    if not isinstance(part, x509.IssuingDistributionPoint):
        return not limit.critical and not isinstance(part, x509.DeltaCRLIndicator)
    if part.only_contains_ca_certs or part.only_contains_attribute_certs or part.only_some_reasons or part.indirect_crl:
        return False
    named = part.full_name is not None or part.relative_name is not None
    return not named or not set(_addresses(part.full_name)).isdisjoint(list_places(certificate))


def _addresses(names: Sequence[x509.GeneralName] | None) -> list[str]:
    return [name.value for name in names or () if isinstance(name, x509.UniformResourceIdentifier)]


def _signed(one: x509.CertificateRevocationList, issuer: x509.Certificate, below: x509.Certificate) -> bool:
    try:
        below.verify_directly_issued_by(issuer)
        return one.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # a key of another kind raises
    except (*UNREADABLE, InvalidSignature):
        return False


def _reason(entry: x509.RevokedCertificate) -> x509.ReasonFlags | None:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except (*UNREADABLE, x509.ExtensionNotFound):
        return None
