"""Where an installation keeps its safe, all under one folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from counter_server.records.authority import TRUST_FILE

if TYPE_CHECKING:
    from counter_server.records.store import RecordStore


@dataclass(frozen=True, slots=True)
class SafeHome:
    """The files of the safe under the data home."""

    folder: Path

    @property
    def database(self) -> Path:
        """Rows and key slots."""
        return self.folder / "counter.sqlite3"

    @property
    def master_key(self) -> Path:
        """The key that opens every slot. Back it up apart from the database."""
        return self.folder / "keys" / "master.key"

    @property
    def escrow(self) -> Path:
        """Whose two keys a record's keys leave the safe under; without the file, one operator may take them out."""
        return self.sealing / "escrow"

    @property
    def sealing(self) -> Path:
        """Folder of the server's signing identity."""
        return self.folder / "keys"

    @property
    def trust_root(self) -> Path:
        """The certificate to hand to whoever checks records."""
        return self.sealing / TRUST_FILE

    @property
    def openings(self) -> Path:
        """Who opened which record and why; only ever appended to."""
        return self.folder / "openings.jsonl"

    def store(self) -> "RecordStore":
        """The folder of sealed records."""
        from counter_server.records.store import RecordStore  # noqa: PLC0415 - a database loads for half a second

        return RecordStore(self.folder / "records", self.trust_root)
