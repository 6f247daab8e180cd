"""Slots: where keys lie. A record's keys under its customer's key, a customer's key under the master key.

Until a visit is sealed nobody knows for sure whose it is, so its keys lie under the master key itself. Objects are
never written again: erasing and rotating touch these two tables only. Every function runs in the caller's transaction.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from counter_server.records.errors import RecordUnknownError, WrongKeyError
from counter_server.records.journal import instant
from counter_server.records.keeping import KeepClass, KeepUntil
from counter_server.records.keys import MASTER_BYTES, KeyWrapper, RecordKeys, WrappedKey, WrappingKey
from counter_server.records.masters import MasterKeys
from counter_server.records.tables import customer_slot, record_slot, slot_setting

NAMING_KEY, GENERATION = "customer-naming", "generation"


@dataclass(frozen=True, slots=True)
class RecordSlots:
    """A record's slots as the database has them."""

    record_id: str
    customer_id: str | None
    customer: WrappedKey | None
    kept: tuple[tuple[KeepClass, WrappedKey], ...]

    def open(self, masters: MasterKeys) -> RecordKeys:
        """The keys; `WrongKeyError` when a slot was swapped, changed, or is under a destroyed key."""
        identities = {}
        wrapper: MasterKeys | WrappingKey = masters
        if self.customer is not None and self.customer_id is not None:
            wrapper = _customer_key(masters, self.customer_id, self.customer)
        for kept, wrapped in self.kept:
            identities[kept] = wrapper.unwrap(wrapped, _bound(self.record_id, kept)).decode()
        return RecordKeys(self.record_id, identities)


def store_keys(conn: Connection, keys: RecordKeys, masters: MasterKeys, now: datetime) -> None:
    """Keep a new record's keys. Commit before the first byte is encrypted to them, or a crash makes it unreadable."""
    for kept, identity in keys.identities.items():
        wrapped = masters.wrap(identity.encode(), _bound(keys.record_id, kept))
        row = {"record_id": keys.record_id, "keep_class": kept.value, "created_at": instant(now)}
        conn.execute(insert(record_slot).values(**row, **_columns(wrapped)))


def read_slots(conn: Connection, record_id: str) -> RecordSlots:
    """A record's slots; `RecordUnknownError` when there never were any or all were erased."""
    rows = conn.execute(select(record_slot).where(record_slot.c.record_id == record_id)).all()
    if not rows:
        raise RecordUnknownError("no key slot of that number")
    customer_id = rows[0].customer_id
    customer = None
    if customer_id is not None:
        found = conn.execute(select(customer_slot).where(customer_slot.c.customer_id == customer_id)).first()
        if found is None:
            raise WrongKeyError("the customer's key was erased")
        customer = WrappedKey(found.key_id, found.nonce, found.ciphertext)
    kept = tuple((KeepClass(row.keep_class), WrappedKey(row.key_id, row.nonce, row.ciphertext)) for row in rows)
    return RecordSlots(record_id, customer_id, customer, kept)


def name_customer(conn: Connection, masters: MasterKeys, issuing_state: str, document_number: str) -> str:
    """The same name for the same document, which tells nothing to whoever has not got the master key.

    A plain hash would not do: document numbers are few enough to be tried.
    """
    row = conn.execute(select(slot_setting).where(slot_setting.c.name == NAMING_KEY)).first()
    if row is None:
        key = secrets.token_bytes(MASTER_BYTES)
        conn.execute(insert(slot_setting).values(name=NAMING_KEY, **_columns(masters.wrap(key, NAMING_KEY))))
    else:
        key = masters.unwrap(WrappedKey(row.key_id, row.nonce, row.ciphertext), NAMING_KEY)
    return "C-" + hmac.digest(key, f"{issuing_state}|{document_number}".encode(), "sha256").hex()[:32]


def give_to_customer(
    conn: Connection,
    masters: MasterKeys,
    record_id: str,
    customer_id: str,
    until: Mapping[KeepClass, KeepUntil],
    now: datetime,
) -> None:
    """Put a sealed record's keys under its customer's key, made at the first record, and say how long each is kept."""
    slots = read_slots(conn, record_id)
    keys = slots.open(masters)
    found = conn.execute(select(customer_slot).where(customer_slot.c.customer_id == customer_id)).first()
    if found is None:
        customer_key = WrappingKey.of(secrets.token_bytes(MASTER_BYTES))
        wrapped = masters.wrap(customer_key.secret, customer_id)
        row = {"customer_id": customer_id, "created_at": instant(now)}
        conn.execute(insert(customer_slot).values(**row, **_columns(wrapped)))
    else:
        customer_key = _customer_key(masters, customer_id, WrappedKey(found.key_id, found.nonce, found.ciphertext))
    for kept, identity in keys.identities.items():
        _put_under(conn, record_id, kept, identity, customer_key, customer_id)
        conn.execute(
            update(record_slot)
            .where(*_slot(record_id, kept))
            .values(at_least=instant(until[kept].at_least), at_most=instant(until[kept].at_most))
        )


