"""Fixtures of the device tests."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hardware_drivers.pcscd_rig import PrivatePcscd, why_not

LACKING = why_not()
# libpcsclite reads PCSCLITE_CSOCK_NAME once per process, so every private pcscd of this process hides behind one name.
SOCKET_LINK = Path(tempfile.gettempdir()) / f"pcscd-of-tests-{os.getpid()}.comm"


@pytest.fixture
def pcscd(monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivatePcscd]:
    """A private pcscd with the readers Kiosk A and Kiosk B."""
    if LACKING is not None:
        pytest.skip(LACKING)
    monkeypatch.setenv("PCSCLITE_CSOCK_NAME", str(SOCKET_LINK))
    with PrivatePcscd(readers=2, socket_link=SOCKET_LINK) as daemon:
        yield daemon
