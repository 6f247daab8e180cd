"""A stream of Matroska bytes, cut while it is written into files that only the recipient can open.

Each segment is an age v1 object of its own, begins at a cluster and is durable (file and directory synced) before it
counts. A crash loses the segment under way and nothing else. Encryption, hashing and fsync happen in threads, so a
slow disk never delays a packet.
"""

import asyncio
import errno
import hashlib
import mmap
import os
import re
import threading
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from webrtc.agewriter import AgeRecipient, SealingFile
from webrtc.errors import RecordingFailedError

# What a crash may cost.
SEGMENT_S = 4.0
# At the 2.5 Mbit/s cap 4 s are 1.25 MB: this only bounds memory for something unforeseen.
SEGMENT_BYTES = 2 << 20
# 64 segments are over 4 minutes of one call, or 10 s of 25 calls; beyond that the segments under way grow instead.
WAITING_SEGMENTS = 64
# Matroska's Cluster element (RFC 9559 §5.1.3): where a reader can start.
CLUSTER_ID = b"\x1f\x43\xb6\x75"
# Encryption, hashing and writing run without Python's lock, so two cores take two segments at a time and the disk a
# third and a fourth. One segment of 2 MB costs 2.7 ms of CPU, 1.4 of them the hash, so one thread could not keep up
# with half of SHA-256's own speed.
SEALERS = 4
# fsync is waiting, and those who wait together share one commit of the file system's journal: one thread after another
# made twice as long of it. As many wait for a sealer as for the disk.
SYNCERS = 2 * SEALERS
# Writing past the page cache wants addresses and lengths of whole blocks; 4096 satisfies every disk in use (open(2)).
BLOCK = 4096
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class SealedSegment:
    """One durable encrypted file."""

    filename: str
    size: int
    sha256: str


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


@dataclass(frozen=True, slots=True)
class _Written:
    """A segment whose bytes were handed to the disk under a temporary name, not yet synced."""

    segment: SealedSegment
    descriptor: int
    partial: Path


@dataclass(frozen=True, slots=True)
class _Pending:
    """A segment on its way: content `synced` under a temporary name, then `durable` under its own."""

    folder: Path
    synced: Future[_Written]
    durable: Future[SealedSegment]


class SegmentWriter:
    """The threads that seal and write for every recording of one worker.

    Several segments are encrypted, hashed and synced at once; one thread names them in the order they came, all that
    are ready with one sync of their folder, so that a power cut never leaves a later segment without an earlier one.
    """

    def __init__(self) -> None:
        self._sealers = ThreadPoolExecutor(max_workers=SEALERS, thread_name_prefix="seal")
        self._syncers = ThreadPoolExecutor(max_workers=SYNCERS, thread_name_prefix="sync")
        self._keeper = ThreadPoolExecutor(max_workers=1, thread_name_prefix="name")
        self._order: deque[_Pending] = deque()
        self._waiting: set[Future[SealedSegment]] = set()

    @property
    def has_room(self) -> bool:
        """Whether another segment may queue; evidence never drops, so callers keep it until then."""
        return len(self._waiting) < WAITING_SEGMENTS

    def submit(
        self, folder: Path, filename: str, recipient: AgeRecipient, clear: bytes | bytearray
    ) -> Future[SealedSegment]:
        """Seal and write; the future is done when the file is durable, or holds an OSError. `clear` is the writer's."""
        written = self._sealers.submit(self._seal, folder, filename, recipient, clear)
        pending = _Pending(folder, self._syncers.submit(_sync, written), Future())
        self._waiting.add(pending.durable)
        pending.durable.add_done_callback(self._waiting.discard)
        self._order.append(pending)
        self._keeper.submit(self._keep_ready)
        return pending.durable

    def close(self) -> None:
        """Wait for what is queued and end the threads."""
        self._sealers.shutdown(wait=True)
        self._syncers.shutdown(wait=True)
        self._keeper.shutdown(wait=True)

    @staticmethod
    def _seal(folder: Path, filename: str, recipient: AgeRecipient, clear: bytes | bytearray) -> _Written:
        """In a sealer's thread: encrypt, hash, write."""
        file = SealingFile.begin(clear, recipient)
        buffer = _buffer(file.size)
        sealed = memoryview(buffer)[: file.size]
        file.write_into(sealed)
        segment = SealedSegment(filename, file.size, hashlib.sha256(sealed).hexdigest())
        partial = folder / f".{filename}.part"
        return _Written(segment, _write_past_the_cache(partial, buffer, file.size), partial)

    def _keep_ready(self) -> None:
        """In the keeper's thread: the oldest segment and those behind it that are ready too. One call per segment."""
        if not self._order:
            return  # an earlier call took this one's segment along
        batch = [self._order.popleft()]
        while self._order and self._order[0].synced.done():
            batch.append(self._order.popleft())
        named = [(pending, segment) for pending in batch if (segment := _name(pending)) is not None]
        for folder in {pending.folder for pending, _ in named}:
            here = [(pending, segment) for pending, segment in named if pending.folder == folder]
            try:
                _sync_folder(folder)
            except OSError as error:
                _refuse((pending for pending, _ in here), error)
            else:
                for pending, segment in here:
                    pending.durable.set_result(segment)


