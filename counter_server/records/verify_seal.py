"""Checks that need no key: the seal, and the encrypted objects it covers. Each returns its good news or raises."""

import hashlib
import os

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from counter_server.records.canonical import read_canonical
from counter_server.records.errors import UNREADABLE
from counter_server.records.examination import BrokenError, Examination, UnreachableError, read_blocks, read_small
from counter_server.records.journal import read_instant
from counter_server.records.plain import from_plain
from counter_server.records.record import (
    CERTIFICATE_FILE,
    MANIFEST_FILE,
    OBJECT_FOLDER,
    OBJECT_SUFFIX,
    SIGNATURE_FILE,
    Manifest,
    ObjectClass,
    RecordedTrack,
)
from counter_server.records.recordings import track_and_number

# FIPS 186-5 and SP 800-57 part 1 table 2: the hash is as strong as the curve
ALGORITHMS: dict[str, tuple[type[ec.EllipticCurve], type[hashes.HashAlgorithm]]] = {
    "ecdsa-p384-sha384": (ec.SECP384R1, hashes.SHA384),
    "ecdsa-p256-sha256": (ec.SECP256R1, hashes.SHA256),
}
LARGEST_JOINT_MS = 100  # segments meet at a key frame; its time is known to one frame, 100 ms at 10 fps


def files_are_there(examination: Examination) -> str:
    """1: manifest, signature and certificate can be read."""
    examination.manifest_bytes = read_small(examination.folder / MANIFEST_FILE)
    examination.signature = read_small(examination.folder / SIGNATURE_FILE)
    examination.certificate_pem = read_small(examination.folder / CERTIFICATE_FILE)
    return "manifest, signature and certificate are there"


def manifest_is_canonical(examination: Examination) -> str:
    """2: the manifest is JSON in its one canonical spelling."""
    read_canonical(_manifest_bytes(examination))
    return "RFC 8785"


def format_is_known(examination: Examination) -> str:
    """3: every field is there, none is unknown, references lead somewhere."""
    manifest = from_plain(Manifest, read_canonical(_manifest_bytes(examination)))
    flaw = manifest.first_flaw()
    if flaw is not None:
        raise BrokenError(flaw)
    examination.manifest_found = manifest
    return manifest.format


def certificate_reads(examination: Examination) -> str:
    """5: `server.pem` is exactly one certificate and nothing else. One that was not named is not even parsed."""
    if examination.certificate_pem is None or not examination.certificate_named:
        raise UnreachableError("there is no certificate the manifest names")
    try:
        certificate = x509.load_pem_x509_certificate(examination.certificate_pem)
        examination.public_key_found = certificate.public_key()
    except UNREADABLE as error:
        raise BrokenError(f"{CERTIFICATE_FILE} is no certificate") from error
    if certificate.public_bytes(Encoding.PEM) != examination.certificate_pem:
        raise BrokenError(f"{CERTIFICATE_FILE} holds more than one certificate in its plain spelling")
    examination.certificate_found = certificate
    return f"serial {certificate.serial_number:x}"


def certificate_is_the_named_one(examination: Examination) -> str:
    """4: the manifest names this very certificate."""
    if examination.certificate_pem is None:
        raise UnreachableError("files are missing")
    found = hashlib.sha256(examination.certificate_pem).hexdigest()
    if found != examination.manifest.signer.certificate_sha256:
        raise BrokenError("the manifest names another certificate")
    examination.certificate_named = True
    return found


def signature_holds(examination: Examination) -> str:
    """6: the certificate's key signed these manifest bytes."""
    signer, key = examination.manifest.signer, examination.public_key
    if signer.algorithm not in ALGORITHMS:
        raise BrokenError("a signature algorithm this checker does not know")
    curve, digest = ALGORITHMS[signer.algorithm]
    if not isinstance(key.curve, curve):
        raise BrokenError("the certificate's key is on another curve")
    try:
        key.verify(examination.signature or b"", _manifest_bytes(examination), ec.ECDSA(digest()))
    except InvalidSignature as error:
        raise BrokenError("the signature does not belong to this manifest") from error
    return signer.algorithm


def chain_leads_to_trust(examination: Examination) -> str:
    """7: a root the caller trusts issued the certificate for signing."""
    try:
        roots = x509.load_pem_x509_certificates(examination.trust_pem)
    except UNREADABLE as error:
        raise BrokenError("the trust file holds no certificate") from error
    examination.root_found = next((root for root in roots if _issued(root, examination.certificate)), None)
    if examination.root_found is None:
        raise BrokenError("no trusted root issued the certificate")
    if _is_authority(examination.certificate) or not _may(examination.certificate, "digital_signature"):
        raise BrokenError("the certificate is not for signing records")
    return f"root serial {examination.root_found.serial_number:x}"


