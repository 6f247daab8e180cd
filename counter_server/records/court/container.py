"""A record in one file for a court: ASiC-E with CAdES (ETSI EN 319 162-1), checked with unzip and openssl alone.

A signed message has bytes that no signature covers: copies of certificates, algorithms named twice. So beside
`record.asice` lies `record.asice.sig`, a plain ECDSA signature over every byte of it, by the key that signed inside;
both checkers ask for both. Standard library and `cryptography` only.
"""

import base64
import hashlib
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from counter_server.records.cms import read_signed_message, read_time_stamp
from counter_server.records.errors import UNREADABLE, RecordError, RecordFormatError, StoreError
from counter_server.records.examination import BrokenError
from counter_server.records.verify_clock import check_clock

MIMETYPE, MANIFEST, SIGNATURE = "mimetype", "META-INF/ASiCManifest001.xml", "META-INF/signature001.p7s"
SEAL_SUFFIX = ".sig"
LARGEST_SEAL = 200  # bytes; ECDSA over P-521 has 139
KIND = b"application/vnd.etsi.asic-e+zip"
# APPNOTE 6.3: version 2.0, stored, 1 January 1980
LOCAL, CENTRAL, END = struct.Struct("<4s5H3I2H"), struct.Struct("<4s6H3I5H2I"), struct.Struct("<4s4H2IH")
LOCAL_MARK, VERSION, MIDNIGHT, FIRST_DAY = b"PK\3\4", 20, 0, 0x21
LARGEST = 2**32 - 1  # ZIP without its 64-bit extension, which half of the tools read differently
MOST_FILES = 60_000
BLOCK = 1 << 20
XML_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<asic:ASiCManifest xmlns:asic="http://uri.etsi.org/02918/v1.2.1#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#">\n'
    f'<asic:SigReference URI="{SIGNATURE}" MimeType="application/pkcs7-signature"/>\n'
)
XML_TAIL = "</asic:ASiCManifest>\n"


@dataclass(frozen=True, slots=True)
class CourtFile:
    """One file of the container."""

    name: str
    size: int
    crc: int
    sha256: bytes


def measure_file(name: str, path: Path) -> CourtFile:
    """What the container says of a file."""
    size, crc, digest = 0, 0, hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            size, crc = size + len(block), zlib.crc32(block, crc)
            digest.update(block)
    return CourtFile(name, size, crc, digest.digest())


def measure_bytes(name: str, content: bytes) -> CourtFile:
    """As `measure_file`, of what is in memory."""
    return CourtFile(name, len(content), zlib.crc32(content), hashlib.sha256(content).digest())


def court_manifest(files: list[CourtFile]) -> bytes:
    """The list that is signed: name and SHA-256 of every file of the record."""
    lines = (
        f"<asic:DataObjectReference URI={quoteattr(file.name)} "
        'MimeType="application/octet-stream"><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
        f"<ds:DigestValue>{base64.b64encode(file.sha256).decode()}</ds:DigestValue></asic:DataObjectReference>\n"
        for file in files
    )
    return (XML_HEAD + "".join(lines) + XML_TAIL).encode()


def local_header(file: CourtFile) -> bytes:
    """What stands before a file."""
    name = file.name.encode("ascii")
    return (
        LOCAL.pack(LOCAL_MARK, VERSION, 0, 0, MIDNIGHT, FIRST_DAY, file.crc, file.size, file.size, len(name), 0) + name
    )


def directory(files: list[CourtFile]) -> bytes:
    """What stands at the end."""
    if len(files) > MOST_FILES:
        raise StoreError("too many files for a court's container")
    entries, at = b"", 0
    for file in files:
        name = file.name.encode("ascii")
        fixed = (VERSION, VERSION, 0, 0, MIDNIGHT, FIRST_DAY, file.crc, file.size, file.size, len(name))
        entries += CENTRAL.pack(b"PK\1\2", *fixed, 0, 0, 0, 0, 0, at) + name
        at += len(local_header(file)) + file.size
        if at > LARGEST:
            raise StoreError("the record is too large for a court's container: 4 GiB")
    return entries + END.pack(b"PK\5\6", 0, 0, len(files), len(files), len(entries), at, 0)


@dataclass(frozen=True, slots=True)
class CourtFinding:
    """What a container turned out to be: what was signed when, or why not. `broken` is None when it is whole."""

    broken: str | None
    files: int = 0
    stamped_at: str | None = None


