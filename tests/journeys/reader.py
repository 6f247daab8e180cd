"""A card reader for the demo: real pcscd with the vpcd driver in a world of its own, or the simulated cable.

vpcd listens on every address without asking who calls, so pcscd gets a network namespace besides its mount namespace:
nothing outside this machine's demo can reach it, and cards step inside with nsenter. Without root it is a user
namespace; where even that is forbidden, cards go over the simulated cable on 127.0.0.1.
"""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.hardware_drivers.pcscd_rig import VPCD_DRIVER, write_reader_conf
from tests.journeys.programs import Program, free_port

START_WITHIN_S = 5.0
VPCD_PORT = 35963  # the driver's own default; free for certain, because the namespace is new
READER_NAME = "Kiosk A"
# /run/pcscd is covered by a fresh folder, and loopback switched on (SIOCSIFFLAGS 0x8914, IFF_UP 1: netdevice(7)).
INSIDE = """
import fcntl, os, socket, struct, subprocess, sys
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
os.mkdir("/run/pcscd")
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh14x", b"lo", 1))
os.execvp("pcscd", ["pcscd", "-c", sys.argv[1], "-f", "-e"])
"""


@dataclass(slots=True)
class Reader:
    """Where the demo's cards are put down.

    Attributes:
        settings: The reader's lines of kiosk.toml.
        environment: What a process needs to see this reader.
        card_prefix: Words before a simulated card's command, so that it can reach the reader.
        card_port: Where a simulated card connects; 0 for a real reader.
        words: What this is, for people.
    """

    settings: dict[str, str | int]
    words: str
    environment: dict[str, str] = field(default_factory=dict)
    card_prefix: tuple[str, ...] = ()
    card_port: int = 0
    daemon: Program | None = None

    def stop(self) -> None:
        """End what was started for it."""
        if self.daemon is not None:
            self.daemon.stop()


def real_reader(name: str) -> Reader:
    """A reader that is plugged into this machine, by a part of its name, through the system's pcscd."""
    return Reader({"reader": "pcsc", "reader_name": name}, f"the real reader '{name}'")


def cable_reader() -> Reader:
    """The simulated cable on a free port of 127.0.0.1."""
    port = free_port()
    return Reader({"reader": "cable", "cable_port": port}, "a simulated cable (no PC/SC)", card_port=port)


def why_no_pcscd() -> str | None:
    """What this machine lacks for a pcscd of the demo's own, or None."""
    if shutil.which("pcscd", path=search_path()) is None:
        return "pcscd is not installed"
    if not VPCD_DRIVER.exists():
        return "the vpcd driver is not installed"
    if subprocess.run(["unshare", *namespaces(), "true"], capture_output=True, check=False).returncode != 0:
        return "neither root nor user namespaces are allowed here"
    if subprocess.run([sys.executable, "-c", "import smartcard.scard"], capture_output=True, check=False).returncode:
        return "pyscard is not installed"
    return None


def pcscd_reader(folder: Path) -> Reader:
    """A new pcscd with one virtual reader; its files lie in `folder`.

    Raises:
        RuntimeError: it does not start; the message is its own last words.
    """
    folder.mkdir(parents=True, exist_ok=True)
    conf = folder / "reader.conf"
    conf.unlink(missing_ok=True)
    write_reader_conf(conf, VPCD_PORT, name=READER_NAME)
    words = ["unshare", *namespaces(), sys.executable, "-c", INSIDE, str(conf)]
    daemon = Program("pcscd", words, folder / "pcscd.log", {"PATH": search_path()})
    socket = Path(f"/proc/{daemon.pid}/root/run/pcscd/pcscd.comm")
    give_up_at = time.monotonic() + START_WITHIN_S
    while not socket.exists():
        if not daemon.running() or time.monotonic() > give_up_at:
            daemon.stop()
            raise RuntimeError(f"pcscd did not start: {daemon.last_words()}")
        time.sleep(0.02)
    inside = ("nsenter", "--target", str(daemon.pid), "--net")
    return Reader(
        {"reader": "pcsc", "reader_name": READER_NAME},
        "real pcscd with a virtual reader (vpcd)",
        environment={"PCSCLITE_CSOCK_NAME": str(socket)},
        card_prefix=inside if os.geteuid() == 0 else (*inside, "--user", "--preserve-credentials"),
        card_port=VPCD_PORT,
        daemon=daemon,
    )


def namespaces() -> list[str]:
    """unshare's options: mounts and network, inside a user namespace where we are not root."""
    return [*([] if os.geteuid() == 0 else ["-Ur"]), "-m", "-n", "--propagation", "private"]


def search_path() -> str:
    """PATH with the folders where daemons live."""
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
