"""One reading of an ID card: wait for it, read it, and put what failed into the page's words."""

import logging
import secrets
from collections.abc import Callable
from typing import Literal

from hardware_drivers.errors import (
    AccessDeniedError,
    CardRemovedError,
    DeviceError,
    DeviceGoneError,
    NoCardError,
    NoReaderError,
    ReaderBusyError,
)
from hardware_drivers.id_chip.chip_auth import Offer
from hardware_drivers.id_chip.evidence import ChipEvidence, proofs_of
from hardware_drivers.id_chip.mrz import MrzKey
from hardware_drivers.id_chip.read import read_chip
from hardware_drivers.id_chip.reading import FINGERPRINTS, USUAL_GROUPS
from hardware_drivers.id_chip.terminal_auth import TerminalCredential
from hardware_drivers.smartcard.readers import CardReaders
from kiosk.errors import CardStepError
from webrtc.wire.card import CardAccess, ChipEvidenceMessage, ChipOffer
from webrtc.wire.kiosk import CardStep
from webrtc.wire.message import ErrorCode

log = logging.getLogger(__name__)

WAIT_FOR_CARD_S = 30.0  # the brief's patience; the page then asks whether the customer needs more time

# Who acts on it decides the code; every other device error reads as a card that does not answer as an ID card should.
CODES: tuple[tuple[type[DeviceError], ErrorCode], ...] = (
    (NoReaderError, ErrorCode.NO_READER),
    (DeviceGoneError, ErrorCode.NO_READER),
    (NoCardError, ErrorCode.NO_CARD),
    (ReaderBusyError, ErrorCode.READER_BUSY),
    (CardRemovedError, ErrorCode.CARD_REMOVED),
    (AccessDeniedError, ErrorCode.WRONG_MRZ),
)


def read_card(
    readers: CardReaders,
    access: CardAccess,
    challenge: bytes,
    ask_counter: Callable[[bytes], ChipOffer | None],
    on_step: Callable[[CardStep], None],
    cancelled: Callable[[], bool],
    *,
    credential: TerminalCredential | None = None,
    wait_s: float = WAIT_FOR_CARD_S,
) -> ChipEvidenceMessage:
    """What the chip gave, ready for the counter; blocks the calling thread.

    Args:
        access: What the customer typed from the printed lines; it stays on this desk.
        challenge: The counter's, for the chip to prove itself over.
        ask_counter: Given DG14, what the counter wants carried to the chip.
        on_step: Told each step as it begins.
        cancelled: Asked while waiting for a card; true ends the waiting.
        credential: By which a state lets this desk read fingers; used only where one will be compared.

    Raises:
        CardStepError: with the code whose sentence the page shows.
    """
    on_step(CardStep.WAITING_FOR_CARD)
    shown = credential if access.fingers else None
    try:
        link = readers.wait_for_card(wait_s, cancelled)
        try:
            evidence = read_chip(
                link,
                mrz_key(access),
                challenge,
                secrets.token_bytes,
                lambda step: on_step(CardStep(step)),
                groups=USUAL_GROUPS if shown is None else USUAL_GROUPS | {FINGERPRINTS},
                credential=shown,
                offer=lambda dg14: offer_in(ask_counter(dg14)),
            )
        finally:
            link.close()
    except DeviceError as error:
        log.info("card not read: %s", type(error).__name__)
        raise CardStepError(code_of(error), type(error).__name__) from error
    return message_of(evidence, readers.state().reader or "")


def mrz_key(access: CardAccess) -> MrzKey:
    """The three values as the chip's key derivation wants them."""
    return MrzKey(access.document_number, access.date_of_birth, access.date_of_expiry)


def code_of(error: DeviceError) -> ErrorCode:
    """Which sentence the page shows."""
    return next((code for kind, code in CODES if isinstance(error, kind)), ErrorCode.CARD_MUTE)


def offer_in(message: ChipOffer | None) -> Offer | None:
    """The counter's offer in the words of the chip; None where it has none."""
    if message is None or not message.terminal_public:
        return None
    return Offer(message.oid, message.key_id, message.terminal_public, message.command)


def message_of(evidence: ChipEvidence, reader: str) -> ChipEvidenceMessage:
    """The evidence in the words of the wire."""
    access: Literal["BAC", "PACE"] = "PACE" if evidence.access == "PACE" else "BAC"
    return ChipEvidenceMessage.model_construct(
        access=access,
        atr=evidence.atr,
        ef_com=evidence.ef_com,
        ef_sod=evidence.ef_sod,
        data_groups=dict(evidence.data_groups),
        read_ms=evidence.read_ms,
        reader=reader,
        proofs=proofs_of(evidence),
    )
