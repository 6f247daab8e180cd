"""What the database knows of records: one row per sealed record, one slot per record's key."""

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table

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

# The only place where a record's key lies. Deleting a row erases the record's content for ever.
record_slot = Table(
    "record_slot",
    metadata,
    Column("record_id", String(24), primary_key=True),
    Column("key_id", String(16), nullable=False),
    Column("nonce", LargeBinary(12), nullable=False),
    Column("ciphertext", LargeBinary(256), nullable=False),
    Column("created_at", String(32), nullable=False),
)
