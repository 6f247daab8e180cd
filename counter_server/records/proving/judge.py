"""What must hold after any power cut, kill or refused write. Judged from the files alone, by code no sabotage touches.

1. the database opens and is whole; 2. every acknowledged visit has its row; 3. every row has its key and a folder that
the verifier accepts, content included; 4. no visit has two rows; 5. a folder in its final place is never half a record;
6. the log has exactly one leaf per row, and both of its visit's, without holes.
"""

import hashlib
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from counter_server.records.errors import RecordError
from counter_server.records.home import SafeHome
from counter_server.records.keeping import KeepClass
from counter_server.records.keys import WrappedKey
from counter_server.records.log import ledger
from counter_server.records.masters import FileMasterKeys
from counter_server.records.proving.disk import DiskState, StoredFile
from counter_server.records.proving.sample import LEAVES_PER_VISIT, VISIT, sample_visit_id
from counter_server.records.slots import RecordSlots
from counter_server.records.verify import verify_record

HOME = SafeHome(Path())
DATABASE = str(HOME.database)


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that does not hold."""

    kind: str  # lost | duplicate | broken | database
    why: str


@dataclass(frozen=True, slots=True)
class _Rows:
    visits: dict[str, str]  # record number to visit
    slots: dict[str, RecordSlots]
    log_agrees: bool


@dataclass(slots=True)
class Judge:
    """Remembers verdicts by content: thousands of states share most of their files."""

    scratch: Path
    _databases: dict[tuple[bytes, bytes], _Rows | None] = field(default_factory=dict)
    _records: dict[tuple[object, ...], str | None] = field(default_factory=dict)

    def flaws(self, state: DiskState, acknowledged: Iterable[int]) -> list[Flaw]:
        """Everything that does not hold in this state; nothing when the safe kept its word."""
        promised = {sample_visit_id(number) for number in acknowledged}
        rows = self._read_database(state)
        if rows is None:
            return [Flaw("database", "the database is damaged")] if promised or DATABASE in state.files else []
        flaws = [] if rows.log_agrees else [Flaw("broken", "rows and leaves of the log differ")]
        spoken = Counter(visit.split("~")[0] for visit in rows.visits.values())
        flaws += [Flaw("lost", f"{visit} was acknowledged and has no row") for visit in sorted(promised - set(spoken))]
        flaws += [Flaw("duplicate", f"{visit} has {count} rows") for visit, count in spoken.items() if count > 1]
        for record_id, visit in rows.visits.items():
            why = self._judge_row(state, rows, record_id)
            if why is not None:
                kind = "lost" if visit.split("~")[0] in promised else "broken"
                flaws.append(Flaw(kind, f"a row's record: {why}"))
        for path in sorted(state.folders):
            parts = path.split("/")
            if len(parts) == 3 and parts[0] == "records" and parts[1].isdigit() and parts[2] not in rows.visits:
                why = self._judge_folder(state.below(path), state, None)
                if why is not None:
                    flaws.append(Flaw("broken", f"half a record in its final place: {why}"))
        return flaws

    def _judge_row(self, state: DiskState, rows: _Rows, record_id: str) -> str | None:
        slot = rows.slots.get(record_id)
        if slot is None or len(slot.kept) != len(KeepClass):
            return "its keys are not there"
        return self._judge_folder(state.below(f"records/{record_id[2:6]}/{record_id}"), state, slot)

    def _judge_folder(self, files: dict[str, StoredFile], state: DiskState, slot: RecordSlots | None) -> str | None:
        trust, master = state.files.get(str(HOME.trust_root)), state.files.get(str(HOME.master_key))
        if trust is None or master is None:
            return "trust root or master key is not there"
        key = (
            trust.sha256,
            master.sha256,
            slot,
            tuple(sorted((name, stored.sha256) for name, stored in files.items())),
        )
        if key not in self._records:
            self._records[key] = self._verify(files, trust, master, slot)
        return self._records[key]

    def _verify(
        self,
        files: dict[str, StoredFile],
        trust: StoredFile,
        master: StoredFile,
        slot: RecordSlots | None,
    ) -> str | None:
        with tempfile.TemporaryDirectory(dir=self.scratch) as name:
            folder = Path(name) / "record"
            folder.mkdir()
            DiskState(files, frozenset({"objects"})).write(folder)
            try:
                identity = None
                if slot is not None:
                    DiskState({"master.key": master}, frozenset()).write(Path(name))
                    identity = slot.open(FileMasterKeys.load(Path(name))).keyring()
                broken = verify_record(folder, trust.content, identity).first_broken
            except RecordError as error:
                return str(error)
        return None if broken is None else f"check {broken.number} {broken.name}"

    def _read_database(self, state: DiskState) -> _Rows | None:
        stored, log = state.files.get(DATABASE), state.files.get(DATABASE + "-wal")
        journal = state.files.get(DATABASE + "-journal")
        if stored is None:
            return None
        key = (stored.sha256, (log.sha256 if log else b"") + b"/" + (journal.sha256 if journal else b""))
        if key not in self._databases:
            with tempfile.TemporaryDirectory(dir=self.scratch) as name:
                wanted = {path: state.files[path] for path in state.files if path.startswith(DATABASE)}
                DiskState(wanted, frozenset()).write(Path(name))
                self._databases[key] = _read_rows(Path(name) / DATABASE)
        return self._databases[key]


def _read_rows(path: Path) -> _Rows | None:
    """Rows and slots after SQLite's own recovery; None for a damaged file. No tables yet is an empty safe."""
    connection = sqlite3.connect(path)
    try:
        if connection.execute("pragma integrity_check").fetchone()[0] != "ok":
            return None
        if not connection.execute("select 1 from sqlite_master where name = 'record_slot'").fetchone():
            return _Rows({}, {}, log_agrees=True)
        visits = dict(connection.execute("select record_id, visit_id from record").fetchall())
        customers = connection.execute("select customer_id, key_id, nonce, ciphertext from customer_slot").fetchall()
        slots = _read_slots(connection, {row[0]: WrappedKey(*row[1:]) for row in customers})
        leaves = connection.execute("select leaf_index, kind, subject from log_leaf order by leaf_index").fetchall()
        logged = sorted(subject for _, kind, subject in leaves if kind == ledger.RECORD)
        told = Counter(subject for _, kind, subject in leaves if kind == VISIT)
        agrees = logged == sorted(visits) and all(told[record_id] == LEAVES_PER_VISIT for record_id in visits)
        agrees = agrees and [index for index, _, _ in leaves] == list(range(len(leaves)))
        return _Rows(visits, slots, agrees)
    except sqlite3.Error:
        return None
    finally:
        connection.close()


def _read_slots(connection: sqlite3.Connection, customers: dict[str, WrappedKey]) -> dict[str, RecordSlots]:
    found: dict[str, RecordSlots] = {}
    wanted = "select record_id, keep_class, customer_id, key_id, nonce, ciphertext from record_slot order by 1, 2"
    for record_id, kept, customer_id, *wrapped in connection.execute(wanted):
        before = found[record_id].kept if record_id in found else ()
        customer = None if customer_id is None else customers[customer_id]
        slot = (KeepClass(kept), WrappedKey(*wrapped))
        found[record_id] = RecordSlots(record_id, customer_id, customer, (*before, slot))
    return found


def state_of(home: Path) -> DiskState:
    """A real home's files as a state to judge, read while nobody writes."""
    files, folders = {}, set()
    for path in home.rglob("*"):
        if path.is_dir():
            folders.add(str(path.relative_to(home)))
        elif not path.name.endswith("-shm"):
            content = path.read_bytes()
            files[str(path.relative_to(home))] = StoredFile(content, hashlib.sha256(content).digest())
    return DiskState(files, frozenset(folders))
