"""Fingers that were registered: in which record a customer's templates lie, sealed under keys of that record.

Whoever erases the customer, or lets the time pass, deletes the slot of those keys (`records/erasure.py`); the row here
then leads to nothing, and nothing is known of the finger any more. Registering again makes new templates under new
keys and lets the old ones expire.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, select

from counter_server.records import erasure, slots
from counter_server.records.contents import open_class
from counter_server.records.errors import RecordError, RecordUnknownError
from counter_server.records.keeping import KeepClass
from counter_server.records.keys import RecordKeys
from counter_server.records.masters import MasterKeys
from counter_server.records.record import ObjectClass
from counter_server.records.seal import SealedRecord
from counter_server.records.store import RecordStore
from counter_server.visits.facts import Visit
from counter_server.visits.tables import finger_enrolment
from webrtc.wire.card import HolderView
from webrtc.wire.finger import FingerTask

log = logging.getLogger(__name__)

IMPRESSIONS = 3  # at one false match in 1 000, three enrolled took the misses from 0.7 to 0 % (docs/fingerprints.md)


@dataclass(frozen=True, slots=True, repr=False)
class Enrolled:
    """A finger of the holder: where its templates lie and what opens them."""

    record_id: str
    position: int
    keys: RecordKeys

    def templates(self, safe: RecordStore) -> tuple[bytes, ...]:
        """The templates; blocking.

        Raises:
            RecordError: They cannot be read or opened.
        """
        opened = open_class(safe.folder_of(self.record_id), self.keys.keyring(), ObjectClass.FINGER)
        return tuple(opened[name] for name in sorted(opened))


def find(connection: Connection, masters: MasterKeys, holder: HolderView) -> Enrolled | None:
    """The finger that this holder registered; None without one, and after it was erased."""
    customer_id = slots.name_customer(connection, masters, holder.issuing_state, holder.document_number)
    mine = finger_enrolment.c.customer_id == customer_id
    row = connection.execute(select(finger_enrolment).where(mine)).first()
    if row is None:
        return None
    try:
        keys = slots.read_slots(connection, row.record_id).open(masters)
    except RecordUnknownError:
        keys = RecordKeys(row.record_id, {})  # all of the record was erased
    except RecordError as error:
        log.error("the keys of a registered finger cannot be opened: %s", type(error).__name__)
        return None
    identity = keys.identities.get(KeepClass.FINGER)
    if identity is None:
        connection.execute(delete(finger_enrolment).where(mine))
        return None
    return Enrolled(row.record_id, row.position, RecordKeys(row.record_id, {KeepClass.FINGER: identity}))


def register(connection: Connection, visit: Visit, customer_id: str, sealed: SealedRecord) -> None:
    """The templates in this record are the customer's finger from now on; does nothing where there are none."""
    given = visit.finger
    enrolled = [item for item in sealed.manifest.objects if item.object_class is ObjectClass.FINGER]
    if given is None or given.task is not FingerTask.ENROL or not enrolled:
        return
    mine = finger_enrolment.c.customer_id == customer_id
    before = connection.execute(select(finger_enrolment.c.record_id).where(mine)).scalar()
    if before is not None:
        erasure.expire(connection, before, KeepClass.FINGER, datetime.now(UTC))
        connection.execute(delete(finger_enrolment).where(mine))
    row = {"customer_id": customer_id, "record_id": sealed.record_id, "position": given.position}
    connection.execute(insert(finger_enrolment).values(**row))
