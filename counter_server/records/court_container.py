"""A record in one file for a court: ASiC-E with CAdES (ETSI EN 319 162-1), checked with unzip and openssl alone.

The ZIP around it has exactly one spelling: no compression, no dates, no attributes, files in the signed order. So no
bit of it is left that means nothing, and `verify-court.sh` builds it anew to compare. Standard library and
`cryptography` only.
"""

import base64
import hashlib
import re
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from counter_server.records.cms import read_signed_message, read_time_stamp
from counter_server.records.errors import RecordError, RecordFormatError, StoreError

MIMETYPE, MANIFEST, SIGNATURE = "mimetype", "META-INF/ASiCManifest001.xml", "META-INF/signature001.p7s"
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
REFERENCE = re.compile(
    r'<asic:DataObjectReference URI="([A-Za-z0-9._/-]{1,120})" MimeType="application/octet-stream">'
    r'<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
    r"<ds:DigestValue>([A-Za-z0-9+/]{43}=)</ds:DigestValue></asic:DataObjectReference>\n"
)

# what reading bytes from outside may end in: ours, the disk's, a part of the DER that is missing, and certificates'
HOSTILE = (
    RecordError,
    OSError,
    ValueError,
    LookupError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
)


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


def check_court(path: Path, trust_pem: bytes) -> CourtFinding:
    """Every bit of a container against trusted roots: those of records and of time stamps."""
    try:
        return _check(path, x509.load_pem_x509_certificates(trust_pem))
    except HOSTILE as error:
        return CourtFinding(str(error) or type(error).__name__)


def _check(path: Path, roots: list[x509.Certificate]) -> CourtFinding:
    files, small = _read_container(path)
    if [file.name for file in files[:1]] != [MIMETYPE] or small[MIMETYPE] != KIND:
        raise RecordFormatError("1 not a container of this kind")
    if [file.name for file in files[-2:]] != [MANIFEST, SIGNATURE]:
        raise RecordFormatError("1 not a container of this kind")
    listed = files[1:-2]
    if small[MANIFEST] != court_manifest(listed):
        raise RecordFormatError("2 the files are not the listed ones")
    signed = read_signed_message(small[SIGNATURE])
    _trust(signed.certificate, roots, "3 the signer is nobody you trust")
    if not signed.holds_over(hashlib.new(signed.digest_name, small[MANIFEST]).digest()):
        raise RecordFormatError("4 the signature does not hold")
    if signed.time_stamp is None:
        raise RecordFormatError("5 no time stamp")
    stamp = read_time_stamp(signed.time_stamp)
    _trust(stamp.signer, roots, "6 the time stamp is by nobody you trust")
    if stamp.imprint != hashlib.new(stamp.digest_name, signed.signature).digest():
        raise RecordFormatError("7 the time stamp is of another signature")
    life = signed.certificate.not_valid_before_utc, signed.certificate.not_valid_after_utc
    if not life[0] <= stamp.at <= life[1]:
        raise RecordFormatError("8 the signer's certificate was not valid then")
    return CourtFinding(None, len(listed), stamp.at.isoformat())


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
                raise RecordFormatError("0 the container is in another spelling") from error
            keep = name in (MIMETYPE, MANIFEST, SIGNATURE)
            crc, digest, left, kept = 0, hashlib.sha256(), size, b""
            while left and (block := container.read(min(BLOCK, left))):
                left, crc = left - len(block), zlib.crc32(block, crc)
                digest.update(block)
                kept += block if keep else b""
            file = CourtFile(name, size, crc, digest.digest())
            if left or head + name.encode() != local_header(file):
                raise RecordFormatError("0 the container is in another spelling")
            files.append(file)
            small |= {name: kept} if keep else {}
        begun = sum(len(local_header(file)) + file.size for file in files)
        container.seek(begun)
        if container.read(LARGEST) != directory(files):
            raise RecordFormatError("0 the container is in another spelling")
    return files, small
