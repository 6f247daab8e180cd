"""What a record says about a visit: the values of `record.json`, the signed manifest.

The manifest lies in the clear, so that anybody can check a record without opening it, and therefore holds no
personal data: the customer is "holder", clerks are their identifiers, and even the document's hash stays inside
(a PDF made from a template is guessable from its hash). Names, values, pictures and hashes of content are in the
encrypted objects; the manifest commits to each by the hash of its ciphertext and a salted hash of its content.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

FORMAT = "visual-counter-record/1"

MANIFEST_FILE = "record.json"
SIGNATURE_FILE = "record.sig"
CERTIFICATE_FILE = "server.pem"
OBJECT_FOLDER = "objects"
OBJECT_SUFFIX = ".age"

COMMITMENTS_OBJECT = "commitments.json"
JOURNAL_OBJECT = "journal.json"
CONTRACT_ROOT = "signature/contract-root.pem"  # where it is, the contract holds its signers' signatures itself
TIME_STAMP_ROOTS = "signature/time-stamp-roots.pem"  # where it is, whose time stamps the operator accepts
CLOCKS_POLICY = "time-stamp-roots-sha256:"  # the policy that names that list

# a name becomes a path when a record is opened: plain letters, no way out of the folder
OBJECT_NAME = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*){0,4}")
LONGEST_NAME = 120
SHA256_HEX = re.compile(r"[0-9a-f]{64}")


class ObjectClass(StrEnum):
    """What an object is; retention and rights of opening will hang on it."""

    CONTRACT = "contract"
    EVIDENCE = "evidence"
    SIGNATURE = "signature"
    STATEMENT = "statement"
    JOURNAL = "journal"
    RECORDING = "recording"
    PORTRAIT = "portrait"
    PICTURE = "picture"
    FORM = "form"
    FINGER = "finger"  # templates for later visits
    COMMITMENTS = "commitments"


@dataclass(frozen=True, slots=True)
class RecordObject:
    """One encrypted file of the record."""

    name: str  # unique in the record, such as "contract.pdf" or "recording/customer/000003.webm"
    object_class: ObjectClass
    media_type: str
    sha256: str  # of the ciphertext; also the file's name
    size: int  # bytes of ciphertext
    plaintext_commitment: str | None  # SHA-256(salt || content), salt in commitments.json; null for adopted segments


@dataclass(frozen=True, slots=True)
class CheckEntry:
    """One named check of the visit, as the clerk saw it. `why` must not name the holder."""

    name: str
    outcome: str
    why: str
    clause: str


@dataclass(frozen=True, slots=True)
class FaceEntry:
    """What the face check came to. `fmr_upper` is a decimal in words ("0.001"): records hold no fractions."""

    verdict: str
    live: bool
    compared: bool
    fmr_upper: str | None
    comparisons: int | None
    engine: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Participant:
    """Who took part and when, by identifier: "holder" for the customer, clerk ids for the others."""

    role: str  # customer | clerk | approver
    actor: str
    joined_at: str
    left_at: str | None


@dataclass(frozen=True, slots=True)
class RecordingSegment:
    """One sealed piece of a track; `name` is its object's name and ends in its number, such as customer-0003.mkv.

    The times are on the track's clock, and null where nobody measured them (the clusters inside tell).
    """

    name: str
    index: int
    start_ms: int | None = None
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True)
class RecordingGap:
    """A stretch in which nothing arrived and nothing was recorded."""

    start_ms: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class RecordedTrack:
    """One side's pictures or sound, as good as they were."""

    side: str  # customer | clerk
    kind: str  # video | audio | both
    started_at: str
    frames: int
    fps_milli: int  # frames per 1000 s: 24.97 fps is 24970
    duration_ms: int
    gaps: tuple[RecordingGap, ...]
    segments: tuple[RecordingSegment, ...]
    complete: bool = True  # false: left by a crash; what is there is sound, its figures are unknown (zero)


@dataclass(frozen=True, slots=True)
class SignatureEntry:
    """One person's signature: which document object, whose, and where statement and strokes lie."""

    role: str
    actor: str
    signed_at: str
    document_object: str
    statement_object: str
    strokes_object: str | None


@dataclass(frozen=True, slots=True)
class Signer:
    """Which server certificate signed the manifest: SHA-256 of the file `server.pem`."""

    certificate_sha256: str
    algorithm: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything a stranger may know about the visit, and the hashes that hold the rest."""

    format: str
    record_id: str
    visit_id: str
    service_id: str
    outcome: str  # done | refused | cancelled | interrupted
    reason: str | None
    channel: str
    language: str
    assurance: str
    opened_at: str
    sealed_at: str
    checks: tuple[CheckEntry, ...]
    face: FaceEntry | None
    participants: tuple[Participant, ...]
    signatures: tuple[SignatureEntry, ...]
    recordings: tuple[RecordedTrack, ...]
    journal_object: str
    journal_head: str  # hash of the journal's last entry
    software: dict[str, str]
    policies: tuple[str, ...]
    objects: tuple[RecordObject, ...]
    signer: Signer

    def first_flaw(self) -> str | None:
        """What the shape alone cannot say: hashes look like hashes, names are unique, references lead somewhere."""
        names = [item.name for item in self.objects]
        if self.format != FORMAT:
            return "a format this checker does not know"
        if len(set(names)) != len(names) or len({item.sha256 for item in self.objects}) != len(names):
            return "two objects share a name or a file"
        for item in self.objects:
            if not OBJECT_NAME.fullmatch(item.name) or len(item.name) > LONGEST_NAME:
                return "an object's name is not allowed"
            if not SHA256_HEX.fullmatch(item.sha256) or not SHA256_HEX.fullmatch(item.plaintext_commitment or "0" * 64):
                return f"{item.name}: not a SHA-256"
        wanted = [self.journal_object, COMMITMENTS_OBJECT]
        for signature in self.signatures:
            wanted += [signature.document_object, signature.statement_object]
            wanted += [signature.strokes_object] if signature.strokes_object else []
        lost = [name for name in wanted if name not in names]
        return f"{lost[0][:LONGEST_NAME]} is referred to and not among the objects" if lost else None
