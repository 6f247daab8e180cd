"""What is to be told to whom, and what became of it."""

from sqlalchemy import Column, Float, Index, Integer, String, Table, Text, UniqueConstraint

from counter_server.db import metadata

delivery = Table(
    "delivery",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),  # also the order in which things happened
    Column("event_id", String, nullable=False),
    Column("subscriber", String, nullable=False),
    Column("subject", String, nullable=False),  # whose event: the customer's name of ours, never a person's
    Column("record_id", String, nullable=False),
    Column("body", Text),  # emptied once it has arrived: nothing is kept here that the record holds already
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_at_s", Float, nullable=False),
    Column("trouble", String),
    Column("made_at_s", Float, nullable=False),
    Column("ended_at_s", Float),
    UniqueConstraint("event_id", "subscriber"),
    sqlite_autoincrement=True,  # a number is never given twice, so a receiver can order by it
)

Index("delivery_due", delivery.c.state, delivery.c.subscriber, delivery.c.next_at_s)
Index("delivery_order", delivery.c.subscriber, delivery.c.subject, delivery.c.number)
