"""The whole house, started as an operator would: a counter with clerks, an enrolled kiosk, a reader for cards."""

import contextlib
import os
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.journeys.glass import Glass, GlassKind, glass_for
from tests.journeys.programs import Program, ProgramError, free_port, run_once
from tests.journeys.reader import Reader, cable_reader, pcscd_reader, why_no_pcscd

COUNTER_PORT, KIOSK_DOOR_PORT, KIOSK_PORT = 8070, 8444, 8071
READY_WITHIN_S = 90.0  # the first start converts the face network and compiles templates
KIOSK_ID = "kiosk-a"
TRIES_WITH_ONE_CARD = 200


@dataclass(frozen=True, slots=True)
class Clerk:
    """A throw-away login."""

    username: str
    name: str
    roles: tuple[str, ...]
    language: str
    password: str


@dataclass(frozen=True, slots=True)
class Lan:
    """What serving beyond this machine takes: an address others can reach, and a certificate for it."""

    host: str
    cert_file: Path
    key_file: Path


def throw_away_clerks() -> tuple[Clerk, Clerk]:
    """Two people for the console, with passwords nobody has used before; both may approve, never their own."""
    return (
        Clerk("zhang", "张伟 Zhang Wei", ("clerk", "approver"), "zh", secrets.token_urlsafe(9)),
        Clerk("li", "李娜 Li Na", ("clerk", "approver", "supervisor"), "en", secrets.token_urlsafe(9)),
    )


def throw_away_interpreter() -> Clerk:
    """Somebody who serves nobody and may be asked into a call."""
    return Clerk("anna", "Anna Weber", ("interpreter",), "en", secrets.token_urlsafe(9))


