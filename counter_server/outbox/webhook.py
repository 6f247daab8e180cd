"""Events to core systems, signed as Standard Webhooks has it: HMAC-SHA256 over id, time and body.

A receiver checks the signature, refuses times too far from its own clock, and does each `webhook-id` once.
"""

import base64
import binascii
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass

from counter_server.errors import StoppedError
from counter_server.outbox.calling import Caller
from counter_server.outbox.service import Parcel

SECRET_PREFIX = "whsec_"  # noqa: S105 - how every secret of this kind begins
FEWEST_BYTES, MOST_BYTES = 24, 64  # Standard Webhooks, "Signature scheme"


def read_webhook_secret(spelling: str, name: str) -> bytes:
    """The key behind `whsec_…`.

    Raises:
        StoppedError: it is none, or too short to be one.
    """
    try:
        key = base64.b64decode(spelling.strip().removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise StoppedError(f"{name}: wants {SECRET_PREFIX} and base64") from error
    if not FEWEST_BYTES <= len(key) <= MOST_BYTES:
        raise StoppedError(f"{name}: wants {FEWEST_BYTES} to {MOST_BYTES} bytes, has {len(key)}")
    return key


def sign_event(key: bytes, event_id: str, at_s: int, body: bytes) -> str:
    """The `webhook-signature` of this event at this time."""
    signed = b".".join((event_id.encode(), str(at_s).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


@dataclass(frozen=True, slots=True)
class WebhookCarrier:
    """Hands events to one core system."""

    caller: Caller
    key: bytes
    clock: Callable[[], float] = time.time

    def carry(self, parcel: Parcel) -> None:
        """One event; `OutboxError` when it was not taken."""
        body, at_s = parcel.body.encode(), int(self.clock())
        self.caller.post(
            {
                "Content-Type": "application/json",
                "webhook-id": parcel.event_id,
                "webhook-timestamp": str(at_s),
                "webhook-signature": sign_event(self.key, parcel.event_id, at_s, body),
                "webhook-sequence": str(parcel.number),  # ours: a later event of one subject has a larger number
            },
            body,
        )
