"""Does the log still say what it said? Every leaf recomputed, every signed checkpoint held against it.

The auditor brings the checkpoint of the last audit (or a witness's, or one from a customer's proof): whatever was
signed then must be the beginning of what is there now.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from counter_server.records.errors import RecordError
from counter_server.records.examination import BrokenError, read_small
from counter_server.records.journal import JournalEntry
from counter_server.records.log import ledger
from counter_server.records.log.checkpoint import Checkpoint, open_checkpoint
from counter_server.records.log.errors import LogForkError, LogUnprovenError
from counter_server.records.log.files import LogFiles
from counter_server.records.log.merkle import Place, Tree, check_consistency, consistency_path, leaf_hash, root_of
from counter_server.records.log.note import Note
from counter_server.records.log.policy import Policy
from counter_server.records.log.tables import log_checkpoint, log_hash
from counter_server.records.log.tiles import TileReader
from counter_server.records.record import MANIFEST_FILE
from counter_server.records.store import RecordStore
from counter_server.records.tables import record

LEAVES_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that an audit looked at. `broken` names what does not hold, None when all does."""

    name: str
    good: str
    broken: str | None


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found, and the checkpoint that the next one takes up."""

    findings: tuple[Finding, ...]
    note: Note | None

    @property
    def first_broken(self) -> Finding | None:
        """The first thing that does not hold."""
        return next((finding for finding in self.findings if finding.broken is not None), None)


@dataclass(slots=True)
class Auditor:
    """Everything an audit looks into. Read-only: it may run beside the counter."""

    conn: Connection
    files: LogFiles
    policy: Policy
    store: RecordStore
    openings: tuple[JournalEntry, ...]

    def audit(self, since: Note | None) -> Audit:
        """Look at everything; `since` is a checkpoint that somebody kept."""
        tree, broken_leaf = self._rebuilt()
        newest = ledger.newest_note(self.conn)
        looks: tuple[tuple[str, str, Callable[[], str | None]], ...] = (
            ("leaves_lead_to_hashes", f"{tree.size} leaves", lambda: broken_leaf),
            ("records_have_leaves", "every record has its leaf, every leaf its record", self._lost_record),
            ("openings_have_leaves", f"{len(self.openings)} openings", self._lost_opening),
            ("checkpoints_continue_each_other", "every signed checkpoint holds", lambda: self._forked(tree)),
            ("tiles_lead_to_checkpoint", "tiles and checkpoint agree", lambda: self._wrong_tiles(tree)),
            ("witnesses_are_the_quorum", f"quorum {self.policy.quorum}", self._unwitnessed),
            ("continues_what_was_kept", "nothing was taken back", lambda: self._taken_back(tree, since)),
        )
        findings = []
        for name, good, look in looks:
            try:
                findings.append(Finding(name, good, look()))
            except (RecordError, BrokenError, OSError) as error:
                findings.append(Finding(name, good, str(error)))
        return Audit(tuple(findings), newest)

    def _rebuilt(self) -> tuple[Tree, str | None]:
        """The tree from entries and manifests as they lie there now, and the first leaf that is another one."""
        tree, broken = Tree(), None
        for leaf in self._leaves():
            if leaf.index != tree.size:
                return tree, f"leaf {tree.size} is missing"
            (stored,) = ledger.read_hashes(self.conn, (Place(0, leaf.index),))
            if broken is None and self._leaf_hash(leaf) != stored:
                broken = f"leaf {leaf.index} ({leaf.kind} {leaf.subject}) was changed"
            tree.append(stored)
        return tree, broken or self._wrong_hash(tree)

    def _wrong_hash(self, tree: Tree) -> str | None:
        """Inner hashes of the database against those of the tree."""
        expected = {
            ledger.number_of(Place(level, position)): hashed
            for level, row in enumerate(tree.levels)
            for position, hashed in enumerate(row)
        }
        rows = self.conn.execute(select(log_hash.c.number, log_hash.c.hash)).all()
        if len(rows) != len(expected) or any(expected.get(row.number) != row.hash for row in rows):
            return "hashes in the database are not those of its leaves"
        return None

    def _leaves(self) -> Iterator[ledger.Leaf]:
        size = ledger.size_of(self.conn)
        for start in range(0, size, LEAVES_AT_ONCE):
            yield from ledger.read_leaves(self.conn, start, start + LEAVES_AT_ONCE)

    def _leaf_hash(self, leaf: ledger.Leaf) -> bytes | None:
        if leaf.kind != ledger.RECORD:
            return None if leaf.entry is None else leaf_hash(leaf.entry)
        try:
            return leaf_hash(read_small(self.store.folder_of(leaf.subject) / MANIFEST_FILE))
        except (BrokenError, RecordError):
            return None

    def _lost_record(self) -> str | None:
        rows = {
            row.record_id: row.leaf_hash for row in self.conn.execute(select(record.c.record_id, record.c.leaf_hash))
        }
        for leaf in self._leaves():
            if leaf.kind == ledger.RECORD:
                registered = rows.pop(leaf.subject, None)
                if registered is None:
                    return f"leaf {leaf.index} is of a record that is not registered"
                if (registered,) != ledger.read_hashes(self.conn, (Place(0, leaf.index),)):
                    return f"{leaf.subject} is registered with another manifest than the log has"
        return f"{min(rows)} has no leaf" if rows else None

    def _lost_opening(self) -> str | None:
        leaves = [leaf for leaf in self._leaves() if leaf.kind == ledger.OPENING]
        if len(leaves) > len(self.openings):
            return f"{len(leaves)} openings are in the log and {len(self.openings)} in the list"
        for leaf, line in zip(leaves, self.openings, strict=False):  # the newest may wait for the counter
            if not ledger.commits_to(leaf, bytes.fromhex(line.hash)):
                return f"line {line.seq + 1} of the openings is another one than the log has"
        return None

    def _forked(self, tree: Tree) -> str | None:
        for row in self.conn.execute(select(log_checkpoint).order_by(log_checkpoint.c.size)):
            checkpoint = self._opened(Note.parse(row.note.encode()))
            if checkpoint.size > tree.size or root_of(tree.read, checkpoint.size) != checkpoint.root:
                return f"the checkpoint of {checkpoint.size} leaves has another history"
        return None

    def _wrong_tiles(self, tree: Tree) -> str | None:
        if not self.files.checkpoint.exists():
            return None if ledger.newest_note(self.conn) is None else "nothing is published"
        published = self._opened(Note.parse(self.files.checkpoint.read_bytes()))
        if published.size > tree.size or root_of(tree.read, published.size) != published.root:
            return "the published checkpoint has another history"
        reader = TileReader(self.files.folder, published.size)
        leaves = reader.read([Place(0, index) for index in range(published.size)])
        if list(leaves) != tree.levels[0][: published.size] or root_of(reader.read, published.size) != published.root:
            return "the tiles do not lead to the published checkpoint"
        return None

    def _unwitnessed(self) -> str | None:
        note = ledger.newest_note(self.conn)
        if note is None or self.policy.satisfied_by(self.policy.witnesses_of(note)):
            return None
        return f"the newest checkpoint has {len(self.policy.witnesses_of(note))} of {len(self.policy.witnesses)}"

    def _taken_back(self, tree: Tree, since: Note | None) -> str | None:
        if since is None:
            return None
        before = self._opened(since)
        if before.size > tree.size:
            raise LogForkError("the log is shorter than it was")
        path = consistency_path(tree.read, before.size, tree.size)
        check_consistency(before.size, tree.size, path, before.root, root_of(tree.read, tree.size))
        return None

    def _opened(self, note: Note) -> Checkpoint:
        for log in self.policy.logs:
            if note.signed_by(log) is not None:
                return open_checkpoint(note, log)
        raise LogUnprovenError("a checkpoint is not signed by this log")