def certificate_was_valid(examination: Examination) -> str:
    """8: certificate and root were valid when the record was sealed."""
    sealed_at = read_instant(examination.manifest.sealed_at)
    if examination.root_found is None:
        raise UnreachableError("no trusted root")
    for certificate in (examination.certificate, examination.root_found):
        if not certificate.not_valid_before_utc <= sealed_at <= certificate.not_valid_after_utc:
            raise BrokenError("a certificate was not valid at the time of sealing")
    return examination.manifest.sealed_at


def no_other_files(examination: Examination) -> str:
    """9: nothing lies in the folder that the seal does not cover."""
    expected = {f"{item.sha256}{OBJECT_SUFFIX}" for item in examination.manifest.objects}
    top = {MANIFEST_FILE, SIGNATURE_FILE, CERTIFICATE_FILE, OBJECT_FOLDER}
    strays = sorted(set(os.listdir(examination.folder)) - top)
    objects = examination.folder / OBJECT_FOLDER
    if objects.is_symlink():
        raise BrokenError(f"{OBJECT_FOLDER} is a link")
    strays += sorted(set(os.listdir(objects)) - expected)
    if strays:
        raise BrokenError(f"{len(strays)} file(s) the seal does not cover, first {strays[0][:80]!r}")
    return "none"


def objects_are_there(examination: Examination) -> str:
    """10: every object the manifest lists is a file."""
    for item in examination.manifest.objects:
        path = examination.object_path(item)
        if path.is_symlink() or not path.is_file():
            raise BrokenError(f"{item.name} is missing")
    return f"{len(examination.manifest.objects)} objects"


def object_sizes_hold(examination: Examination) -> str:
    """11: every object has the size the manifest says."""
    for item in examination.manifest.objects:
        if examination.object_path(item).stat().st_size != item.size:
            raise BrokenError(f"{item.name} has another size")
    return f"{sum(item.size for item in examination.manifest.objects)} bytes"


def object_hashes_hold(examination: Examination) -> str:
    """12: every object's bytes are the sealed ones."""
    for item in examination.manifest.objects:
        digest = hashlib.sha256()
        for block in read_blocks(examination.object_path(item)):
            digest.update(block)
        if digest.hexdigest() != item.sha256:
            raise BrokenError(f"{item.name} was changed")
    return "SHA-256"


def recording_is_continuous(examination: Examination) -> str:
    """13: segments of every track follow each other; every hole is a declared gap; no segment lies outside a track."""
    manifest = examination.manifest
    recorded = {item.name for item in manifest.objects if item.object_class is ObjectClass.RECORDING}
    listed = [segment.name for track in manifest.recordings for segment in track.segments]
    if len(set(listed)) != len(listed) or set(listed) != recorded:
        raise BrokenError("recorded objects and listed segments differ")
    for track in manifest.recordings:
        _judge_track(track)
    return f"{len(manifest.recordings)} tracks, {len(listed)} segments"


def _judge_track(track: RecordedTrack) -> None:
    end_ms: int | None = 0
    for index, segment in enumerate(track.segments):
        place = f"{track.side} {track.kind}: segment {index}"
        if segment.index != index or track_and_number(segment.name)[2] != index:
            raise BrokenError(f"{place} is missing or out of order")
        if segment.start_ms is None or segment.duration_ms is None:
            end_ms = None
            continue
        if end_ms is not None and not _joins(track, end_ms, segment.start_ms):
            raise BrokenError(f"{place} does not follow the one before")
        end_ms = segment.start_ms + segment.duration_ms


def _joins(track: RecordedTrack, end_ms: int, start_ms: int) -> bool:
    """Whether a segment begins where the one before ended, or a declared gap lies between."""
    return abs(start_ms - end_ms) <= LARGEST_JOINT_MS or any(
        gap.start_ms <= end_ms + LARGEST_JOINT_MS and gap.start_ms + gap.duration_ms >= start_ms - LARGEST_JOINT_MS
        for gap in track.gaps
        if start_ms > end_ms
    )


def _manifest_bytes(examination: Examination) -> bytes:
    if examination.manifest_bytes is None:
        raise UnreachableError("files are missing")
    return examination.manifest_bytes


def _issued(root: x509.Certificate, certificate: x509.Certificate) -> bool:
    if not _is_authority(root) or not _may(root, "key_cert_sign"):
        return False
    try:
        certificate.verify_directly_issued_by(root)
    except (*UNREADABLE, InvalidSignature):
        return False
    return True


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (*UNREADABLE, x509.ExtensionNotFound):
        return False


def _may(certificate: x509.Certificate, right: str) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except (*UNREADABLE, x509.ExtensionNotFound):
        return False
    return bool(getattr(usage, right))