class Stack:
    """A running house. Make one with `running_stack`."""

    def __init__(
        self, folder: Path, reader: Reader, clerks: tuple[Clerk, ...], lan: Lan | None, glass: Glass | None = None
    ) -> None:
        self.folder = folder
        self.home = folder / "counter"
        self.reader = reader
        self.glass = glass
        self.clerks = {clerk.username: clerk for clerk in clerks}
        self._lan = lan
        self._logs = folder / "logs"
        self._logs.mkdir(parents=True, exist_ok=True)
        self._port = free_port(COUNTER_PORT)
        self._kiosk_door = free_port(KIOSK_DOOR_PORT)
        self._kiosk_port = free_port(KIOSK_PORT)
        self._counter: Program | None = None
        self._kiosk: Program | None = None

    @property
    def counter_url(self) -> str:
        """Where phones and consoles go."""
        return f"https://{self._lan.host}:{self._port}" if self._lan else f"http://127.0.0.1:{self._port}"

    @property
    def counter_log(self) -> Path:
        """What the counter says: why a face was refused, among other things."""
        return self._logs / "counter.log"

    @property
    def kiosk_url(self) -> str:
        """Where the kiosk's own screen goes."""
        return f"http://127.0.0.1:{self._kiosk_port}"

    @property
    def console_url(self) -> str:
        """Where clerks go."""
        if self._lan:
            return f"{self.counter_url}/console"
        return f"http://localhost:{self._port}/console"  # passkeys are made for a name, and an address is none

    def counter_command(self, *words: str) -> list[str]:
        """The product's command line on this house's home."""
        return [sys.executable, "-m", "counter_server", "--home", str(self.home), *words]

    def counter(self, *words: str, given: str = "") -> str:
        """Run `counter …` to its end; what it printed.

        Raises:
            ProgramError: with its error output, when it fails.
        """
        return run_once(self.counter_command(*words), given=given)

    def record(self, *words: str) -> str:
        """Run `counter record …` on this house's safe; what it printed.

        Raises:
            ProgramError: the record does not hold, or is not there.
        """
        return self.counter("record", *words)

    def trust(self, *certificates: Path) -> None:
        """Believe these CSCA certificates (DER) from the next start on."""
        for certificate in certificates:
            self.counter("trust", "import", str(certificate))

    def prepare(self) -> None:
        """Clerks, kiosk certificate and kiosk.toml."""
        for clerk in self.clerks.values():
            roles = [word for role in clerk.roles for word in ("--role", role)]
            words = ["clerk", "add", clerk.username, "--name", clerk.name, *roles]
            words += ["--language", clerk.language, "--password-stdin"]
            self.counter(*words, given=clerk.password + "\n")
        self._let_cards_try_often()
        keys = self.folder / "kiosk"
        self.counter("kiosk", "enrol", KIOSK_ID, "--name", "Kiosk A", "--out", str(keys))
        settings = {
            "kiosk_id": KIOSK_ID,
            "name": "Kiosk A",
            "listen_port": self._kiosk_port,
            "counter_url": f"https://127.0.0.1:{self._kiosk_door}",
            "ca_file": "ca.pem",
            "cert_file": "kiosk.pem",
            "key_file": "kiosk.key",
            **self.reader.settings,
        }
        lines = [
            f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}" for key, value in settings.items()
        ]
        if self.glass is not None:
            lines += ["[finger]", *(f'{key} = "{value}"' for key, value in self.glass.settings.items())]
            self.glass.come()
        (keys / "kiosk.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _let_cards_try_often(self) -> None:
        """Every journey and every demo of a day uses the same few cards, many of them to be refused."""
        path = self.home / "counter.toml"
        told = path.read_text("utf-8") if path.exists() else ""
        if "document_tries" not in told:
            path.write_text(f"document_tries = {TRIES_WITH_ONE_CARD}\n{told}", encoding="utf-8")

    def start_counter(self) -> None:
        """Start the counter and wait until it listens."""
        words = self.counter_command(
            "--verbose", "serve", "--port", str(self._port), "--kiosk-port", str(self._kiosk_door)
        )
        if self._lan:
            words += ["--host", "0.0.0.0", "--public-url", self.counter_url]  # noqa: S104 - what --lan asks for
            words += ["--tls-cert", str(self._lan.cert_file), "--tls-key", str(self._lan.key_file)]
        self._counter = Program("counter", words, self.counter_log)
        self._counter.wait_ready(READY_WITHIN_S)

    def start_kiosk(self) -> None:
        """Start the kiosk agent and wait until its page can be opened."""
        words = [sys.executable, "-m", "kiosk", "--config", str(self.folder / "kiosk" / "kiosk.toml")]
        self._kiosk = Program("kiosk", words, self._logs / "kiosk.log", self.reader.environment)
        self._kiosk.wait_ready(READY_WITHIN_S)
        if self.glass is not None:
            self.glass.watch(self.kiosk_url)

    def kill_counter(self) -> None:
        """End the counter as a power failure would."""
        if self._counter is not None:
            self._counter.kill()
            self._counter.stop()  # closes its pipe, and whatever of its group is left

    def stop_kiosk(self) -> None:
        """End the kiosk agent in order."""
        if self._kiosk is not None:
            self._kiosk.stop()

    def stop(self) -> None:
        """End everything, newest first."""
        if self.glass is not None:
            self.glass.stop()
        for program in (self._kiosk, self._counter):
            if program is not None:
                program.stop()
        self.reader.stop()


def demo_reader(folder: Path) -> Reader:
    """The best reader this machine allows, without asking for one that is plugged in."""
    if os.environ.get("COUNTER_CABLE") == "1" or why_no_pcscd() is not None:
        return cable_reader()
    try:
        return pcscd_reader(folder)
    except RuntimeError:
        return cable_reader()


@contextlib.contextmanager
def running_stack(
    folder: Path,
    *,
    reader: Reader | None = None,
    trusted: tuple[Path, ...] = (),
    lan: Lan | None = None,
    finger: GlassKind | None = None,
) -> Iterator[Stack]:
    """A house that is open for as long as the block lasts.

    Args:
        folder: For everything it writes; its logs lie in `folder/logs`.
        reader: Where cards are put down; the best this machine allows by default.
        trusted: CSCA certificates in DER.
        lan: Serve phones and consoles beyond this machine.
        finger: The kiosk's fingerprint scanner; by default what COUNTER_FINGER names, else the simulated one.

    Raises:
        ProgramError: a part does not start; the message carries its last words.
    """
    folder.mkdir(parents=True, exist_ok=True)
    glass = glass_for(finger or GlassKind(os.environ.get("COUNTER_FINGER", "simulated")), folder / "kiosk")
    people = (*throw_away_clerks(), throw_away_interpreter())
    stack = Stack(folder, reader or demo_reader(folder / "pcscd"), people, lan, glass)
    try:
        stack.prepare()
        stack.trust(*trusted)
        stack.start_counter()
        stack.start_kiosk()
        yield stack
    finally:
        stack.stop()


__all__ = ["Clerk", "Lan", "ProgramError", "Stack", "demo_reader", "running_stack", "throw_away_clerks"]
