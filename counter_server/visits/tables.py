"""Visits, their journals, and answers remembered for repeated requests."""

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, String, Table, Text

from counter_server.db import metadata

visit = Table(
    "visit",
    metadata,
    Column("visit_id", String, primary_key=True),
    Column("record_id", String, nullable=False, unique=True),
    Column("token_hash", LargeBinary, nullable=False),
    Column("state", String, nullable=False),
    Column("clerk_id", String),
    Column("opened_at_s", Float, nullable=False),
    Column("facts", Text, nullable=False),  # facts.Visit as JSON
)

Index("visit_state", visit.c.state)
Index("visit_clerk", visit.c.clerk_id, visit.c.state)

journal = Table(
    "journal",
    metadata,
    Column("visit_id", String, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("entry", Text, nullable=False),  # records.journal's JSON, chained by hash
)

# Which record holds the templates of this customer's finger; they lie in it, sealed. A newer enrolment replaces it.
finger_enrolment = Table(
    "finger_enrolment",
    metadata,
    Column("customer_id", String(40), primary_key=True),
    Column("record_id", String(24), nullable=False, index=True),
    Column("position", Integer, nullable=False),
)

# When a face check failed with which document, under the document's name in the safe (a keyed hash).
document_try = Table(
    "document_try",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("document", String(40), nullable=False, index=True),
    Column("at_s", Float, nullable=False),
)

# Whose scanner's key this is, from the first picture it signed here; a key never changes its owner.
scanner_key = Table(
    "scanner_key",
    metadata,
    Column("key_sha256", String(64), primary_key=True),
    Column("device", String(512), nullable=False),  # as signed: maker, model, serial number
    Column("signs_pictures", Integer, nullable=False),  # 1 where it has; 0 where it only said who the device is
    Column("first_seen_at_s", Float, nullable=False),
)

answered = Table(
    "answered",
    metadata,
    Column("scope", String, primary_key=True),  # visit or clerk
    Column("idempotency_key", String, primary_key=True),
    Column("request_sha256", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("at_s", Float, nullable=False),
)
