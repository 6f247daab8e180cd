"""What the checks of one record hand to each other: what was read so far, and how to say "broken"."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from counter_server.records.agefile import AgeKeyring
from counter_server.records.record import OBJECT_FOLDER, OBJECT_SUFFIX, Manifest, RecordObject

LARGEST_SMALL_FILE = 8 * 1024 * 1024  # a manifest of an 8-hour recording in 4 s segments on 4 tracks has 7 MB
READ_BLOCK = 1024 * 1024


class BrokenError(Exception):
    """A check that failed, in words for the report."""


class UnreachableError(Exception):
    """A check that cannot be done because an earlier one failed."""


@dataclass(frozen=True, slots=True)
class OpenedObject:
    """What is kept of an opened object: its hash, its commitment, and the content only of small bookkeeping."""

    sha256: str
    commitment: str | None
    content: bytes | None
    cluster_at: int | None  # of a recorded piece: where its first Matroska cluster begins, and when
    cluster_ms: int | None


@dataclass(slots=True)
class Examination:
    """One record under examination; the fields fill as the checks pass."""

    folder: Path
    trust_pem: bytes
    identity: AgeKeyring | None
    manifest_bytes: bytes | None = None
    signature: bytes | None = None
    certificate_pem: bytes | None = None
    certificate_named: bool = False
    manifest_found: Manifest | None = None
    certificate_found: x509.Certificate | None = None
    public_key_found: object = None
    root_found: x509.Certificate | None = None
    clocks_pem: bytes | None = None  # the checker's own list of time stamp issuers
    log: object = None  # `log.examine.LogEvidence` when a proof was handed over
    salts: dict[str, str] = field(default_factory=dict)
    opened: dict[str, OpenedObject] = field(default_factory=dict)
    withheld: set[str] = field(default_factory=set)  # objects whose key was erased or not handed over

    @property
    def manifest(self) -> Manifest:
        """The manifest, or `UnreachableError` when it could not be read."""
        if self.manifest_found is None:
            raise UnreachableError("the manifest could not be read")
        return self.manifest_found

    @property
    def certificate(self) -> x509.Certificate:
        """The server's certificate, or `UnreachableError`."""
        if self.certificate_found is None:
            raise UnreachableError("the certificate could not be read")
        return self.certificate_found

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The certificate's key; `BrokenError` when it is no elliptic curve key."""
        key = self.public_key_found
        if key is None:
            raise UnreachableError("the certificate could not be read")
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise BrokenError("the certificate holds a key of another kind")
        return key

    def object_path(self, item: RecordObject) -> Path:
        """Where an object lies."""
        return self.folder / OBJECT_FOLDER / f"{item.sha256}{OBJECT_SUFFIX}"

    def opened_object(self, name: str) -> OpenedObject:
        """An object opened by an earlier check, or `UnreachableError`."""
        if name not in self.opened:
            raise UnreachableError(f"{name} could not be opened")
        return self.opened[name]

    def content(self, name: str) -> bytes:
        """Content of a small bookkeeping object, or `UnreachableError`."""
        content = self.opened_object(name).content
        if content is None:
            raise BrokenError(f"{name} is of another class than its role says")
        return content


def read_blocks(path: Path) -> Iterator[bytes]:
    """A regular file in blocks; links, pipes and folders raise `BrokenError`."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise BrokenError(f"{path.name}: {error.strerror}") from error
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise BrokenError(f"{path.name} is not a regular file")
        while block := file.read(READ_BLOCK):
            yield block


def read_small(path: Path) -> bytes:
    """A regular file of bounded size."""
    content = bytearray()
    for block in read_blocks(path):
        content += block
        if len(content) > LARGEST_SMALL_FILE:
            raise BrokenError(f"{path.name} is too large")
    return bytes(content)
