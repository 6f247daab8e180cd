"""A stream of Matroska bytes, cut while it is written into files that only the recipient can open.

Each segment is an age v1 object of its own, begins at a cluster and is durable (file and directory synced) before it
counts. A crash loses the segment under way and nothing else. Encryption, hashing and fsync happen in one thread, so a
slow disk never delays a packet.
"""

import asyncio
import hashlib
import os
import re
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pyrage  # type: ignore[import-untyped]  # it ships no types

from webrtc.errors import RecordingFailedError

# What a crash may cost.
SEGMENT_S = 4.0
# At the 2.5 Mbit/s cap 4 s are 1.25 MB: this only bounds memory for something unforeseen.
SEGMENT_BYTES = 2 << 20
# 64 segments are over 4 minutes of one call, or 10 s of 25 calls; beyond that the segments under way grow instead.
WAITING_SEGMENTS = 64
# Matroska's Cluster element (RFC 9559 §5.1.3): where a reader can start.
CLUSTER_ID = b"\x1f\x43\xb6\x75"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class SealedSegment:
    """One durable encrypted file."""

    filename: str
    size: int
    sha256: str


def read_recipient(text: str) -> pyrage.x25519.Recipient:
    """The age recipient ("age1…"), or `RecordingFailedError`."""
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError as error:
        raise RecordingFailedError("the recipient is no age X25519 public key") from error


def check_name(name: str) -> str:
    """The name, or `RecordingFailedError` when it could leave the folder or collide with a part's name."""
    if not _NAME.fullmatch(name):
        raise RecordingFailedError("a recording's name has 1 to 64 letters, digits, hyphens and underscores")
    return name


def segment_name(stem: str, number: int) -> str:
    """File name of a segment; names sort in the order of the stream."""
    return f"{stem}-{number:04d}.mkv.age"


def segments_on_disk(folder: Path, stem: str) -> list[Path]:
    """Durable segments of this stem, in order."""
    pattern = re.compile(re.escape(stem) + r"-\d{4,}\.mkv\.age")
    return sorted((path for path in folder.iterdir() if pattern.fullmatch(path.name)), key=lambda path: path.name)


def stems_on_disk(folder: Path, name: str) -> list[str]:
    """Stems of this recording's parts: the name itself, then name.2, name.3 … after each crash."""
    stems: list[str] = []
    while folder.is_dir() and segments_on_disk(folder, stem := name if not stems else f"{name}.{len(stems) + 1}"):
        stems.append(stem)
    return stems


def free_stem(folder: Path, name: str) -> str:
    """A stem no earlier process has written under."""
    taken = len(stems_on_disk(folder, name))
    return name if taken == 0 else f"{name}.{taken + 1}"


def hash_segment(path: Path) -> SealedSegment:
    """A segment as it is on disk."""
    sealed = path.read_bytes()
    return SealedSegment(path.name, len(sealed), hashlib.sha256(sealed).hexdigest())


def write_durably(folder: Path, filename: str, content: bytes) -> None:
    """Write to a temporary name, sync, rename, sync the directory: the file is whole or absent after a power cut."""
    partial = folder / f".{filename}.part"
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(folder / filename)
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


class SegmentWriter:
    """The thread that seals and writes for every recording of one worker."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="seal")
        self._waiting: set[Future[SealedSegment]] = set()

    @property
    def has_room(self) -> bool:
        """Whether another segment may queue; evidence never drops, so callers keep it until then."""
        return len(self._waiting) < WAITING_SEGMENTS

    def submit(
        self, folder: Path, filename: str, recipient: pyrage.x25519.Recipient, clear: bytes
    ) -> Future[SealedSegment]:
        """Seal and write; the future is done when the file is durable, or holds an OSError or pyrage error."""
        future = self._thread.submit(self._seal, folder, filename, recipient, clear)
        self._waiting.add(future)
        future.add_done_callback(self._waiting.discard)
        return future

    def close(self) -> None:
        """Wait for what is queued and end the thread."""
        self._thread.shutdown(wait=True)

    @staticmethod
    def _seal(folder: Path, filename: str, recipient: pyrage.x25519.Recipient, clear: bytes) -> SealedSegment:
        """In the thread: encrypt, write, sync, hash."""
        sealed = pyrage.encrypt(clear, [recipient])
        write_durably(folder, filename, sealed)
        return SealedSegment(filename, len(sealed), hashlib.sha256(sealed).hexdigest())


class SealedStream:
    """A write-only file for the muxer. Each write is whole clusters, so cuts fall between them."""

    def __init__(self, folder: Path, stem: str, recipient: str, writer: SegmentWriter):
        self.stem = stem
        self._folder = folder
        self._recipient = read_recipient(recipient)
        self._writer = writer
        self._pending = bytearray()
        self._began_s: float | None = None
        self._now_s = 0.0
        self._futures: list[Future[SealedSegment]] = []

    def write(self, chunk: bytes) -> int:
        """Take bytes from the muxer."""
        if bytes(chunk[:4]) == CLUSTER_ID:
            self._cut_if_due()
        if self._began_s is None:
            self._began_s = self._now_s
        self._pending += chunk
        return len(chunk)

    def tick(self, now_s: float) -> None:
        """Tell the time; seals what has waited long enough even when nothing arrives any more."""
        self._now_s = now_s
        self._cut_if_due()

    def _cut_if_due(self) -> None:
        """End the segment when it is old or large enough and the writer can take it."""
        if self._began_s is None or not self._pending:
            return
        due = self._now_s - self._began_s >= SEGMENT_S or len(self._pending) >= SEGMENT_BYTES
        if due and self._writer.has_room:
            self._cut()

    def _cut(self) -> None:
        """Hand the segment under way to the writer."""
        filename = segment_name(self.stem, len(self._futures))
        self._futures.append(self._writer.submit(self._folder, filename, self._recipient, bytes(self._pending)))
        self._pending.clear()
        self._began_s = None

    async def finish(self) -> tuple[SealedSegment, ...]:
        """Seal the rest and return when every segment is durable; raise `RecordingFailedError` if one is not."""
        if self._pending:
            self._cut()
        try:
            return tuple([await asyncio.wrap_future(future) for future in self._futures])
        except (OSError, pyrage.EncryptError) as error:
            raise RecordingFailedError(
                f"a segment of {self.stem} could not be written: {type(error).__name__}"
            ) from error
