"""Phones come in by a link that works once."""

import datetime
import secrets
import time

import segno
from sqlalchemy import Connection, delete, insert, select, update

from counter_server.errors import CounterError
from counter_server.people.clerks import hash_token
from counter_server.people.tables import phone_link
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import PhoneLink


def make_link(connection: Connection, url: str, life_s: int) -> PhoneLink:
    """A new link below `url`; its 128-bit token rides in the fragment, which browsers never send to servers' logs."""
    now_s = int(time.time())
    connection.execute(delete(phone_link).where(phone_link.c.expires_at_s < now_s - 86_400))
    token = secrets.token_urlsafe(16)
    expires_at_s = now_s + life_s
    connection.execute(insert(phone_link).values(link_hash=hash_token(token), expires_at_s=expires_at_s))
    address = f"{url}/phone#{token}"
    return PhoneLink(
        url=address,
        qr_svg=segno.make(address, error="m").svg_inline(scale=6, border=2),
        expires_at=datetime.datetime.fromtimestamp(expires_at_s, datetime.UTC),
    )


def redeem(connection: Connection, link_token: str) -> str:
    """The phone's own token, for the first one who shows the link.

    Raises:
        CounterError: LINK_UNKNOWN, LINK_USED or LINK_EXPIRED.
    """
    mine = phone_link.c.link_hash == hash_token(link_token)
    row = connection.execute(select(phone_link).where(mine)).first()
    if row is None:
        raise CounterError(ErrorCode.LINK_UNKNOWN)
    if row.phone_hash is not None:
        raise CounterError(ErrorCode.LINK_USED)
    if row.expires_at_s < time.time():
        raise CounterError(ErrorCode.LINK_EXPIRED)
    token = secrets.token_urlsafe(24)
    connection.execute(update(phone_link).where(mine).values(phone_hash=hash_token(token)))
    return token


def visit_of(connection: Connection, phone_token: str) -> str | None:
    """The visit this phone has had or has; None before its first.

    Raises:
        CounterError: NOT_LOGGED_IN for an unknown token.
    """
    row = connection.execute(select(phone_link).where(phone_link.c.phone_hash == hash_token(phone_token))).first()
    if row is None:
        raise CounterError(ErrorCode.NOT_LOGGED_IN)
    return None if row.visit_id is None else str(row.visit_id)


def use(connection: Connection, phone_token: str, visit_id: str) -> None:
    """Spend the phone's session on this visit."""
    connection.execute(
        update(phone_link).where(phone_link.c.phone_hash == hash_token(phone_token)).values(visit_id=visit_id)
    )
