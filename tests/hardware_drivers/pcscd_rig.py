"""The private pcscd of `hardware_drivers.smartcard.private_pcscd`, and the simulated card's own process on it."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from hardware_drivers.smartcard.private_pcscd import (
    VPCD_DRIVER,
    PrivatePcscd,
    ThreadCard,
    free_port_pairs,
    why_not,
    write_reader_conf,
)

__all__ = [
    "VPCD_DRIVER",
    "PrivatePcscd",
    "ThreadCard",
    "card_on_reader",
    "free_port_pairs",
    "why_not",
    "write_reader_conf",
]

REPOSITORY = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def card_on_reader(port: int, card: Path, *options: str) -> Iterator["subprocess.Popen[bytes]"]:
    """The simulated card's own process, on the reader for as long as the block lasts."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "hardware_drivers.smartcard.simulated",
            "--port",
            str(port),
            "--card",
            str(card),
            *options,
        ],
        cwd=REPOSITORY,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(5)
