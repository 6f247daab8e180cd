"""Delivers at least once: whatever was committed is handed over until it is taken or given up, over any crash.

One loop per subscriber, so that one who is away keeps nobody else waiting. Within a subscriber the order per subject
is kept: what came later waits for what came earlier, also for what was given up until somebody looked at it.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from counter_server.db import Database
from counter_server.errors import StoppedError
from counter_server.outbox import orders, service
from counter_server.outbox.calling import Caller, trusting
from counter_server.outbox.errors import OutboxError, RefusedError
from counter_server.outbox.memos import MailCarrier, SmsCarrier
from counter_server.outbox.pinning import Resolver, look_up
from counter_server.outbox.service import Parcel
from counter_server.outbox.subscribers import MAIL, SMS, OutboxSettings
from counter_server.outbox.webhook import WebhookCarrier, read_webhook_secret
from counter_server.records.errors import RecordError
from counter_server.records.keys import read_private

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
TIDY_EVERY_S = 3600.0
LARGEST_DOUBLING = 20  # 2^20 times any pause is above every longest one


class Carrier(Protocol):
    """Takes one parcel to one subscriber. Called in a thread; may take seconds, never longer than its time limit."""

    def carry(self, parcel: Parcel) -> None:
        """Return when it was taken; `OutboxError` when not."""


def pause_s(settings: OutboxSettings, attempts: int, chance: float) -> float:
    """How long to wait after so many tries: doubled each time, bounded, anywhere in the upper half of that.

    Args:
        attempts: Tries already made, one or more.
        chance: Uniform in [0, 1): receivers that come back are not met by everybody at once.
    """
    doubled = settings.first_pause_s * float(1 << min(attempts - 1, LARGEST_DOUBLING))
    whole = min(settings.longest_pause_s, doubled)
    return whole * (0.5 + chance / 2)


@dataclass(frozen=True, slots=True)
class Courier:
    """Brings what is in the box to whoever is to have it."""

    db: Database
    settings: OutboxSettings
    carriers: Mapping[str, Carrier]
    home: Path
    changed: Callable[[], None] = lambda: None
    chance: Callable[[], float] = random.random

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_house())
            for name in self.carriers:
                tasks.create_task(self._serve(name))

    async def _serve(self, name: str) -> None:
        while True:
            try:
                while await self.round(name):
                    pass  # more is due: a morning's worth goes out without a pause
            except SQLAlchemyError as error:
                log.error("no deliveries to %s: %s", name, type(error).__name__)
            await asyncio.sleep(LOOK_EVERY_S)

    async def round(self, name: str) -> int:
        """Hand over what is due to one subscriber, one after the other; how many were tried."""
        parcels = await self.db.run(service.due, name, time.time())
        for parcel in parcels:
            await self._hand_over(name, parcel)
        return len(parcels)

    async def _hand_over(self, name: str, parcel: Parcel) -> None:
        try:
            await asyncio.to_thread(self.carriers[name].carry, parcel)
        except OutboxError as error:
            tries = parcel.attempts + 1
            final = isinstance(error, RefusedError) or tries >= self.settings.most_attempts
            again_at_s = None if final else time.time() + pause_s(self.settings, tries, self.chance())
            await self.db.run(service.missed, parcel.number, error.trouble, again_at_s)
            if final:
                log.error("delivery %d to %s was given up: %s", parcel.number, name, error.trouble)
        else:
            await self.db.run(service.arrived, parcel.number)
        self.changed()

    async def _keep_house(self) -> None:
        """What the command line ordered, and what may be forgotten."""
        tidied_s = float("-inf")
        while True:
            try:
                await self.follow_orders()
                if time.monotonic() - tidied_s > TIDY_EVERY_S:
                    await self.db.run(service.tidy, time.time())
                    tidied_s = time.monotonic()
            except (SQLAlchemyError, OSError) as error:
                log.error("the outbox was not tidied: %s", type(error).__name__)
            await asyncio.sleep(LOOK_EVERY_S)

    async def follow_orders(self) -> None:
        """Do what `counter outbox retry` and `drop` wrote down; done twice is done once."""
        for order in await asyncio.to_thread(orders.read_orders, self.home):
            do = service.retry if order.what is orders.What.RETRY else service.drop
            if not await self.db.run(do, order.number):
                log.warning("delivery %d waits for nobody", order.number)
            await asyncio.to_thread(order.path.unlink, missing_ok=True)


def make_carriers(settings: OutboxSettings, home: Path, resolve: Resolver = look_up) -> dict[str, Carrier]:
    """One carrier per subscriber, its secrets read.

    Raises:
        StoppedError: a file named in the settings is missing, readable by others, or not what it should be.
    """
    carriers: dict[str, Carrier] = {}
    try:
        for name, hook in settings.webhook.items():
            key = read_webhook_secret(_secret(home, hook.secret_file), hook.secret_file.name)
            caller = Caller(hook.url, trusting(_in(home, hook.ca_file)), settings.networks, resolve)
            carriers[name] = WebhookCarrier(caller, key)
        if (mail := settings.mail) is not None:
            password = _secret(home, mail.password_file) if mail.password_file is not None else ""
            context = trusting(_in(home, mail.ca_file))
            carriers[MAIL] = MailCarrier(mail, context, password, settings.networks, resolve)
        if (sms := settings.sms) is not None:
            bearer = _secret(home, sms.bearer_file) if sms.bearer_file is not None else ""
            caller = Caller(sms.url, trusting(_in(home, sms.ca_file)), settings.networks, resolve)
            carriers[SMS] = SmsCarrier(sms, caller, bearer)
    except (OSError, RecordError) as error:
        raise StoppedError(f"outbox.toml: {error}") from error
    return carriers


def _secret(home: Path, file: Path) -> str:
    return read_private(home / file).decode("ascii", "replace").strip()


def _in(home: Path, file: Path | None) -> Path | None:
    return None if file is None else home / file
