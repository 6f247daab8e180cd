"""Reading the middle of a big age file without its beginning: only the chunks that hold the wanted bytes are opened.

age v1 seals chunks of 64 KiB with a counter in each nonce, so every chunk can be opened and trusted by itself. The last
one is opened first: without it nobody could tell a whole file from one that was cut at a chunk's border.
"""

from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from counter_server.records.agefile import CHUNK, LARGEST_HEADER, TAG, AgeIdentity
from counter_server.records.errors import RecordFormatError, WrongKeyError

NONCE = 16  # age v1, "Payload"


class AgeReader:
    """An open age file with its key; `size` is the content's length. The caller closes the file."""

    def __init__(self, identity: AgeIdentity, file: BinaryIO) -> None:
        """Read the header and prove the end; `WrongKeyError` or `RecordFormatError` when either does not hold."""
        file.seek(0)
        header = file.read(LARGEST_HEADER + NONCE)
        key, payload_at = identity.payload_key(header)
        self._file, self._payload_at = file, payload_at
        self._cipher = ChaCha20Poly1305(key)
        length = file.seek(0, 2) - payload_at
        self._chunks = -(-length // (CHUNK + TAG))
        if self._chunks == 0:
            raise RecordFormatError("age file without payload")
        last = self._open(self._chunks - 1)
        if not last and self._chunks > 1:
            raise RecordFormatError("age file ends in an empty chunk")
        self.size = (self._chunks - 1) * CHUNK + len(last)

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes of content from `offset`; fewer at the end. `WrongKeyError` when a chunk was changed."""
        if offset < 0 or length < 0:
            raise ValueError("an offset and a length from 0")
        end = min(offset + length, self.size)
        if offset >= end:
            return b""
        first, last = offset // CHUNK, (end - 1) // CHUNK
        content = b"".join(self._open(index) for index in range(first, last + 1))
        return content[offset - first * CHUNK : end - first * CHUNK]

    def _open(self, index: int) -> bytes:
        self._file.seek(self._payload_at + index * (CHUNK + TAG))
        final = b"\x01" if index == self._chunks - 1 else b"\x00"
        try:
            return self._cipher.decrypt(index.to_bytes(11, "big") + final, self._file.read(CHUNK + TAG), None)
        except InvalidTag as error:
            raise WrongKeyError(f"age chunk {index} does not hold") from error
