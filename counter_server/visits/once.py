"""The same request twice is one act. A page that does not know whether it was heard asks again with the same key."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from weakref import WeakValueDictionary

from fastapi import Request, Response

from counter_server.errors import CounterError
from counter_server.visits import store
from counter_server.visits.office import Office
from webrtc.wire import ErrorCode, Message

LONGEST_KEY = 64

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
    body = await request.body()
    asked = hashlib.sha256(b"\0".join((request.method.encode(), request.url.path.encode(), body))).digest()
    lock = _locks.setdefault((scope, key), asyncio.Lock())
    async with lock:
        before = await office.db.run(store.remembered, scope, key)
        if before is not None:
            if before.request_sha256 != asked:
                raise CounterError(ErrorCode.CONFLICT, "this idempotency key was used for another request")
            return json_response(before.body)
        answer = (await act()).model_dump_json()
        await office.db.run(store.remember, scope, key, store.Remembered(asked, 200, answer))
        return json_response(answer)


def json_response(body: str) -> Response:
    """An answer that no cache keeps."""
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})
