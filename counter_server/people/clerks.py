"""Clerks: passwords, sessions, and the brake on guessing.

A password is hashed by scrypt with OWASP's parameters; `passkeys` are what signs. OIDC comes later.
"""

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from counter_server.config import Patience
from counter_server.errors import CounterError
from counter_server.people import passkeys
from counter_server.people.tables import clerk, clerk_session
from webrtc.wire.console import ClerkView
from webrtc.wire.message import ErrorCode, Language

# OWASP Password Storage Cheat Sheet: scrypt N=2^17, r=8, p=1 (128 MiB); maxmem a little above it.
SCRYPT_N, SCRYPT_R, SCRYPT_P, SCRYPT_MAXMEM = 2**17, 8, 1, 160 * 1024 * 1024

LONGEST_SESSION_S = 7 * 86_400  # above any `session_s`: rows older than this are only litter

HASHED_AT_ONCE, MOST_WAITING = 2, 20  # 256 MiB; the last in line waits about four seconds

ROLES = ("clerk", "approver", "supervisor", "auditor", "interpreter")


def hash_token(token: str) -> bytes:
    """What the database keeps of a bearer token: 32 bytes; the token itself has 128 bits or more, so no salt."""
    return hashlib.sha256(token.encode()).digest()


def hash_password(password: str, salt: bytes) -> bytes:
    """32 bytes; about a third of a second and 128 MiB, by design: call it outside the database thread."""
    return hashlib.scrypt(
        password.encode(), salt=salt, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P, maxmem=SCRYPT_MAXMEM, dklen=32
    )


@dataclass(frozen=True, slots=True)
class StoredPassword:
    """What a login is checked against."""

    clerk_id: str
    salt: bytes
    password_hash: bytes

    def matches(self, password: str) -> bool:
        """Whether this is the password; constant time after the hash."""
        return hmac.compare_digest(hash_password(password, self.salt), self.password_hash)


def add_clerk(
    connection: Connection, username: str, name: str, roles: tuple[str, ...], language: Language, password: str
) -> str:
    """A new clerk's id; the same username again replaces name, roles and password."""
    salt = secrets.token_bytes(16)
    values = {
        "name": name,
        "roles": ",".join(roles),
        "language": language.value,
        "salt": salt,
        "password_hash": hash_password(password, salt),
    }
    found = connection.execute(select(clerk.c.clerk_id).where(clerk.c.username == username)).scalar()
    if found is not None:
        connection.execute(update(clerk).where(clerk.c.clerk_id == found).values(values))
        connection.execute(delete(clerk_session).where(clerk_session.c.clerk_id == found))
        return str(found)
    clerk_id = f"clerk-{username}"
    connection.execute(insert(clerk).values(clerk_id=clerk_id, username=username, **values))
    return clerk_id


def stored_password(connection: Connection, username: str) -> StoredPassword:
    """What to check a login against; for an unknown name something that never matches, so that time tells nothing."""
    row = connection.execute(select(clerk).where(clerk.c.username == username)).first()
    if row is None:
        return StoredPassword("", bytes(16), bytes(32))
    return StoredPassword(row.clerk_id, row.salt, row.password_hash)


def stored_password_of(connection: Connection, clerk_id: str) -> StoredPassword:
    """As `stored_password`, for somebody who is logged in and acts once more in person."""
    row = connection.execute(select(clerk).where(clerk.c.clerk_id == clerk_id)).one()
    return StoredPassword(row.clerk_id, row.salt, row.password_hash)


def view(connection: Connection, clerk_id: str) -> ClerkView:
    """How a clerk is shown."""
    row = connection.execute(select(clerk).where(clerk.c.clerk_id == clerk_id)).one()
    return ClerkView(
        clerk_id=row.clerk_id,
        name=row.name,
        roles=tuple(row.roles.split(",")),
        language=Language(row.language),
        passkeys=passkeys.count(connection, row.clerk_id),
    )


