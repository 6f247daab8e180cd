"""The office: everything a visit needs, started together and stopped together."""

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from counter_server.calls.rooms import Calls
from counter_server.calls.seats import CUSTOMER, MAIN, Seat
from counter_server.catalogue.catalogue import Catalogue
from counter_server.config import Settings
from counter_server.db import Database
from counter_server.errors import CounterError
from counter_server.hub import CONSOLES, Hub, visit_topic
from counter_server.identification.chip import ChipQuestion
from counter_server.identification.continuity_calls import Noticed
from counter_server.identification.face_process import FaceFinding, Guide
from counter_server.identification.faces import FaceDesk, FaceEvent
from counter_server.identification.fingers import FingerDesk
from counter_server.identification.relay import Pairings
from counter_server.identification.signed_finger import load_scanner_makers
from counter_server.outbox.subscribers import read_outbox
from counter_server.people.clerks import PasswordGate
from counter_server.people.passkeys import Questions, relying_party
from counter_server.records.authority import SealingIdentity
from counter_server.records.keeping import read_keeping
from counter_server.records.masters import MasterKeys
from counter_server.records.store import RecordStore
from counter_server.signing.fonts import PrintFonts
from counter_server.signing.pool import SigningPool
from counter_server.visits import store
from counter_server.visits.call_identity import CallIdentity
from counter_server.visits.evidence import Evidence
from counter_server.visits.viewings import Viewings
from counter_server.visits.views import Versions
from hardware_drivers.id_chip.trust import TrustStore
from webrtc.engine import MediaEngine, PictureSampled
from webrtc.turn import TurnServer
from webrtc.wire.face import ContinuityCue, ContinuityState, Guidance
from webrtc.wire.message import ErrorCode

log = logging.getLogger(__name__)

MOST_GUIDANCE = 200


@dataclass(slots=True)
class FaceChallenge:
    """What one face attempt is drawn from, and whether any of it has been shown."""

    nonce: bytes
    seed: bytes
    shown: bool = False


@dataclass(slots=True)
class Presence:
    """When each page was last heard, by our own clock; a lease, not a status."""

    heard_s: dict[str, float] = field(default_factory=dict)

    def heard(self, who: str) -> None:
        """This page said something just now."""
        self.heard_s[who] = time.monotonic()

    def left(self, who: str) -> None:
        """This page was last heard by a counter that is no more."""
        self.heard_s[who] = float("-inf")

    def forget(self, who: str) -> None:
        """Nobody waits for this page any more."""
        self.heard_s.pop(who, None)

    def gone(self, who: str, limit_s: float) -> bool:
        """Whether nothing was heard of the page for so long, or ever."""
        heard_s = self.heard_s.get(who)
        return heard_s is None or time.monotonic() - heard_s > limit_s


