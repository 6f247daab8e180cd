"""The line to the counter: mutual TLS 1.3, and only the counter's own kiosk CA is believed."""

import json
import logging
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from pydantic import BaseModel, ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus

from kiosk.config import KioskConfig
from kiosk.errors import CounterRefusedError, CounterUnreachableError
from webrtc.wire.card import AskChipOffer, ChipChallenge, ChipEvidenceMessage, ChipOffer
from webrtc.wire.finger import FingerEvidenceMessage
from webrtc.wire.message import ErrorBody, ErrorCode
from webrtc.wire.visit import VisitView

log = logging.getLogger(__name__)

PATIENCE = httpx.Timeout(30.0, connect=3.0)  # sealing a record with its recording is the slowest answer
LIVE_FRAME_MAX = 1 << 20  # a whole VisitView with a form and 30 checks is below 40 KB; an SDP offer below 20 KB
ANSWER_MAX = 16 << 20  # one page of a contract as PNG is below 1 MB
PASSED_ON = ("authorization", "idempotency-key", "content-type", "accept-language", "if-none-match")
PASSED_BACK = ("content-type", "cache-control", "etag", "retry-after")
PROBE_AFTER_S = 3.0
STATUS_CODES = {401: ErrorCode.NOT_LOGGED_IN, 403: ErrorCode.NOT_ALLOWED, 404: ErrorCode.NOT_FOUND}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the counter said, reduced to what a page may see."""

    status: int
    headers: dict[str, str]
    content: bytes


def tls_to_counter(config: KioskConfig) -> ssl.SSLContext:
    """A context that shows this kiosk's certificate and trusts one CA; the system's CAs are not asked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(config.ca_file)
    context.load_cert_chain(config.cert_file, config.key_file)
    return context


class CounterClient:
    """Requests and live channels of one kiosk to its counter."""

    def __init__(self, config: KioskConfig) -> None:
        self._tls = tls_to_counter(config)
        self._live_url = config.counter_url.replace("https://", "wss://", 1)
        self._http = httpx.AsyncClient(
            base_url=config.counter_url, verify=self._tls, timeout=PATIENCE, trust_env=False, follow_redirects=False
        )
        self._reachable = False
        self._last_contact_s = float("-inf")

    async def close(self) -> None:
        """Let every connection go."""
        await self._http.aclose()

    async def pass_on(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Ask the counter what a page asked us.

        Raises:
            CounterUnreachableError: no answer, or one longer than `ANSWER_MAX`.
        """
        kept = {name: headers[name] for name in PASSED_ON if name in headers}
        url = httpx.URL(path=path, query=query.encode())
        try:
            async with self._http.stream(method, url, headers=kept, content=body or None) as response:
                content = bytearray()
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > ANSWER_MAX:
                        raise CounterUnreachableError(f"the counter's answer is longer than {ANSWER_MAX} bytes")
        except httpx.TransportError as error:
            self._note(reached=False)
            raise CounterUnreachableError(f"no answer from the counter: {type(error).__name__}") from error
        self._note(reached=True)
        back = {name: response.headers[name] for name in PASSED_BACK if name in response.headers}
        return Answer(response.status_code, back, bytes(content))

    async def chip_challenge(self, visit_id: str, authorization: str) -> bytes:
        """What the chip must prove itself over; the counter draws it, so that this desk cannot.

        Raises:
            CounterUnreachableError: the line is gone.
            CounterRefusedError: the visit is not waiting for a card, or not this customer's.
        """
        answer = await self.pass_on(
            "POST", f"/api/visits/{visit_id}/chip-challenge", "", {"authorization": authorization}, b""
        )
        if answer.status != httpx.codes.OK:
            raise CounterRefusedError(answer.status, error_of(answer))
        return ChipChallenge.model_validate_json(answer.content).challenge

    async def chip_offer(self, visit_id: str, authorization: str, dg14: bytes) -> ChipOffer:
        """The counter's own run of chip authentication, to be carried to a chip with these keys.

        Errors as of `chip_challenge`.
        """
        path = f"/api/visits/{visit_id}/chip-offer"
        asked = AskChipOffer.model_construct(dg14=dg14)
        return ChipOffer.model_validate_json(await self._hand_over(path, authorization, asked))

    async def deliver_chip(self, visit_id: str, authorization: str, evidence: ChipEvidenceMessage) -> VisitView:
        """Hand over what the chip gave; returns the visit after the counter's own checks.

        Raises:
            CounterUnreachableError: the line is gone; the card must be read again.
            CounterRefusedError: the visit is not waiting for a card, or not this customer's.
        """
        path = f"/api/visits/{visit_id}/chip-evidence"
        return VisitView.model_validate_json(await self._hand_over(path, authorization, evidence))

    async def deliver_finger(self, visit_id: str, authorization: str, evidence: FingerEvidenceMessage) -> VisitView:
        """Hand over the picture of a finger; returns the visit after the counter has judged it.

        Raises:
            CounterUnreachableError: the line is gone; the finger must be taken again.
            CounterRefusedError: the visit is not waiting for a finger, or not this customer's.
        """
        path = f"/api/kiosk/visits/{visit_id}/finger"
        return VisitView.model_validate_json(await self._hand_over(path, authorization, evidence))

    async def _hand_over(self, path: str, authorization: str, message: BaseModel) -> bytes:
        """The counter's answer to a message of the agent's own; raises what every delivery raises."""
        headers = {"authorization": authorization, "content-type": "application/json"}
        answer = await self.pass_on("POST", path, "", headers, message.model_dump_json().encode())
        if answer.status != httpx.codes.OK:
            raise CounterRefusedError(answer.status, error_of(answer))
        return answer.content

    async def open_live(self, path: str) -> ClientConnection:
        """The visit's live channel at the counter.

        Raises:
            CounterUnreachableError: no line.
            CounterRefusedError: the counter does not open this door.
        """
        try:
            live = await connect(
                self._live_url + path,
                ssl=self._tls,
                max_size=LIVE_FRAME_MAX,
                open_timeout=5,
                close_timeout=1,
                compression=None,
                proxy=None,
            )
        except InvalidStatus as error:
            status = error.response.status_code
            body = ErrorBody(
                code=STATUS_CODES.get(status, ErrorCode.INTERNAL), message=f"live channel refused: {status}"
            )
            raise CounterRefusedError(status, body) from error
        except (OSError, TimeoutError, InvalidHandshake) as error:
            self._note(reached=False)
            raise CounterUnreachableError(f"no live channel: {type(error).__name__}") from error
        self._note(reached=True)
        return live

    async def reachable(self) -> bool:
        """Whether the counter answers; asks again only when nothing was heard for `PROBE_AFTER_S`."""
        if time.monotonic() - self._last_contact_s > PROBE_AFTER_S:
            try:
                await self._http.get("/livez", timeout=httpx.Timeout(2.0))
                self._note(reached=True)
            except httpx.TransportError:
                self._note(reached=False)
        return self._reachable

    def _note(self, *, reached: bool) -> None:
        """Remember the newest contact, and log only when it changes."""
        if reached != self._reachable:
            log.info("counter %s", "reached" if reached else "out of reach")
        self._reachable = reached
        self._last_contact_s = time.monotonic()


def error_of(answer: Answer) -> ErrorBody:
    """The counter's error body; when it is none (a proxy's page, say), one that says so."""
    try:
        return ErrorBody.model_validate(json.loads(answer.content))
    except (ValueError, ValidationError):
        return ErrorBody(code=ErrorCode.INTERNAL, message=f"the counter answered {answer.status} in no known form")
