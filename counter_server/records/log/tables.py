"""What the database knows of the log: leaves in order, the hashes over them, and what was signed."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, String, Table, Text

from counter_server.db import metadata

# One row per leaf, numbered from 0 without gaps inside the transaction of what it tells of.
log_leaf = Table(
    "log_leaf",
    metadata,
    Column("leaf_index", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("kind", String(32), nullable=False),  # "record", or an event's name
    Column("subject", String(64), nullable=False, index=True),  # number of the record or visit
    Column("entry", LargeBinary, nullable=True),  # canonical JSON of an event; a record's entry is its manifest
    Column("salt", LargeBinary(32), nullable=True),  # of the commitment inside an event; without it nobody can guess
)

# Every complete subtree, leaves included, under its in-order number (`store.number_of`). Rows never change.
log_hash = Table(
    "log_hash",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
)

# Every checkpoint that was ever signed, with the cosignatures it has by now.
log_checkpoint = Table(
    "log_checkpoint",
    metadata,
    Column("size", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
    Column("witnessed", Boolean, nullable=False),  # whether the policy's quorum had cosigned it
)
