"""What the database knows of records: one row per sealed record, the slots of keys, legal holds."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table

from counter_server.db import metadata

record = Table(
    "record",
    metadata,
    Column("record_id", String(24), primary_key=True),
    Column("visit_id", String(64), nullable=False, unique=True),  # a visit ends in one record: a second seal is refused
    Column("service_id", String(64), nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("sealed_at", String(32), nullable=False, index=True),  # UTC, the manifest's spelling
    Column("manifest_sha256", String(64), nullable=False),
    Column("leaf_hash", LargeBinary(32), nullable=False),  # RFC 6962 leaf of the manifest, for the log to come
    Column("size", BigInteger, nullable=False),  # bytes of all encrypted objects
    Column("code_salt", LargeBinary(16), nullable=False),
    Column("code_hash", LargeBinary(32), nullable=False),
)

# The only place where a record's keys lie. Deleting a row erases what it opens, for ever (see `slots.py`).
record_slot = Table(
    "record_slot",
    metadata,
    Column("record_id", String(24), primary_key=True),
    Column("keep_class", String(16), primary_key=True),
    Column("customer_id", String(40), nullable=True, index=True),  # whose key it is under; null: the master key
    Column("key_id", String(16), nullable=False, index=True),
    Column("nonce", LargeBinary(12), nullable=False),
    Column("ciphertext", LargeBinary(256), nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("at_least", String(32), nullable=True),  # kept until then, whoever asks; null: not sealed yet
    Column("at_most", String(32), nullable=True, index=True),  # erased then, unless a hold stops it
)

# A customer's key under the master key. Deleting a row erases the customer.
customer_slot = Table(
    "customer_slot",
    metadata,
    Column("customer_id", String(40), primary_key=True),
    Column("key_id", String(16), nullable=False, index=True),
    Column("nonce", LargeBinary(12), nullable=False),
    Column("ciphertext", LargeBinary(256), nullable=False),
    Column("created_at", String(32), nullable=False),
)

# Keys of the safe's own under the master key, such as the one that customers are named with.
slot_setting = Table(
    "slot_setting",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("key_id", String(16), nullable=False, index=True),
    Column("nonce", LargeBinary(12), nullable=False),
    Column("ciphertext", LargeBinary(256), nullable=False),
)

# Nothing under a hold is erased, whatever its time and whoever asks. Lifted ones stay, for whoever asks later.
legal_hold = Table(
    "legal_hold",
    metadata,
    Column("hold_id", Integer, primary_key=True),
    Column("subject", String(40), nullable=False, index=True),  # a record's or a customer's number
    Column("case_number", String(64), nullable=False),
    Column("placed_at", String(32), nullable=False),
    Column("placed_by", String(64), nullable=False),
    Column("lifted_at", String(32), nullable=True),
    Column("lifted_by", String(64), nullable=True),
)
