"""Two people or nobody: a record's keys leave the safe sealed for one person, inside what is sealed for another.

The slot is made when it is asked for, out of the record's own slots, so that erasing those erases it too; a slot made
beforehand would lie in every backup. Each person holds an age key ("age1…", or "age1pq…" against quantum computers) and
opens their half with age's own tool.
"""

from dataclasses import dataclass
from pathlib import Path

from counter_server.records.durable import PRIVATE_FILE, make_folder, replace_file
from counter_server.records.errors import KeyFileError
from counter_server.records.keys import RecordKeys, read_private
from webrtc.agewriter import AgeRecipient, seal
from webrtc.errors import RecordingFailedError

HEADER = "visual-counter-escrow/1"


@dataclass(frozen=True, slots=True)
class EscrowPerson:
    """One of the two: a name for the list of openings, and a public key."""

    name: str
    recipient: str

    @classmethod
    def parse(cls, spelling: str) -> "EscrowPerson":
        """From NAME=age1…; `KeyFileError` when the key is none."""
        name, _, recipient = spelling.partition("=")
        try:
            AgeRecipient.parse(recipient)
        except RecordingFailedError as error:
            raise KeyFileError(f"escrow person {name or '?'}: {error}") from error
        if not name.isprintable() or not name.strip():
            raise KeyFileError("an escrow person needs a name")
        return cls(name, recipient)


@dataclass(frozen=True, slots=True)
class EscrowPair:
    """The two people."""

    first: EscrowPerson
    second: EscrowPerson

    @classmethod
    def of(cls, first: EscrowPerson, second: EscrowPerson) -> "EscrowPair":
        """Two different people with different keys, or `KeyFileError`."""
        if first.recipient == second.recipient or first.name == second.name:
            raise KeyFileError("escrow wants two different people")
        return cls(first, second)

    @classmethod
    def load(cls, path: Path) -> "EscrowPair | None":
        """The pair of this installation, if it has one; `KeyFileError` when the file is damaged."""
        if not path.exists():
            return None
        lines = read_private(path).decode(errors="replace").splitlines()
        if len(lines) != 3 or lines[0] != HEADER:
            raise KeyFileError(f"{path.name} is damaged")
        return cls.of(EscrowPerson.parse(lines[1]), EscrowPerson.parse(lines[2]))

    def save(self, path: Path) -> None:
        """From now on keys leave under these two only."""
        make_folder(path.parent)
        lines = (HEADER, *(f"{each.name}={each.recipient}" for each in (self.first, self.second)))
        replace_file(path, ("\n".join(lines) + "\n").encode(), PRIVATE_FILE)

    def slot(self, keys: RecordKeys) -> bytes:
        """The record's keys, which the first person opens, then the second."""
        inner = seal(keys.identity.encode() + b"\n", AgeRecipient.parse(self.second.recipient))
        return seal(inner, AgeRecipient.parse(self.first.recipient))
