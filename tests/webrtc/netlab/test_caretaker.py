"""Namespaces go with whoever made them, however that process ended."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tests.webrtc.stage import until
from webrtc.proving.caretaker import clear_stale
from webrtc.proving.network import Network, usable

pytestmark = pytest.mark.skipif(usable() is not None, reason=usable() or "")

ROOT = Path(__file__).parents[3]
MAKER = textwrap.dedent(
    """
    import time
    from webrtc.proving.network import Network

    with Network(("customer", "clerk")):
        print("up", flush=True)
        time.sleep(60)
    """
)

MEASUREMENT = textwrap.dedent(
    """
    import sys
    from webrtc.proving.bench import bench_video

    try:
        bench_video(("memory",))
    except KeyboardInterrupt:
        sys.exit(130)
    """
)


def left_by(pid: int) -> list[str]:
    """Names of namespaces that this process made."""
    return [path.name for path in Path("/run/netns").glob(f"cv{pid}-*")]


def inodes(names: list[str]) -> set[int]:
    """What the kernel knows these namespaces by."""
    return {Path("/run/netns", name).stat().st_ino for name in names}


def networks_in_use() -> set[int]:
    """Network namespaces that some process is in, by inode."""
    inodes: set[int] = set()
    for link in Path("/proc").glob("[0-9]*/ns/net"):
        with contextlib.suppress(OSError):
            inodes.add(link.stat().st_ino)
    return inodes


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_process_that_is_ended_leaves_no_namespace(number: signal.Signals) -> None:
    words = [sys.executable, "-c", MAKER]
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    ) as maker:
        assert maker.stdout is not None
        assert maker.stdout.readline() == "up\n"
        assert len(left_by(maker.pid)) == 2
        os.killpg(maker.pid, number)  # as a terminal or a service manager does: everything we started is hit
    for _ in range(400):
        if not left_by(maker.pid):
            break
        time.sleep(0.05)
    assert left_by(maker.pid) == []


def test_what_was_left_by_the_dead_goes_at_the_next_start_and_what_belongs_to_the_living_stays() -> None:
    with subprocess.Popen(["/bin/true"]) as dead:
        dead.wait()
    stale, living = f"cv{dead.pid}-customer", f"cv{os.getppid()}-customer"
    for name in (stale, living):
        subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        with Network(("customer",)):
            assert left_by(dead.pid) == []
            assert left_by(os.getppid()) == [living]
            assert stale not in clear_stale()
        assert left_by(os.getpid()) == []
    finally:
        subprocess.run(["ip", "netns", "del", living], check=True)


async def test_a_measurement_told_to_end_takes_networks_and_clients_along() -> None:
    with subprocess.Popen([sys.executable, "-c", MEASUREMENT], cwd=ROOT) as bench:  # noqa: ASYNC220
        try:
            await until(lambda: len(left_by(bench.pid)) == 2, "its hosts came up", 90)
            hosts = inodes(left_by(bench.pid))
            bench.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(bench.wait, 90) == 130
        finally:
            bench.kill()
    assert left_by(bench.pid) == []
    assert not hosts & networks_in_use()
