"""The log beside everything else: at start and at most every second, what was committed is signed and published."""

import asyncio
import logging

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from counter_server.records import service as records
from counter_server.records.custodian import open_log_key
from counter_server.records.errors import RecordError
from counter_server.records.journal import JournalEntry
from counter_server.records.log import ledger
from counter_server.records.log.checkpoint import Checkpoint, with_signatures
from counter_server.records.log.cosigning import ask_witness
from counter_server.records.log.errors import LogError
from counter_server.records.log.files import LogFiles
from counter_server.records.log.merkle import consistency_path
from counter_server.records.log.note import LogKey, Note
from counter_server.records.log.policy import Policy, Witness
from counter_server.records.log.publishing import Publisher
from counter_server.records.log.tiles import TileReader
from counter_server.records.openings import read_openings
from counter_server.visits.office import Office
from counter_server.visits.receipts import hand_out_proofs

log = logging.getLogger(__name__)

EVERY_S = 1.0  # a customer's proof is there two seconds after signing
AFTER_TROUBLE_S = 30.0  # a full disk or a fork is not mended within a second; the message should not fill the log


async def publish_log(office: Office) -> None:
    """Publish until cancelled. Trouble is told and tried again; records go on being sealed and keep their leaves."""
    publishing: LogPublishing | None = None
    while True:
        pause_s = EVERY_S
        try:
            if publishing is None:
                publishing = await asyncio.to_thread(LogPublishing.begin, office)
                await office.db.run(records.append_missing_leaves)
            while await publishing.publish_checkpoint():
                pass
            await hand_out_proofs(office)
        except (RecordError, SQLAlchemyError, OSError) as error:
            log.error("the log was not published: %s: %s", type(error).__name__, error)
            publishing, pause_s = None, AFTER_TROUBLE_S  # a token that came back wants to be opened anew
        await asyncio.sleep(pause_s)


class LogPublishing:
    """One office's log and what is known of its witnesses."""

    def __init__(self, office: Office, publisher: Publisher, policy: Policy) -> None:
        self._office = office
        self._publisher = publisher
        self._policy = policy
        self._remembered: dict[str, int] = {}  # size that each witness cosigned last
        self._openings_size = -1

    @classmethod
    def begin(cls, office: Office) -> "LogPublishing":
        """Key and policy of this home, made at the first start. Blocking."""
        files = LogFiles(office.settings.home)
        return cls(office, Publisher(files, open_log_key(files, office.settings.signing)), files.read_policy())

    @property
    def files(self) -> LogFiles:
        """Where the log lies."""
        return self._publisher.files

    @property
    def key(self) -> LogKey:
        """What it signs with."""
        return self._publisher.key

    async def publish_checkpoint(self) -> bool:
        """Publish what is committed, have it cosigned; whether more is waiting already."""
        await self._log_openings()
        publication = await self._office.db.run(self._publisher.prepare)
        if publication is None:
            return False
        await asyncio.to_thread(self._publisher.put, publication)
        if not publication.more and self._policy.witnesses:
            await self._cosign(publication.note, publication.checkpoint)
        return publication.more

    async def _log_openings(self) -> None:
        """Leaves for openings that the command line noted since."""
        path = self.files.home / "openings.jsonl"
        size = path.stat().st_size if path.exists() else 0
        if size == self._openings_size:
            return
        try:
            openings: tuple[JournalEntry, ...] = await asyncio.to_thread(read_openings, path)
            await self._office.db.run(ledger.append_openings, openings)
        except RecordError as error:  # a damaged list must not keep records from being published
            log.error("openings could not be taken into the log: %s", error)
        self._openings_size = size

    async def _cosign(self, note: Note, checkpoint: Checkpoint) -> None:
        """Ask all witnesses at once, so that one who is away does not keep the next checkpoint waiting for long."""
        answers = await asyncio.gather(*(self._ask(each, note, checkpoint) for each in self._policy.witnesses))
        cosigned = with_signatures(note, tuple(line for answer in answers for line in answer.signatures))
        witnessed = self._policy.satisfied_by(self._policy.witnesses_of(cosigned))

        def keep(connection: Connection) -> None:
            ledger.keep_cosigned(connection, checkpoint, cosigned, witnessed=witnessed)

        await self._office.db.run(keep)
        await asyncio.to_thread(self._publisher.put_cosigned, cosigned, checkpoint)

    async def _ask(self, witness: Witness, note: Note, checkpoint: Checkpoint) -> Note:
        old = min(self._remembered.get(witness.name, 0), checkpoint.size)
        try:
            cosigned, size = await asyncio.to_thread(ask_witness, witness, note, checkpoint, old, self._prove)
        except LogError as error:
            log.warning("no cosignature: %s", error)
            return note
        self._remembered[witness.name] = size
        return cosigned

    def _prove(self, old: int, new: int) -> tuple[bytes, ...]:
        """From the published tiles: this runs in a thread, which may outlive the database by some seconds."""
        return consistency_path(TileReader(self.files.folder, new).read, old, new)