class Office:
    """One running counter. Only the rooms of `visits` hold it."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        catalogue: Catalogue,
        trust: TrustStore,
        master: MasterKeys,
        sealing: SealingIdentity,
        safe: RecordStore,
        fonts: PrintFonts,
        engine: MediaEngine,
    ) -> None:
        self.settings = settings
        self.db = database
        self.catalogue = catalogue
        self.trust = trust
        self.master = master
        self.keeping = read_keeping(settings.home)
        self.outbox = read_outbox(settings.home)
        self.sealing = sealing
        self.safe = safe
        self.fonts = fonts
        self.signing = SigningPool(settings.keys, settings.signing)
        self.pdf_lock = asyncio.Lock()  # pdfium is not thread-safe
        self.hub = Hub()
        self.versions = Versions()
        self.passwords = PasswordGate(settings.patience)
        self.questions = Questions()
        self.phone_questions = Questions()  # apart: customers must not push the staff's questions out
        self.party = relying_party(settings.passkeys, settings.url)
        self.calls = Calls(engine, self._line_changed, self._picture)
        self.faces = FaceDesk(self._face_event, self._face_lost)
        self.fingers = FingerDesk()
        self.scanner_makers = load_scanner_makers(settings.scanner_trust)
        self.evidence: dict[str, Evidence] = {}
        self.being_sealed: set[str] = set()  # visits whose record somebody is sealing now
        self.unproven: set[str] = set()  # visits whose receipt waits for the next checkpoint of the log
        self.guidance: dict[str, Guidance] = {}
        self.chip_questions: dict[str, ChipQuestion] = {}  # visits whose card is being read
        self.pairings = Pairings()
        self.viewings = Viewings()
        self.turn: TurnServer | None = None  # set by whoever builds the office, where the operator has one
        self.customers = Presence()
        self.clerks = Presence()
        self.challenges: dict[str, FaceChallenge] = {}  # of the face attempt that is not yet decided
        self.liveness_secret = secrets.token_bytes(32)  # challenges do not outlive the counter, nor does this
        self.face_events: asyncio.Queue[FaceEvent | str] = asyncio.Queue()  # decisions never drop, guidance does
        self.deciding: dict[str, asyncio.Event] = {}  # visits whose face has been seen and not yet decided on
        self.continuity: dict[str, CallIdentity] = {}  # visits in a call whose person is watched
        self.closed = asyncio.Event()  # an office that closed unasked must not leave open doors behind
        self._tasks: asyncio.TaskGroup | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open for business until the block ends, or until one of its tasks fails: then everything ends."""
        await asyncio.gather(self.calls.start(), self.faces.start())
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self.spawn(self.calls.listen(), "media-events")
                yield
                self._tasks = None
                for task in [t for t in asyncio.all_tasks() if t.get_name().startswith("office:")]:
                    task.cancel()
        finally:
            self._tasks = None
            self.closed.set()
            self.signing.close()
            await asyncio.gather(self.calls.stop(), self.faces.stop(), self.fingers.stop())

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run this beside everything else; it is cancelled when the office closes."""
        if self._tasks is None:
            work.close()
            return
        self._tasks.create_task(work, name=f"office:{name}")

    def changed(self, visit_id: str) -> None:
        """Tell the visit's page and every console to look again."""
        self.hub.changed(visit_topic(visit_id), CONSOLES)

    def evidence_of(self, visit_id: str) -> Evidence:
        """What an open visit holds.

        Raises:
            CounterError: WRONG_STEP when the visit ended meanwhile.
        """
        if (held := self.evidence.get(visit_id)) is None:
            raise CounterError(ErrorCode.WRONG_STEP, "the visit has ended")
        return held

    def clerks_ready(self) -> int:
        """Consoles heard within the lease."""
        limit_s = self.settings.patience.clerk_gone_s
        return sum(not self.clerks.gone(clerk_id, limit_s) for clerk_id in self.clerks.heard_s)

    def _line_changed(self, seat: Seat) -> None:
        if seat.role == CUSTOMER:
            if seat.part == MAIN:  # no other leg carries the face that was checked
                self._same_leg(seat)
            self.changed(seat.owner)
        else:
            self.hub.changed(CONSOLES)
            self.spawn(self._tell_customer_of(seat.owner), "line")

    def _same_leg(self, seat: Seat) -> None:
        """A page that joined again may have another camera: whoever passed the check passed it on the leg before."""
        identity = self.continuity.get(seat.owner)
        if identity is None or seat.leg_id is None or seat.leg_id == identity.leg_id:
            return
        first, identity.leg_id = identity.leg_id is None, seat.leg_id
        if not first:
            self._face_event(Noticed(seat.owner, ContinuityState.BROKEN, ContinuityCue.LINE_REJOINED, 0, 0))

    async def _tell_customer_of(self, clerk_id: str) -> None:
        try:
            visit = await self.db.run(store.visit_of_clerk, clerk_id)
        except SQLAlchemyError:
            return  # a signal lost costs a look
        if visit is not None:
            self.changed(visit.visit_id)

    def _picture(self, visit_id: str, sampled: PictureSampled) -> None:
        self.faces.look(visit_id, sampled.picture)

    def _face_event(self, event: FaceEvent) -> None:
        if isinstance(event, FaceFinding):
            self.deciding[event.session_id] = asyncio.Event()
        elif isinstance(event, Guide) and self.face_events.qsize() >= MOST_GUIDANCE:
            return  # live guidance nobody keeps up with; the next one says more
        self.face_events.put_nowait(event)

    def _face_lost(self, session_id: str) -> None:
        self.face_events.put_nowait(session_id)