def seal_path(container: Path) -> Path:
    """Where the signature over a whole container lies."""
    return container.with_name(container.name + SEAL_SUFFIX)


def whole_digest(container: Path) -> bytes:
    """What that signature is over; `openssl dgst -sha384` asks for the same."""
    with container.open("rb") as file:
        return hashlib.file_digest(file, "sha384").digest()


def check_court(path: Path, trust_pem: bytes) -> CourtFinding:
    """Every bit of a container and its seal against trusted roots: those of records and of time stamps."""
    try:
        return _check(path, x509.load_pem_x509_certificates(trust_pem))
    except (RecordError, OSError, *UNREADABLE) as error:
        why = str(error) or type(error).__name__
        # what stumbles without a number of its own could not be read
        return CourtFinding(why if why[0].isdigit() else f"1 container_reads: {why}")


def _check(path: Path, roots: list[x509.Certificate]) -> CourtFinding:
    files, small = _read_container(path)
    if MIMETYPE not in small or MANIFEST not in small or SIGNATURE not in small:
        raise RecordFormatError("1 container_reads")
    signed = read_signed_message(small[SIGNATURE])
    _trust(signed.certificate, roots, "2 signer_is_trusted")
    _check_seal(path, signed.certificate)
    listed = files[1:-2]
    wanted = [MIMETYPE, *(file.name for file in listed), MANIFEST, SIGNATURE]
    if small[MIMETYPE] != KIND or [file.name for file in files] != wanted or small[MANIFEST] != court_manifest(listed):
        raise RecordFormatError("4 files_are_the_listed_ones")
    if not signed.holds_over(hashlib.new(signed.digest_name, small[MANIFEST]).digest()):
        raise RecordFormatError("5 signature_holds")
    if signed.time_stamp is None:
        raise RecordFormatError("6 there_is_a_time_stamp")
    stamp = read_time_stamp(signed.time_stamp)
    try:
        check_clock(stamp, roots)
    except BrokenError as error:
        raise RecordFormatError("7 time_stamp_is_of_this_signature") from error
    if stamp.imprint != hashlib.new(stamp.digest_name, signed.signature).digest():
        raise RecordFormatError("7 time_stamp_is_of_this_signature")
    if not signed.certificate.not_valid_before_utc <= stamp.at <= signed.certificate.not_valid_after_utc:
        raise RecordFormatError("8 certificate_was_valid")
    return CourtFinding(None, len(listed), stamp.at.isoformat())


def _check_seal(path: Path, certificate: x509.Certificate) -> None:
    key = certificate.public_key()
    with seal_path(path).open("rb") as file:
        seal = file.read(LARGEST_SEAL + 1)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise RecordFormatError("3 seal_holds_over_the_whole")
    try:
        key.verify(seal, whole_digest(path), ec.ECDSA(Prehashed(hashes.SHA384())))
    except InvalidSignature as error:
        raise RecordFormatError("3 seal_holds_over_the_whole") from error


def _trust(certificate: x509.Certificate, roots: list[x509.Certificate], why: str) -> None:
    for root in roots:
        try:
            certificate.verify_directly_issued_by(root)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return
    raise RecordFormatError(why)


def _read_container(path: Path) -> tuple[list[CourtFile], dict[str, bytes]]:
    """Files in their order, and the small ones' content; `RecordFormatError` unless each byte is where it must be."""
    files: list[CourtFile] = []
    small: dict[str, bytes] = {}
    with path.open("rb") as container:
        while (head := container.read(LOCAL.size))[:4] == LOCAL_MARK and len(head) == LOCAL.size:
            *_, size, length, _ = LOCAL.unpack(head)
            try:
                name = container.read(length).decode("ascii")
            except UnicodeDecodeError as error:
                raise RecordFormatError("1 container_reads") from error
            keep = name in (MIMETYPE, MANIFEST, SIGNATURE)
            crc, digest, left, kept = 0, hashlib.sha256(), size, b""
            while left and (block := container.read(min(BLOCK, left))):
                left, crc = left - len(block), zlib.crc32(block, crc)
                digest.update(block)
                kept += block if keep else b""
            file = CourtFile(name, size, crc, digest.digest())
            if left or head + name.encode() != local_header(file):
                raise RecordFormatError("1 container_reads")
            files.append(file)
            small |= {name: kept} if keep else {}
        begun = sum(len(local_header(file)) + file.size for file in files)
        container.seek(begun)
        if container.read(LARGEST) != directory(files):
            raise RecordFormatError("1 container_reads")
    return files, small
