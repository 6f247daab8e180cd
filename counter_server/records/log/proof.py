"""A proof that needs nobody: leaf index, path, checkpoint, cosignatures (C2SP tlog-proof v1, `.tlog-proof`).

Checked with the standard library and `cryptography`, against a policy that the reader brings along.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from counter_server.records.log.checkpoint import Checkpoint, read_number
from counter_server.records.log.errors import LogFormatError
from counter_server.records.log.merkle import HASH_BYTES, check_inclusion
from counter_server.records.log.note import LARGEST_NOTE, Note, read_base64

HEADER = "c2sp.org/tlog-proof@v1"
LONGEST_PATH = 63  # a tree of 2^63 leaves, tlog-checkpoint


@dataclass(frozen=True, slots=True)
class Proof:
    """One leaf's way to a signed checkpoint."""

    index: int
    path: tuple[bytes, ...]
    note: Note

    def spelling(self) -> str:
        """The proof file."""
        return f"{HEADER}\nindex {self.index}\n{spell_hashes(self.path)}\n{self.note.spelling()}"

    @classmethod
    def parse(cls, stored: bytes) -> "Proof":
        """Read a proof file; `LogFormatError` for anything else. Nothing is believed yet."""
        if len(stored) > 2 * LARGEST_NOTE:
            raise LogFormatError("the proof is too large")
        head, gap, note = stored.partition(b"\n\n")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError as error:
            raise LogFormatError("not a proof of the log") from error
        if not gap or len(lines) < 2 or lines[0] != HEADER or not lines[1].startswith("index "):
            raise LogFormatError("not a proof of the log")  # "extra" lines are never ours and nothing signs them
        index = read_number(lines[1].removeprefix("index "))
        return cls(index, read_hashes(lines[2:]), Note.parse(note))

    def check_path(self, leaf: bytes, checkpoint: Checkpoint) -> None:
        """`LogUnprovenError` unless the path leads from this leaf hash to the checkpoint's root."""
        check_inclusion(leaf, self.index, checkpoint.size, self.path, checkpoint.root)


def spell_hashes(path: Sequence[bytes]) -> str:
    """One line per hash, base64."""
    return "".join(base64.b64encode(each).decode() + "\n" for each in path)


def read_hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    """The hashes of a proof; `LogFormatError` when one is none, or there are more than any tree needs."""
    hashes = tuple(read_base64(line) for line in lines)
    if len(hashes) > LONGEST_PATH or any(len(each) != HASH_BYTES for each in hashes):
        raise LogFormatError("not the hashes of a proof")
    return hashes
