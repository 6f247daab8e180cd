"""Client hosts as network namespaces, each on a line that can lose, narrow, delay, move and break.

Needs root, iproute2 and nftables. A namespace is `cv<pid>-<name>`; everything goes with `close`, or with this process.
"""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from webrtc.proving.caretaker import Caretaker, clear_stale, namespace
from webrtc.proving.delay import DelayedWire

CHROMIUM = "/usr/bin/chromium"
# A private block nothing else here uses (RFC 2544 gives it to benchmarks of network devices).
_BLOCK = "198.18"
# tbf: a home router's queue is a few packets to some 100 ms deep; one full packet must fit into the burst.
_BURST = "5kb"
_QUEUE = "100ms"


def usable() -> str | None:
    """None where namespaces can be made here, else what is missing."""
    if os.geteuid() != 0:
        return "needs root for network namespaces"
    for tool in ("ip", "tc", "nft"):
        if not any((Path(folder) / tool).exists() for folder in ("/usr/sbin", "/sbin", "/usr/bin", "/bin")):
            return f"needs {tool}"
    return None


def _run(*words: str) -> None:
    """Run a tool of the system; its complaint becomes the error."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(words)}: {done.stderr.strip()}")


class Host:
    """One client: a namespace with one interface `line`, whose other end is here."""

    def __init__(self, name: str, number: int, *, delayed: bool):
        self.name = namespace(name)
        self.address = f"{_BLOCK}.{number}.2"
        self.server = f"{_BLOCK}.{number}.1"
        self._near = f"cv{os.getpid() % 100_000}n{number}"
        self._moves = 0
        self._wire: DelayedWire | None = None
        _run("ip", "netns", "add", self.name)
        try:
            if delayed:
                self._wire = DelayedWire(self.name, self._near)
            else:
                _run("ip", "link", "add", self._near, "type", "veth", "peer", "name", "line", "netns", self.name)
            _run("ip", "addr", "add", f"{self.server}/24", "dev", self._near)
            _run("ip", "link", "set", self._near, "up")
            self._inside("ip", "link", "set", "lo", "up")
            self._inside("ip", "addr", "add", f"{self.address}/24", "dev", "line")
            self._inside("ip", "link", "set", "line", "up")
            self._inside("ip", "route", "add", "default", "via", self.server)
        except OSError:
            self.close()
            raise

    def _inside(self, *words: str) -> None:
        _run("ip", "netns", "exec", self.name, *words)

    def browser(self, folder: Path) -> Path:
        """A program that starts Chromium on this host; pipes to it stay open."""
        script = folder / f"chromium-{self.name}"
        script.write_text(f'#!/bin/sh\nexec ip netns exec {self.name} {CHROMIUM} "$@"\n')
        script.chmod(0o755)
        return script

    def lose(self, *, up: float, down: float) -> None:
        """Drop this share of UDP packets, at random, from now on, without either end being told.

        What leaves is dropped by the interface, not by the `output` hook: that one answers the sender with EPERM, and
        Chromium then sends the packet once more (of 10 % asked for, 1 % was lost).
        """
        for family in ("inet", "netdev"):
            with contextlib.suppress(OSError):
                self._inside("nft", "delete", "table", family, "weather")
        for family, hook, share in (("netdev", "egress device line", up), ("inet", "input", down)):
            if share:
                self._inside("nft", "add", "table", family, "weather")
                chain = f"{{ type filter hook {hook} priority 0 ; }}"
                self._inside("nft", f"add chain {family} weather way {chain}")
                chance = f"numgen random mod 1000 < {round(1000 * share)} " if share < 1 else ""
                self._inside("nft", f"add rule {family} weather way meta l4proto udp {chance}drop")

    def narrow(self, down_kbit: int | None) -> None:
        """Carry no more than this towards the host; None lifts it."""
        with contextlib.suppress(OSError):
            _run("tc", "qdisc", "del", "dev", self._near, "root")
        if down_kbit is not None:
            limits = ("rate", f"{down_kbit}kbit", "burst", _BURST, "latency", _QUEUE)
            _run("tc", "qdisc", "add", "dev", self._near, "root", "tbf", *limits)

    def delay(self, one_way_s: float) -> None:
        """Hold every packet for so long each way (only on a delayed line)."""
        if self._wire is None:
            raise ValueError("this host was made without a delayed line")
        self._wire.set_delay(one_way_s)

    def move(self) -> None:
        """Get another address, as after roaming; the old one is gone at once."""
        self._moves += 1
        before, self.address = self.address, f"{self.address.rsplit('.', 1)[0]}.{2 + self._moves}"
        self._inside("ip", "addr", "del", f"{before}/24", "dev", "line")
        self._inside("ip", "addr", "add", f"{self.address}/24", "dev", "line")
        with contextlib.suppress(OSError):
            self._inside("ip", "route", "add", "default", "via", self.server)

    def cut(self) -> None:
        """Nothing passes, in either direction; the interface stays up, as behind a router that lost its line."""
        self.lose(up=1, down=1)

    def mend(self) -> None:
        """Everything passes again."""
        self.lose(up=0, down=0)

    def close(self) -> None:
        """Take namespace and interface away."""
        if self._wire is not None:
            self._wire.close()
        for words in (("ip", "link", "del", self._near), ("ip", "netns", "del", self.name)):
            with contextlib.suppress(OSError):
                _run(*words)


class Network:
    """Some client hosts around this machine, which is the server at `address` for all of them."""

    def __init__(self, names: tuple[str, ...], *, delayed: bool = False):
        self.hosts: dict[str, Host] = {}
        self.address = f"{_BLOCK}.{self._number(0)}.1"
        clear_stale()
        self._caretaker = Caretaker(tuple(namespace(name) for name in names))
        try:
            for place, name in enumerate(names):
                self.hosts[name] = Host(name, self._number(place), delayed=delayed)
        except OSError:
            self.close()
            raise

    @staticmethod
    def _number(place: int) -> int:
        """A subnet of our own, so that two runs at a time do not meet."""
        return (os.getpid() * 4 + place) % 250 + 2

    def __enter__(self) -> "Network":
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Clean up."""
        self.close()

    def __iter__(self) -> Iterator[Host]:
        """The hosts."""
        return iter(self.hosts.values())

    def close(self) -> None:
        """Take every host away."""
        for host in self.hosts.values():
            host.close()
        self.hosts.clear()
        self._caretaker.close()
