"""A pcscd of one's own: real daemon, vpcd driver, nothing shared with the machine's pcscd; for tests and benches.

The daemon ignores PCSCLITE_CSOCK_NAME and refuses to start beside another one, so it lives in a mount namespace with
its own /run/pcscd; clients reach its socket through /proc. The client library reads PCSCLITE_CSOCK_NAME once per
process, therefore `socket` is a symlink that stays the same over `restart()`. vpcd listens on all addresses without
asking who connects: never on a machine in service.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Self

from hardware_drivers.smartcard.simulated import Chip, Faults, VpcdCard

VPCD_DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
START_WITHIN_S = 5.0


def why_not() -> str | None:
    """What this machine lacks for a private pcscd, or None."""
    if shutil.which("pcscd") is None:
        return "wants pcscd (apt install pcscd)"
    if not VPCD_DRIVER.exists():
        return "wants the vpcd driver (apt install vsmartcard-vpcd)"
    probe = subprocess.run(["unshare", *_namespace(), "true"], capture_output=True, check=False)
    return None if probe.returncode == 0 else "wants root or user namespaces for a mount namespace"


def _namespace() -> list[str]:
    """unshare's options: a mount namespace, inside a user namespace where we are not root."""
    return [*([] if os.geteuid() == 0 else ["-Ur"]), "-m", "--propagation", "private"]


def free_port_pairs(count: int) -> list[int]:
    """Ports p with p and p + 1 free: vpcd listens on both, one per slot, on all addresses."""
    found: list[int] = []
    while len(found) < count:
        with contextlib.ExitStack() as held, contextlib.suppress(OSError):
            first = held.enter_context(socket.create_server(("0.0.0.0", 0)))  # noqa: S104 - what vpcd binds itself
            port = first.getsockname()[1]
            held.enter_context(socket.create_server(("0.0.0.0", port + 1)))  # noqa: S104 - as above
            if port not in found:
                found.append(port)
    return found


def write_reader_conf(path: Path, port: int, *, name: str = "Kiosk A", driver: Path = VPCD_DRIVER) -> None:
    """Append one vpcd reader to a reader.conf file; a card joins it on 127.0.0.1:port."""
    with path.open("a", encoding="utf-8") as conf:
        conf.write(f'FRIENDLYNAME "{name}"\nDEVICENAME /dev/null:{port}\nLIBPATH {driver}\nCHANNELID {port}\n\n')


class PrivatePcscd:
    """A running pcscd with `readers` vpcd readers named Kiosk A, Kiosk B …

    Attributes:
        socket: For PCSCLITE_CSOCK_NAME of every client process.
        ports: Where a card joins each reader on 127.0.0.1.
    """

    def __init__(self, readers: int = 1, *, socket_link: Path | None = None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pcscd-"))
        self.ports = free_port_pairs(readers)
        self.socket = socket_link or self._folder / "pcscd.comm"
        self._conf = self._folder / "reader.conf"
        for index, port in enumerate(self.ports):
            driver = VPCD_DRIVER
            if index:  # vpcd keeps its sockets in a static array by slot only, so each reader needs its own copy
                driver = self._folder / f"libifdvpcd{index}.so"
                shutil.copy(VPCD_DRIVER, driver)
            write_reader_conf(self._conf, port, name=f"Kiosk {chr(ord('A') + index)}", driver=driver)
        self._daemon: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start the daemon and point `socket` at it."""
        inside = f"mount -t tmpfs tmpfs /run/pcscd && exec pcscd -c {self._conf} -f -e"
        log_path = self._folder / "log"
        with log_path.open("ab") as log:
            Path("/run/pcscd").mkdir(exist_ok=True)
            self._daemon = subprocess.Popen(["unshare", *_namespace(), "sh", "-c", inside], stdout=log, stderr=log)
        real = Path(f"/proc/{self._daemon.pid}/root/run/pcscd/pcscd.comm")
        give_up_at = time.monotonic() + START_WITHIN_S
        while not _accepts(real):
            if self._daemon.poll() is not None or time.monotonic() > give_up_at:
                raise RuntimeError(f"pcscd did not start: {log_path.read_text(errors='replace')}")
            time.sleep(0.01)
        self.socket.unlink(missing_ok=True)
        self.socket.symlink_to(real)

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        if self._daemon is not None:
            self._daemon.kill()
            self._daemon.wait()
            self._daemon = None

    def restart(self) -> None:
        """Crash and come back, on the same socket name and ports."""
        self.kill()
        self.start()

    def stop(self) -> None:
        """End the daemon and clean up."""
        if self._daemon is not None:
            self._daemon.terminate()
            try:
                self._daemon.wait(3)
            except subprocess.TimeoutExpired:
                self.kill()
        self.socket.unlink(missing_ok=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        """Running already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stopped."""
        self.stop()


def _accepts(path: Path) -> bool:
    """True once the daemon listens."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


class ThreadCard:
    """A card on a reader for as long as the block lasts, its chip an object of this process."""

    def __init__(self, port: int, chip: Chip) -> None:
        self._port = port
        self._chip = chip

    def __enter__(self) -> Self:
        """On the reader."""
        self._reader = socket.create_connection(("127.0.0.1", self._port))
        self._serving = threading.Thread(target=self._serve, daemon=True)
        self._serving.start()
        return self

    def _serve(self) -> None:
        """Answer until pulled."""
        with contextlib.suppress(OSError):
            VpcdCard(self._chip, Faults()).serve_connection(self._reader)

    def pull(self) -> None:
        """Take it off the reader, even in the middle of a command."""
        with contextlib.suppress(OSError):
            self._reader.shutdown(socket.SHUT_RDWR)

    def __exit__(self, *_: object) -> None:
        """Off it."""
        self.pull()
        self._serving.join(5)
        self._reader.close()