def erase_slots(conn: Connection, masters: MasterKeys, victims: set[tuple[str, KeepClass]]) -> set[str]:
    """Delete these slots; a customer who keeps others gets a new key, so that the old one opens nothing of a backup.

    Returns the customers of whom nothing is left. The master key must go through `rotate` in the same transaction.
    """
    touched: set[str] = set()
    for record_id, kept in victims:
        where = _slot(record_id, kept)
        owner = conn.execute(select(record_slot.c.customer_id).where(*where)).scalar()
        conn.execute(delete(record_slot).where(*where))
        touched |= {owner} if owner is not None else set()
    gone = set()
    for customer_id in sorted(touched):
        mine = record_slot.c.customer_id == customer_id
        if conn.execute(select(record_slot.c.record_id).where(mine).limit(1)).first() is not None:
            _renew_customer_key(conn, masters, customer_id)
        else:
            conn.execute(delete(customer_slot).where(customer_slot.c.customer_id == customer_id))
            gone.add(customer_id)
    return gone


def rotate(conn: Connection, masters: MasterKeys, following: KeyWrapper) -> int:
    """Wrap every slot under the master key anew, under the next one; returns how many. No object is touched."""
    count = 0
    # Says that this was committed even when the last customer was erased and no other slot is left to say so.
    conn.execute(delete(slot_setting).where(slot_setting.c.name == GENERATION))
    marker = masters.wrap(secrets.token_bytes(MASTER_BYTES), GENERATION)
    conn.execute(insert(slot_setting).values(name=GENERATION, **_columns(marker)))
    for table, name in ((customer_slot, "customer_id"), (slot_setting, "name")):
        for row in conn.execute(select(table)).all():
            bound = getattr(row, name)
            secret = masters.unwrap(WrappedKey(row.key_id, row.nonce, row.ciphertext), bound)
            conn.execute(update(table).where(table.c[name] == bound).values(**_columns(following.wrap(secret, bound))))
            count += 1
    for row in conn.execute(select(record_slot).where(record_slot.c.customer_id.is_(None))).all():
        kept = KeepClass(row.keep_class)
        bound = _bound(row.record_id, kept)
        secret = masters.unwrap(WrappedKey(row.key_id, row.nonce, row.ciphertext), bound)
        wrapped = following.wrap(secret, bound)
        conn.execute(update(record_slot).where(*_slot(row.record_id, kept)).values(**_columns(wrapped)))
        count += 1
    return count


def uses_key(conn: Connection, key_id: str) -> bool:
    """Whether any slot is still under this master key."""
    tables = (customer_slot, slot_setting, record_slot)
    return any(conn.execute(select(table).where(table.c.key_id == key_id).limit(1)).first() for table in tables)


def _renew_customer_key(conn: Connection, masters: MasterKeys, customer_id: str) -> None:
    found = conn.execute(select(customer_slot).where(customer_slot.c.customer_id == customer_id)).one()
    old = _customer_key(masters, customer_id, WrappedKey(found.key_id, found.nonce, found.ciphertext))
    new = WrappingKey.of(secrets.token_bytes(MASTER_BYTES))
    wrapped = masters.wrap(new.secret, customer_id)
    conn.execute(update(customer_slot).where(customer_slot.c.customer_id == customer_id).values(**_columns(wrapped)))
    for row in conn.execute(select(record_slot).where(record_slot.c.customer_id == customer_id)).all():
        kept = KeepClass(row.keep_class)
        held = WrappedKey(row.key_id, row.nonce, row.ciphertext)
        identity = old.unwrap(held, _bound(row.record_id, kept)).decode()
        _put_under(conn, row.record_id, kept, identity, new, customer_id)


def _put_under(
    conn: Connection, record_id: str, kept: KeepClass, identity: str, key: WrappingKey, customer_id: str
) -> None:
    wrapped = key.wrap(identity.encode(), _bound(record_id, kept))
    values = {"customer_id": customer_id, **_columns(wrapped)}
    conn.execute(update(record_slot).where(*_slot(record_id, kept)).values(**values))


def _customer_key(masters: MasterKeys, customer_id: str, wrapped: WrappedKey) -> WrappingKey:
    return WrappingKey.of(masters.unwrap(wrapped, customer_id))


def _slot(record_id: str, kept: KeepClass) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return record_slot.c.record_id == record_id, record_slot.c.keep_class == kept.value


def _bound(record_id: str, kept: KeepClass) -> str:
    return f"{record_id}|{kept.value}"


def _columns(wrapped: WrappedKey) -> dict[str, object]:
    return {"key_id": wrapped.key_id, "nonce": wrapped.nonce, "ciphertext": wrapped.ciphertext}
