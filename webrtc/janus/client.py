"""Janus' API: JSON over one WebSocket, one session in it, a handle for every connection of a page."""

import asyncio
import itertools
import json
import logging
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from webrtc.errors import BadDescriptionError, EngineUnfitError, MediaError, WorkerGoneError

_log = logging.getLogger("webrtc.janus")

# Janus forgets a session that was silent for 60 s (its session_timeout).
KEEP_ALIVE_S = 25.0
ANSWER_PATIENCE_S = 8.0
# Errors of Janus' core (apierror.h) that mean the description itself was not understood.
_DESCRIPTION_ERRORS = range(464, 470)

Object = dict[str, Any]


class JanusRefusedError(MediaError):
    """Janus or its VideoRoom said no; carries their number."""

    def __init__(self, code: int, reason: str):
        super().__init__(f"Janus refuses ({code}): {reason}")
        self.code = code


class JanusClient:
    """One session. Events of a handle go to whoever attached it."""

    def __init__(self, socket: ClientConnection, api_secret: str):
        self._socket = socket
        self._api_secret = api_secret
        self._session = 0
        self._numbers = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[Object]] = {}
        self._listeners: dict[int, Callable[[Object], None]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.gone = False

    @classmethod
    async def open(cls, url: str, api_secret: str, on_gone: Callable[[], None]) -> "JanusClient":
        """A client with a session; `on_gone` is called when Janus is no longer there."""
        try:
            socket = await connect(url, subprotocols=["janus-protocol"], max_size=1 << 20, ping_interval=None)  # type: ignore[list-item]
        except (OSError, WebSocketException) as error:
            raise EngineUnfitError(f"Janus takes no connection: {type(error).__name__}") from error
        client = cls(socket, api_secret)
        client._tasks = [asyncio.create_task(client._read(on_gone)), asyncio.create_task(client._keep_alive())]
        client._session = (await client._ask({"janus": "create"}))["data"]["id"]
        return client

    async def close(self) -> None:
        """Leave; Janus drops everything of the session."""
        for task in self._tasks:
            task.cancel()
        await self._socket.close()

    async def attach(self, on_event: Callable[[Object], None]) -> int:
        """A handle at the VideoRoom."""
        answer = await self._ask({"janus": "attach", "plugin": "janus.plugin.videoroom", "session_id": self._session})
        handle: int = answer["data"]["id"]
        self._listeners[handle] = on_event
        return handle

    async def detach(self, handle: int) -> None:
        """Drop a handle and its connection."""
        self._listeners.pop(handle, None)
        await self._ask({"janus": "detach", "session_id": self._session, "handle_id": handle})

    async def ask_room(self, handle: int, body: Object, jsep: Object | None = None) -> tuple[Object, str]:
        """What the VideoRoom answers, and its session description or ""; raise `JanusRefusedError`."""
        request: Object = {"janus": "message", "session_id": self._session, "handle_id": handle, "body": body}
        if jsep is not None:
            request["jsep"] = jsep
        answer = await self._ask(request)
        said: Object = answer.get("plugindata", {}).get("data", {})
        if "error_code" in said:
            raise JanusRefusedError(int(said["error_code"]), str(said.get("error", "")))
        return said, str(answer.get("jsep", {}).get("sdp", ""))

    async def trickle(self, handle: int, candidate: Object) -> None:
        """Pass a candidate on."""
        request = {"janus": "trickle", "session_id": self._session, "handle_id": handle, "candidate": candidate}
        await self._ask(request, acknowledged=True)

    async def _ask(self, request: Object, *, acknowledged: bool = False) -> Object:
        """The answer to one request; `acknowledged`: the acknowledgement is all there will be."""
        number = str(next(self._numbers))
        answer: asyncio.Future[Object] = asyncio.get_running_loop().create_future()
        waits_for = f"ack {number}" if acknowledged else number
        self._waiting[waits_for] = self._waiting[number] = answer
        try:
            await self._socket.send(json.dumps({**request, "transaction": number, "apisecret": self._api_secret}))
            async with asyncio.timeout(ANSWER_PATIENCE_S):
                message = await answer
        except (ConnectionClosed, TimeoutError) as error:
            raise WorkerGoneError("Janus does not answer") from error
        finally:
            self._waiting.pop(number, None)
            self._waiting.pop(waits_for, None)
        if message["janus"] == "error":
            code = int(message["error"]["code"])
            if code in _DESCRIPTION_ERRORS:
                raise BadDescriptionError(f"Janus cannot use the description ({code})")
            raise JanusRefusedError(code, str(message["error"]["reason"]))
        return message

    async def _read(self, on_gone: Callable[[], None]) -> None:
        """Hand answers and events to whom they belong until Janus is gone."""
        try:
            async for text in self._socket:
                message: Object = json.loads(text)
                number = str(message.get("transaction", ""))
                waiting = self._waiting.get(f"ack {number}" if message["janus"] == "ack" else number)
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
                elif (listener := self._listeners.get(message.get("sender", 0))) is not None:
                    listener(message)
        except ConnectionClosed:
            pass
        self.gone = True
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(WorkerGoneError("Janus has ended"))
        on_gone()

    async def _keep_alive(self) -> None:
        """Tell Janus now and then that we are there."""
        while True:
            await asyncio.sleep(KEEP_ALIVE_S)
            try:
                await self._ask({"janus": "keepalive", "session_id": self._session}, acknowledged=True)
            except MediaError as error:
                _log.warning("Janus: %s", error)