_buffers = threading.local()


def _buffer(size: int) -> mmap.mmap:
    """This thread's own memory, whole blocks at a block's border. Reused: fresh pages cost as much as the hash."""
    mine: mmap.mmap | None = getattr(_buffers, "mine", None)
    if mine is None or len(mine) < size:
        mine = _buffers.mine = mmap.mmap(-1, -(-size // BLOCK) * BLOCK)
    return mine


def _write_past_the_cache(path: Path, buffer: mmap.mmap, size: int) -> int:
    """A new file with the buffer's first `size` bytes, as an open descriptor. Nobody reads a segment before its seal.

    Past the page cache, because copying 2 MB into it takes 1.8 ms of CPU, and handing them to the disk 0.3.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    try:
        descriptor, length = os.open(path, flags | os.O_DIRECT, 0o600), -(-size // BLOCK) * BLOCK
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system in memory, say, has no way past the cache
            raise
        descriptor, length = os.open(path, flags, 0o600), size
    try:
        left = memoryview(buffer)[:length]
        while left:
            left = left[os.write(descriptor, left) :]
        if length > size:
            os.ftruncate(descriptor, size)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _sync(written: Future[_Written]) -> _Written:
    """In a syncer's thread: wait for the sealer, then for the disk."""
    file = written.result()
    try:
        os.fsync(file.descriptor)
    finally:
        os.close(file.descriptor)
    return file


def _name(pending: _Pending) -> SealedSegment | None:
    """Give a synced segment its name; its folder is the caller's to sync. None when its future failed."""
    try:
        file = pending.synced.result()
        file.partial.rename(pending.folder / file.segment.filename)
    except OSError as error:
        pending.durable.set_exception(error)
        return None
    return file.segment


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse(batch: Iterable[_Pending], error: OSError) -> None:
    for pending in batch:
        pending.durable.set_exception(error)


class SealedStream:
    """A write-only file for the muxer. Each write is whole clusters, so cuts fall between them."""

    def __init__(self, folder: Path, stem: str, recipient: str, writer: SegmentWriter):
        self.stem = stem
        self._folder = folder
        self._recipient = AgeRecipient.parse(recipient)
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
        self._futures.append(self._writer.submit(self._folder, filename, self._recipient, self._pending))
        self._pending = bytearray()  # the writer keeps the old one: a copy would cost as much as half the cipher
        self._began_s = None

    async def finish(self) -> tuple[SealedSegment, ...]:
        """Seal the rest and return when every segment is durable; raise `RecordingFailedError` if one is not."""
        if self._pending:
            self._cut()
        try:
            return tuple([await asyncio.wrap_future(future) for future in self._futures])
        except OSError as error:
            raise RecordingFailedError(
                f"a segment of {self.stem} could not be written: {type(error).__name__}"
            ) from error
