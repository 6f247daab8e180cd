"""Builders: an outbox in a temporary home, and occasions to tell."""

from datetime import UTC, datetime
from pathlib import Path

from counter_server.db import Database
from counter_server.outbox.courier import Courier, make_carriers
from counter_server.outbox.messages import Occasion
from counter_server.outbox.subscribers import OutboxSettings, WebhookSettings
from tests.counter_server.outbox.receiver import HERE, HOST, SECRET, Certified, Receiver, to_here

VALUES = {"address": "北京市西城区金融大街1号", "postcode": "100033", "holder.name": "ZHANG WEI"}


def occasion(record_id: str = "R-20261121-00000001", subject: str = "C-1", **values: str) -> Occasion:
    return Occasion(
        record_id=record_id,
        subject=subject,
        service_id="change-address",
        service_title="修改联系地址",
        language="zh",
        channel="kiosk",
        outcome="done",
        sealed_at=datetime(2026, 11, 21, 12, tzinfo=UTC),
        manifest_sha256="ab" * 32,
        values=VALUES | values,
        check_code="7K3M9Q2X",
        check_url=f"https://counter.test/check?record={record_id}&code=7K3M9Q2X",
    )


def write_secret(home: Path, name: str = "core.secret") -> Path:
    home.mkdir(parents=True, exist_ok=True)
    (home / name).touch(mode=0o600)
    (home / name).write_text(SECRET + "\n")
    return Path(name)


def hooks(home: Path, made: Certified, **receivers: Receiver) -> OutboxSettings:
    """One subscriber per receiver, told the new address and nothing else."""
    secret = write_secret(home)
    told = {
        name: WebhookSettings(url=each.url, secret_file=secret, ca_file=made.ca_file, fields=("address",))
        for name, each in receivers.items()
    }
    return OutboxSettings(hosts=(HOST,), networks=HERE, webhook=told, first_pause_s=0.05, most_attempts=3)


def courier(db: Database, settings: OutboxSettings, home: Path) -> Courier:
    return Courier(db, settings, make_carriers(settings, home, to_here), home)
