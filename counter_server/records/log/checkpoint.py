"""Checkpoints (C2SP tlog-checkpoint): the log's signed word on how many leaves it has and what their root is."""

import base64
from dataclasses import dataclass

from counter_server.records.log.errors import LogFormatError, LogUnprovenError
from counter_server.records.log.merkle import HASH_BYTES, LARGEST_TREE
from counter_server.records.log.note import LogKey, Note, Signature, VerifierKey, is_key_name, read_base64


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One state of a log."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read a note's text; `LogFormatError` when it is no checkpoint. Extension lines are not ours: refused."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not is_key_name(lines[0]):
            raise LogFormatError("not a checkpoint of this log")
        size, root = read_number(lines[1]), read_base64(lines[2])
        if size > LARGEST_TREE or len(root) != HASH_BYTES:
            raise LogFormatError("not a checkpoint of this log")
        return cls(lines[0], size, root)

    def sign(self, key: LogKey) -> Note:
        """The checkpoint under the log's own signature."""
        if key.name != self.origin:
            raise ValueError("a log signs under its origin")
        return Note.parse((self.text() + "\n" + key.sign(self.text())).encode())


def open_checkpoint(note: Note, log: VerifierKey) -> Checkpoint:
    """What a note says, once the log's signature under it holds; `LogUnprovenError` or `LogFormatError` otherwise."""
    if note.signed_by(log) is None:
        raise LogUnprovenError("the log's signature is missing")
    checkpoint = Checkpoint.parse(note.text)
    if checkpoint.origin != log.name:
        raise LogUnprovenError("the checkpoint is of another log")
    return checkpoint


def with_signatures(note: Note, added: tuple[Signature, ...]) -> Note:
    """The note with more signatures under it; who signed twice stands once, with the newer one."""
    known = {(each.name, each.key_id): each for each in (*note.signatures, *added)}
    return Note(note.text, tuple(known.values()))


def read_number(spelling: str) -> int:
    """A decimal without signs or leading zeroes; `LogFormatError` otherwise."""
    if not spelling.isascii() or not spelling.isdigit() or len(spelling) > len(str(LARGEST_TREE)):
        raise LogFormatError("not a number")
    number = int(spelling)
    if str(number) != spelling:
        raise LogFormatError("a number in another spelling")
    return number
