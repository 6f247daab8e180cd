"""Who may do something here: clerks, their sessions and passkeys, kiosks, one-time phone links, customers' passkeys."""

from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Index, Integer, LargeBinary, String, Table

from counter_server.db import metadata
from counter_server.records.tables import record_slot

clerk = Table(
    "clerk",
    metadata,
    Column("clerk_id", String, primary_key=True),
    Column("username", String, nullable=False, unique=True),
    Column("name", String, nullable=False),
    Column("roles", String, nullable=False),  # comma separated
    Column("language", String, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("password_hash", LargeBinary, nullable=False),  # scrypt, see clerks.py
)

clerk_session = Table(
    "clerk_session",
    metadata,
    Column("session_hash", LargeBinary, primary_key=True),  # SHA-256 of the cookie: a stolen database opens nothing
    Column("clerk_id", String, ForeignKey("clerk.clerk_id"), nullable=False),
    Column("opened_at_s", Integer, nullable=False),
    Column("used_at_s", Integer, nullable=False),
)

kiosk = Table(
    "kiosk",
    metadata,
    Column("kiosk_id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("certificate_sha256", LargeBinary, nullable=False, unique=True),
    Column("enrolled_at_s", Integer, nullable=False),
    Column("revoked", Integer, nullable=False, default=0),
)

phone_link = Table(
    "phone_link",
    metadata,
    Column("link_hash", LargeBinary, primary_key=True),
    Column("expires_at_s", Integer, nullable=False),
    Column("phone_hash", LargeBinary, unique=True),  # of the phone's token, once redeemed
    Column("visit_id", String),  # the one visit it was good for
)

passkey = Table(
    "passkey",
    metadata,
    Column("credential_id", LargeBinary, primary_key=True),
    Column("clerk_id", String, ForeignKey("clerk.clerk_id"), nullable=False),
    Column("public_key", LargeBinary, nullable=False),  # COSE_Key, as the authenticator gave it
    Column("sign_count", Integer, nullable=False),
    Column("added_at_s", Integer, nullable=False),
    Column("used_at_s", Integer),
)

# A passkey on a customer's phone hangs on a key slot of the record that it was made after: of the class that later
# visits use and that goes on the customer's wish. Whoever deletes that slot (`records/erasure.py`, for the customer or
# because its time has passed) deletes this row in the same statement.
customer_passkey = Table(
    "customer_passkey",
    metadata,
    Column("credential_id", LargeBinary, primary_key=True),
    Column("record_id", String(24), nullable=False),
    Column("keep_class", String(16), nullable=False),
    Column("user_handle", LargeBinary(32), nullable=False),  # random: what the phone keeps says nothing of anybody
    Column("public_key", LargeBinary, nullable=False),  # COSE_Key, as the authenticator gave it
    Column("sign_count", Integer, nullable=False),
    Column("added_at_s", Integer, nullable=False),
    Column("used_at_s", Integer),
    ForeignKeyConstraint(
        ["record_id", "keep_class"], [record_slot.c.record_id, record_slot.c.keep_class], ondelete="CASCADE"
    ),
)

Index("customer_passkey_slot", customer_passkey.c.record_id, customer_passkey.c.keep_class)
