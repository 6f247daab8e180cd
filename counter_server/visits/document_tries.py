"""How often the face check failed with one document, whatever visit it was in.

Whoever holds somebody else's card and begins visit after visit would otherwise try as often as they like. Counted under
the name that the document has in the safe, a keyed hash: the table alone tells nobody whose document it was. What is
older than the policy's window is deleted.
"""

import time

from sqlalchemy import Connection, delete, func, insert, select

from counter_server.catalogue.catalogue import Service
from counter_server.config import Patience
from counter_server.records import slots
from counter_server.records.masters import MasterKeys
from counter_server.visits.facts import DOCUMENT_TRIES, Visit
from counter_server.visits.tables import document_try
from webrtc.wire.catalogue import Assurance, Channel, Route
from webrtc.wire.check import CheckOutcome, CheckView, Verdict
from webrtc.wire.face import FaceView


def count_failure(connection: Connection, masters: MasterKeys, visit: Visit, patience: Patience) -> None:
    """One more failed face check with this visit's document; where there is none, nothing to count by."""
    document = _name(connection, masters, visit)
    if document is None:
        return
    now_s = time.time()
    connection.execute(delete(document_try).where(document_try.c.at_s < now_s - patience.document_window_s))
    connection.execute(insert(document_try).values(document=document, at_s=now_s))


def are_spent(connection: Connection, masters: MasterKeys, visit: Visit, patience: Patience) -> bool:
    """Whether no further face check is begun with this document; never in mid-call, where a clerk is asking for it."""
    document = None if visit.again else _name(connection, masters, visit)
    if document is None:
        return False
    since_s = time.time() - patience.document_window_s
    of_it = (document_try.c.document == document) & (document_try.c.at_s >= since_s)
    failed = connection.execute(select(func.count()).select_from(document_try).where(of_it)).scalar_one()
    return int(failed) >= patience.document_tries


def may_go_to_clerk(service: Service) -> bool:
    """Whether a clerk's eyes can stand for the face check in this service; not where a finger is wanted besides."""
    return service.finger_task(Channel.KIOSK) is None and service.route(Assurance.CHIP_AND_FACE) is not Route.NOT_HERE


def left_to_clerk(visit: Visit) -> Visit:
    """The visit without a face check: nothing is proven but the chip, and a clerk compares."""
    why = (
        "too many face checks with this document failed: none was begun, and nothing says that a living person is here"
    )
    check = CheckView(name=DOCUMENT_TRIES, outcome=CheckOutcome.FAILED, why=why, clause="")
    face = FaceView(verdict=Verdict.REFER, live=False, compared=False, reasons=(DOCUMENT_TRIES,))
    update = {
        "face": face,
        "checks": (*visit.checks, check),
        "assurance": Assurance.NONE,
        "route": Route.CLERK,
    }
    return visit.model_copy(update=update)


def _name(connection: Connection, masters: MasterKeys, visit: Visit) -> str | None:
    if visit.holder is None:
        return None
    return slots.name_customer(connection, masters, visit.holder.issuing_state, visit.holder.document_number)
