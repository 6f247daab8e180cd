"""A desk with its stand-in counter, one of each per test."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from counter_server.people.kiosks import KioskAuthority
from hardware_drivers.smartcard.cable import CableReaders
from kiosk.config import KioskConfig
from tests.kiosk.standin_counter import Heard, agent, kiosk_config, standin_counter


@dataclass
class Desk:
    """A running agent and what its counter heard."""

    port: int
    page: httpx.Client
    heard: Heard
    readers: CableReaders


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An agent on a cable reader, its counter answering."""
    with running_desk(tmp_path) as running:
        yield running


@contextlib.contextmanager
def running_desk(folder: Path, change: Callable[[KioskConfig], KioskConfig] = lambda config: config) -> Iterator[Desk]:
    """As the fixture, with another configuration."""
    authority, heard, readers = KioskAuthority(folder / "ca"), Heard(), CableReaders()
    with (
        standin_counter(authority, heard) as counter_port,
        agent(change(kiosk_config(folder / "kiosk", counter_port, authority)), readers) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False) as page,
    ):
        yield Desk(port, page, heard, readers)
