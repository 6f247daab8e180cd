"""The queue: one row per ticket ever drawn."""

from sqlalchemy import Column, Float, Index, Integer, String, Table

from counter_server.db import metadata

ticket = Table(
    "ticket",
    metadata,
    Column("ticket_id", String, primary_key=True),
    Column("visit_id", String, nullable=False, unique=True),
    Column("number", String, nullable=False),
    Column("service_id", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("language", String, nullable=False),
    Column("referred", Integer, nullable=False),
    Column("priority", Integer, nullable=False),  # 0 before 1: a visit that lost its clerk goes first
    Column("drawn_at_s", Float, nullable=False),  # kept when a visit comes back, so nobody overtakes it
    Column("state", String, nullable=False),  # waiting, taken, gone
    Column("clerk_id", String),
    Column("taken_at_s", Float),
    Column("ended_at_s", Float),
)

Index("ticket_waiting", ticket.c.state, ticket.c.priority, ticket.c.drawn_at_s)
