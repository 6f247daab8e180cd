"""The same request twice is one act. A page that does not know whether it was heard asks again with the same key.

Answers hold names and tokens, requests hold passwords. So an answer is kept sealed, and a request as a keyed hash,
under what only whoever asked knows: the idempotency key and the session it came with. A stolen database opens neither.
"""

import asyncio
import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from weakref import WeakValueDictionary

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import Request, Response

from counter_server.errors import CounterError
from counter_server.visits import store
from counter_server.visits.office import Office
from webrtc.wire.message import ErrorCode, Message

LONGEST_KEY = 64
NONCE_BYTES = 12  # NIST SP 800-38D: 96 bits; each answer has a key of its own

_locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()


async def once(office: Office, scope: str, request: Request, act: Callable[[], Awaitable[Message]]) -> Response:
    """What `act` answers, or what it answered before to this key in this scope.

    Raises:
        CounterError: CONFLICT when the key was used for another request; whatever `act` raises (not remembered).
    """
    key = request.headers.get("idempotency-key", "")
    if not key:
        return json_response((await act()).model_dump_json())
    if len(key) > LONGEST_KEY:
        raise CounterError(ErrorCode.BAD_REQUEST, "idempotency key too long")
    secret = _secret(scope, key, request)
    asked = _derive(secret, b"\0".join((request.method.encode(), request.url.path.encode(), await request.body())))
    place = _derive(secret, b"place").hex()
    lock = _locks.setdefault((scope, key), asyncio.Lock())
    async with lock:
        before = await office.db.run(store.remembered, "", place)
        if before is not None:
            if not hmac.compare_digest(before.request_sha256, asked):
                raise CounterError(ErrorCode.CONFLICT, "this idempotency key was used for another request")
            return json_response(_opened(secret, before.body))
        answer = (await act()).model_dump_json()
        await office.db.run(store.remember, "", place, store.Remembered(asked, 200, _sealed(secret, answer)))
        return json_response(answer)


def json_response(body: str) -> Response:
    """An answer that no cache keeps."""
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})


def _secret(scope: str, key: str, request: Request) -> bytes:
    """Known to whoever asked and to nobody who reads the database: it keeps tokens as hashes and keys not at all."""
    session = request.headers.get("authorization", "") + "\0" + request.headers.get("cookie", "")
    return hashlib.sha256("\0".join((scope, key, session)).encode()).digest()


def _derive(secret: bytes, purpose: bytes) -> bytes:
    return hmac.digest(secret, purpose, "sha256")


def _sealed(secret: bytes, answer: str) -> str:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return b64encode(nonce + AESGCM(_derive(secret, b"answer")).encrypt(nonce, answer.encode(), None)).decode()


def _opened(secret: bytes, kept: str) -> str:
    sealed = b64decode(kept)
    return AESGCM(_derive(secret, b"answer")).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None).decode()
