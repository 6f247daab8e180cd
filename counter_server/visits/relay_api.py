"""The phone relay's doors: a pairing code for a visit at its card step, and the socket the phone connects to."""

import asyncio
import contextlib
import datetime
import logging
import time
from typing import Literal

import segno
from fastapi import APIRouter, Request, Response, WebSocket, WebSocketDisconnect

from counter_server.errors import CounterError
from counter_server.identification.relay import TOKEN_LIFE_S, Pairing, draw_challenge, read_over_phone
from counter_server.visits import card_step, store
from counter_server.visits.doors import MyVisit, office_of
from counter_server.visits.office import Office
from counter_server.visits.once import json_response
from hardware_drivers.errors import DeviceError
from hardware_drivers.id_chip.evidence import ChipEvidence, proofs_of
from hardware_drivers.id_chip.mrz import MrzKey
from hardware_drivers.smartcard.relay import MESSAGE_MAX, Bye, DuplexClosedError, Hello, RelayLink, receive_hello
from webrtc.wire.card import CardAccess, ChipEvidenceMessage
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import PhoneLink, VisitState

log = logging.getLogger(__name__)

router = APIRouter(prefix="/api")

READER = "phone relay"  # what the record says: read over a phone, so the document need not have been here


class SocketDuplex:
    """A WebSocket as the relay wants it."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def send(self, text: str) -> None:
        """One frame; `DuplexClosedError` when nobody is there."""
        try:
            await self._socket.send_text(text)
        except (WebSocketDisconnect, RuntimeError) as error:
            raise DuplexClosedError from error

    async def receive(self) -> str:
        """The next frame; `DuplexClosedError` at the end, or for one beyond the size a frame may have."""
        try:
            text = await self._socket.receive_text()
        except (WebSocketDisconnect, RuntimeError, KeyError) as error:  # KeyError: a binary frame
            raise DuplexClosedError from error
        if len(text) > MESSAGE_MAX:
            raise DuplexClosedError
        return text


@router.post("/visits/{visit_id}/relay")
async def offer_relay(request: Request, visit: MyVisit, body: CardAccess) -> Response:
    """A code for a phone: it connects within 60 seconds, once, for this visit."""
    office = office_of(request)
    if visit.state is not VisitState.CARD:
        raise CounterError(ErrorCode.WRONG_STEP)
    access = MrzKey(body.document_number, body.date_of_birth, body.date_of_expiry)
    token = office.pairings.offer(visit.visit_id, access, time.monotonic())
    address = f"{office.settings.url.replace('http', 'ws', 1)}/api/relay#{token}"
    expires_at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=TOKEN_LIFE_S)
    link = PhoneLink(
        url=address, qr_svg=segno.make(address, error="m").svg_inline(scale=6, border=2), expires_at=expires_at
    )
    return json_response(link.model_dump_json())


@router.websocket("/relay")
async def relay(socket: WebSocket) -> None:
    """A phone with a card; everything it may do hangs on the token in its first frame."""
    await socket.accept()
    office, duplex = office_of(socket), SocketDuplex(socket)
    try:
        hello = await receive_hello(duplex)
    except DeviceError:
        await _say_bye(duplex, "broken")
        return
    pairing = office.pairings.redeem(hello.token, time.monotonic())
    if pairing is None:
        await _say_bye(duplex, "refused")
        return
    await _read(office, duplex, hello, pairing)


async def _read(office: Office, duplex: SocketDuplex, hello: Hello, pairing: Pairing) -> None:
    """One reading; what comes of it is judged like any other."""
    link, challenge = RelayLink(duplex, hello, asyncio.get_running_loop()), draw_challenge()
    try:
        evidence = await asyncio.to_thread(read_over_phone, link, pairing.access, challenge)
        await asyncio.to_thread(link.close)
    except DeviceError as error:
        log.info("card not read over a phone: %s", type(error).__name__)
        details = {"error": type(error).__name__}
        with contextlib.suppress(CounterError):  # the visit may have ended meanwhile
            await office.db.run(store.note, pairing.visit_id, store.COUNTER, "relay_failed", details=details)
        office.changed(pairing.visit_id)
        return
    try:
        await card_step.take_chip_evidence(office, pairing.visit_id, message_of(evidence), own_challenge=challenge)
    except CounterError as error:
        log.info("evidence of a visit that has moved on: %s", error)


def message_of(evidence: ChipEvidence) -> ChipEvidenceMessage:
    """The evidence as if a kiosk had sent it, so that it is judged by the same code."""
    return ChipEvidenceMessage.model_construct(
        access="PACE" if evidence.access == "PACE" else "BAC",
        atr=evidence.atr,
        ef_com=evidence.ef_com,
        ef_sod=evidence.ef_sod,
        data_groups=dict(evidence.data_groups),
        read_ms=evidence.read_ms,
        reader=READER,
        proofs=proofs_of(evidence),
    )


async def _say_bye(duplex: SocketDuplex, why: Literal["broken", "refused"]) -> None:
    """The last frame."""
    try:
        await duplex.send(Bye(why=why).model_dump_json())
    except DuplexClosedError:
        log.debug("the phone did not wait for its bye")
