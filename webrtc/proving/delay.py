"""A line with a delay: two TUN interfaces, one in a namespace, and a thread that carries packets between them late.

Stands in for netem, which this kernel may lack. It works on whole IP packets, so nothing that crosses it has to know.
"""

import contextlib
import ctypes
import fcntl
import heapq
import itertools
import os
import selectors
import struct
import threading
import time
from pathlib import Path

_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_CLONE_NEWNET = 0x40000000
_MTU = 2048


def _open_tun(name: str) -> int:
    """A TUN interface in the namespace of this thread."""
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    return tun


def _open_tun_inside(namespace: str, name: str) -> int:
    """The same in another namespace; a thread of its own goes there, so that nobody else does."""
    opened: list[int] = []
    failures: list[OSError] = []

    def enter() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        try:
            handle = os.open(Path("/run/netns") / namespace, os.O_RDONLY)
            try:
                if libc.setns(handle, _CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
                opened.append(_open_tun(name))
            finally:
                os.close(handle)
        except OSError as error:
            failures.append(error)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return opened[0]


class DelayedWire:
    """The line between `near` here and `line` in the namespace."""

    def __init__(self, namespace: str, near: str):
        self._near = _open_tun(near)
        try:
            self._far = _open_tun_inside(namespace, "line")
        except OSError:
            os.close(self._near)
            raise
        self._delay_s = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def set_delay(self, one_way_s: float) -> None:
        """From the next packet on."""
        self._delay_s = one_way_s

    def close(self) -> None:
        """Stop carrying; the interfaces vanish."""
        self._over.set()
        self._thread.join(1.0)
        os.close(self._near)
        os.close(self._far)

    def _carry(self) -> None:
        """Read both ends, write each packet when its time has come."""
        waiting: list[tuple[float, int, int, bytes]] = []
        order = itertools.count()
        other = {self._near: self._far, self._far: self._near}
        with selectors.DefaultSelector() as selector:
            for end in other:
                selector.register(end, selectors.EVENT_READ)
            while not self._over.is_set():
                patience_s = max(0.0, waiting[0][0] - time.monotonic()) if waiting else 0.2
                for key, _ in selector.select(min(patience_s, 0.2)):
                    with contextlib.suppress(BlockingIOError):
                        while True:
                            packet = os.read(key.fd, _MTU)
                            entry = (time.monotonic() + self._delay_s, next(order), other[key.fd], packet)
                            heapq.heappush(waiting, entry)
                while waiting and waiting[0][0] <= time.monotonic():
                    _, _, end, packet = heapq.heappop(waiting)
                    with contextlib.suppress(OSError):  # an interface that is down takes nothing
                        os.write(end, packet)
