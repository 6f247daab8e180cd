"""Who may do something here: clerks, their sessions and passkeys, kiosks, one-time phone links."""

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table

from counter_server.db import metadata

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
