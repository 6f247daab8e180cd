"""The folder of the safe: records that are whole, drafts that may be swept, segments that wait for their seal.

<root>/<yyyy>/<record_id>/        sealed, never written again
<root>/.writing/<record_id>/      a draft; nothing refers to it
<root>/.recording/<record_id>/    segments the media worker sealed while recording; linked into the record at sealing
<root>/.unclaimed/…               whole records that no row refers to: set aside, never deleted
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from counter_server.records.codes import is_record_id
from counter_server.records.durable import make_folder, sync_folder
from counter_server.records.errors import RecordExistsError, RecordUnknownError, StoreError
from counter_server.records.record import OBJECT_FOLDER
from counter_server.records.tables import record, record_slot

WRITING, RECORDING, UNCLAIMED = ".writing", ".recording", ".unclaimed"


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What a sweep found. `waiting` and `missing` ask for somebody's attention; the rest is tidied."""

    drafts_removed: int
    recordings_removed: int  # leftovers of sealed records, or segments whose key was never stored
    unclaimed: tuple[str, ...]  # whole records without a row, set aside
    waiting: tuple[str, ...]  # segments with a key and no record: interrupted visits that can still be sealed
    missing: tuple[str, ...]  # rows whose folder is gone


@dataclass(frozen=True, slots=True)
class RecordStore:
    """The folder of the safe and the root certificate its records are checked against."""

    root: Path
    trust_root: Path

    def folder_of(self, record_id: str) -> Path:
        """Where a sealed record lies, whether or not it is there. Refuses what is no record number."""
        if not is_record_id(record_id):
            raise RecordUnknownError("not a record number")
        return self.root / record_id[2:6] / record_id

    def recording_folder(self, record_id: str) -> Path:
        """A durable private folder for the segments of a visit that is being recorded."""
        folder = self.root / RECORDING / self.folder_of(record_id).name
        make_folder(folder)
        return folder

    def begin(self, record_id: str) -> Path:
        """An empty draft folder with its folder of objects; a left-over draft of the same number goes."""
        if self.folder_of(record_id).exists():
            raise RecordExistsError(f"{record_id} is sealed already")
        draft = self.root / WRITING / record_id
        if draft.exists():
            shutil.rmtree(draft)
        make_folder(draft / OBJECT_FOLDER)
        return draft

    def commit(self, record_id: str) -> Path:
        """Put a synced draft in its place in one step, and make that durable."""
        draft, final = self.root / WRITING / record_id, self.folder_of(record_id)
        sync_folder(draft / OBJECT_FOLDER)
        sync_folder(draft)
        make_folder(final.parent)
        if final.exists():
            raise RecordExistsError(f"{record_id} is sealed already")
        try:
            draft.rename(final)
        except OSError as error:
            raise StoreError(f"the draft could not be put in place: {error.strerror}") from error
        sync_folder(final.parent)
        sync_folder(draft.parent)
        return final

    def holds_recording(self, record_id: str) -> bool:
        """Whether segments wait for their record."""
        return (self.root / RECORDING / self.folder_of(record_id).name).exists()

    def release_recording(self, record_id: str) -> bool:
        """Drop the waiting segments once their record is sealed (it has its own links to them).

        Segments of a record that could not be sealed stay for the next start, which finds them `waiting`; then False.
        """
        folder = self.root / RECORDING / self.folder_of(record_id).name
        if not folder.exists():
            return True
        if not self.folder_of(record_id).exists() and any(folder.iterdir()):
            return False
        shutil.rmtree(folder)
        return True

    def sweep(self, conn: Connection) -> SweepReport:
        """Tidy after a crash. Only at start, before anything is recorded or sealed; nothing a row refers to goes."""
        rows = set(conn.execute(select(record.c.record_id)).scalars())
        slots = set(conn.execute(select(record_slot.c.record_id)).scalars())
        drafts = [*_children(self.root / WRITING)]
        for draft in drafts:
            shutil.rmtree(draft)
        removed, waiting = 0, []
        for folder in [*_children(self.root / RECORDING)]:
            if folder.name in slots and folder.name not in rows:
                waiting.append(folder.name)
            else:
                shutil.rmtree(folder)
                removed += 1
        unclaimed = [folder for folder in self._sealed() if folder.name not in rows]
        for folder in unclaimed:
            self._set_aside(folder)
        missing = tuple(sorted(row for row in rows if not self.folder_of(row).is_dir()))
        names = tuple(sorted(folder.name for folder in unclaimed))
        return SweepReport(len(drafts), removed, names, tuple(sorted(waiting)), missing)

    def set_aside_unclaimed(self, conn: Connection, record_id: str) -> bool:
        """Make room to seal again after a seal whose row was never committed; False when a row claims the folder."""
        claimed = conn.execute(select(record.c.record_id).where(record.c.record_id == record_id)).first()
        folder = self.folder_of(record_id)
        if claimed is not None or not folder.exists():
            return False
        self._set_aside(folder)
        return True

    def _sealed(self) -> Iterator[Path]:
        for year in _children(self.root):
            if year.name.isdigit():
                yield from (folder for folder in _children(year) if is_record_id(folder.name))

    def _set_aside(self, folder: Path) -> None:
        make_folder(self.root / UNCLAIMED)
        taken = set(os.listdir(self.root / UNCLAIMED))
        number = next(number for number in range(len(taken) + 1) if f"{folder.name}.{number}" not in taken)
        folder.rename(self.root / UNCLAIMED / f"{folder.name}.{number}")
        sync_folder(self.root / UNCLAIMED)
        sync_folder(folder.parent)


def _children(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(child for child in folder.iterdir() if child.is_dir() and not child.is_symlink())