def forget_passkeys(connection: Connection, username: str) -> int | None:
    """Believe no key of this clerk any longer, nor a session that one may have opened; how many keys there were.

    None for a name that nobody has.
    """
    clerk_id = connection.execute(select(clerk.c.clerk_id).where(clerk.c.username == username)).scalar()
    if clerk_id is None:
        return None
    connection.execute(delete(clerk_session).where(clerk_session.c.clerk_id == clerk_id))
    return passkeys.forget(connection, str(clerk_id))


def open_session(connection: Connection, clerk_id: str) -> str:
    """A new session's cookie value."""
    token = secrets.token_urlsafe(32)
    now_s = int(time.time())
    connection.execute(delete(clerk_session).where(clerk_session.c.opened_at_s < now_s - LONGEST_SESSION_S))
    connection.execute(
        insert(clerk_session).values(
            session_hash=hash_token(token), clerk_id=clerk_id, opened_at_s=now_s, used_at_s=now_s
        )
    )
    return token


def close_session(connection: Connection, token: str) -> None:
    """Forget the session."""
    connection.execute(delete(clerk_session).where(clerk_session.c.session_hash == hash_token(token)))


def who(connection: Connection, token: str, patience: Patience, *, acting: bool = True) -> ClerkView:
    """The clerk of this session; used just now, unless it is only a page that looks by itself.

    Raises:
        CounterError: NOT_LOGGED_IN when unknown, idle for too long or too old.
    """
    now_s = int(time.time())
    mine = clerk_session.c.session_hash == hash_token(token)
    row = connection.execute(select(clerk_session).where(mine)).first()
    if row is None:
        raise CounterError(ErrorCode.NOT_LOGGED_IN)
    if now_s - row.used_at_s > patience.session_idle_s or now_s - row.opened_at_s > patience.session_s:
        connection.execute(delete(clerk_session).where(mine))
        raise CounterError(ErrorCode.NOT_LOGGED_IN)
    if acting and now_s - row.used_at_s > 30:  # not a write for every look
        connection.execute(update(clerk_session).where(mine).values(used_at_s=now_s))
    return view(connection, row.clerk_id)


class LoginBrake:
    """Slows guessing: so many tries without the right password, then a pause. In memory: a restart forgives."""

    def __init__(self, patience: Patience, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._clock = clock
        self._tries: dict[str, tuple[int, float]] = {}

    def begin(self, name: str) -> None:
        """Count a try before anybody knows how it ends: a hundred made at once count like a hundred made in turn.

        Raises:
            CounterError: TOO_MANY_TRIES while the name is paused.
        """
        tries, since_s = self._tries.get(name, (0, 0.0))
        if tries >= self._patience.login_tries and self._clock() - since_s < self._patience.login_pause_s:
            raise CounterError(ErrorCode.TOO_MANY_TRIES)
        if len(self._tries) > 10_000:  # someone is inventing names; forget them all rather than grow
            self._tries.clear()
        self._tries[name] = (tries + 1, self._clock())

    def right(self, name: str) -> None:
        """The right one: start counting anew."""
        self._tries.pop(name, None)


class PasswordGate:
    """Checks passwords, few at a time: each takes 128 MiB and a thread that sealing and reading chips need too."""

    def __init__(self, patience: Patience) -> None:
        self._brake = LoginBrake(patience)
        self._free = asyncio.Semaphore(HASHED_AT_ONCE)
        self._waiting = 0

    async def require(self, purpose: str, stored: StoredPassword, name: str, password: str) -> None:
        """Return when the password is right.

        Args:
            purpose: Tries are counted per purpose and name, so that strangers at the login do not stop a signature.

        Raises:
            CounterError: WRONG_LOGIN; TOO_MANY_TRIES for this name, or for everybody when too many wait.
        """
        if self._waiting >= MOST_WAITING:
            raise CounterError(ErrorCode.TOO_MANY_TRIES)
        self._brake.begin(f"{purpose}:{name}")
        self._waiting += 1
        try:
            async with self._free:
                right = await asyncio.to_thread(stored.matches, password)
        finally:
            self._waiting -= 1
        if not right:
            raise CounterError(ErrorCode.WRONG_LOGIN)
        self._brake.right(f"{purpose}:{name}")
