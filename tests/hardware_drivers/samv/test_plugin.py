"""The maker's library in its child: what it may do, and how it is stopped. The libraries here are ours, for tests."""

import contextlib
import os
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hardware_drivers.samv.errors import PluginError, PluginFault
from hardware_drivers.samv.plugin import PORTRAIT_BYTES, MakerLibrary, program, wlt2bmp_library

WLT = bytes(range(256)) * 4
READ_REQUEST = "import sys,struct,os,time;i=sys.stdin.buffer;k,n=struct.unpack('>cI',i.read(5));d=i.read(n);"
ANSWER = "o=lambda b:(sys.stdout.buffer.write(b'R'+struct.pack('>I',len(b))+b),sys.stdout.flush());"
PORTRAIT = "p=lambda:o(struct.pack('>HH',102,126)+d[:3]*(102*126));"


def library(script: str, **limits: float) -> MakerLibrary:
    """A program that reads its request into `k` and `d`, then does that."""
    return MakerLibrary((sys.executable, "-I", "-c", READ_REQUEST + ANSWER + PORTRAIT + script), **limits)  # type: ignore[arg-type]


def command_lines() -> str:
    """What every process here was started with; empty for those that are gone or dead."""
    lines = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            lines.append((folder / "cmdline").read_text(errors="replace"))
    return "\n".join(lines)


def fault_of(maker: MakerLibrary) -> PluginFault:
    """How it fails."""
    with pytest.raises(PluginError) as caught:
        maker.decode_portrait(WLT)
    return caught.value.fault


def test_a_portrait_comes_back() -> None:
    picture = library("p()").decode_portrait(WLT)
    assert (picture.width_px, picture.height_px) == (102, 126)
    assert picture.rgb == b"\x00\x01\x02" * (102 * 126)


def test_features_are_compared_by_the_library() -> None:
    maker = library("o(struct.pack('>H',65535 if d[:512]==d[512:] and k==b'F' else 0))")
    assert maker.compare_fingerprints(b"a" * 512, b"a" * 512) == 1.0
    assert maker.compare_fingerprints(b"a" * 512, b"b" * 512) == 0.0


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("sys.stdout.write('E')", PluginFault.REFUSED),
        ("o(b'short')", PluginFault.BAD_ANSWER),
        ("o(struct.pack('>HH',126,102)+bytes(102*126*3))", PluginFault.BAD_ANSWER),
        ("o(bytes(5_000_000))", PluginFault.BAD_ANSWER),
        ("sys.stdout.write('X'*38565)", PluginFault.BAD_ANSWER),
        ("pass", PluginFault.BAD_ANSWER),
        ("sys.exit(3)", PluginFault.CRASHED),
        ("os.abort()", PluginFault.CRASHED),
        ("os.kill(os.getpid(),11)", PluginFault.CRASHED),
    ],
)
def test_what_a_library_does_wrong_is_named(script: str, fault: PluginFault) -> None:
    assert fault_of(library(script)) is fault


def test_a_library_cannot_leave_the_portrait_in_a_file(tmp_path: Path) -> None:
    left = tmp_path / "portrait"
    assert fault_of(library(f"open({str(left)!r},'wb',0).write(d);p()")) is PluginFault.CRASHED
    assert left.read_bytes() == b""


def test_a_library_that_hangs_is_killed_in_time() -> None:
    begun = time.monotonic()
    assert fault_of(library("time.sleep(60)", timeout_s=0.4)) is PluginFault.TIMED_OUT
    assert time.monotonic() - begun < 1.5


def test_what_a_hanging_library_started_dies_with_it() -> None:
    marker = f"mark_{os.getpid()}"
    assert fault_of(library(f"{marker}=os.fork();time.sleep(60)", timeout_s=0.3)) is PluginFault.TIMED_OUT
    assert fault_of(library(f"{marker}=os.fork() and sys.exit(1);time.sleep(60)", timeout_s=0.3)) is not None
    give_up_at = time.monotonic() + 2.0  # the killed are reaped by init, not by us
    while marker in command_lines() and time.monotonic() < give_up_at:
        time.sleep(0.02)
    assert marker not in command_lines()


def test_a_library_that_eats_memory_is_stopped() -> None:
    assert fault_of(library("b=bytearray(300<<20);p()", memory_bytes=128 << 20)) is PluginFault.CRASHED
    library("b=bytearray(30<<20);p()", memory_bytes=128 << 20).decode_portrait(WLT)


def test_a_library_that_eats_time_is_stopped() -> None:
    begun = time.monotonic()
    assert fault_of(library("[0 for _ in iter(int,1)]", cpu_s=1, timeout_s=20.0)) is PluginFault.CRASHED
    assert time.monotonic() - begun < 10.0


def test_a_program_that_is_not_there_is_said_not_to_start() -> None:
    assert fault_of(program(["/nonexistent/decoder"])) is PluginFault.NOT_STARTED


def test_a_library_sees_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET_OF_THE_COUNTER", "x")
    maker = library("p() if 'A_SECRET_OF_THE_COUNTER' not in os.environ and os.getcwd()=='/' else sys.exit(1)")
    maker.decode_portrait(WLT)


@pytest.mark.parametrize("size", [0, 1023, 1025])
def test_only_a_whole_photograph_is_handed_over(size: int) -> None:
    with pytest.raises(ValueError, match="1024"):
        library("p()").decode_portrait(bytes(size))


LIBRARY_C = """
#include <string.h>
static void put(char *at, unsigned value) { memcpy(at, &value, 4); }
int wlt2bmpBuffer(const unsigned char *wlt, char *bmp, int bmp_bytes) {
    if (wlt[0] != 'W' || bmp_bytes != 38862) return -1;
    memset(bmp, 0, bmp_bytes);
    bmp[0] = 'B'; bmp[1] = 'M'; put(bmp + 10, 54); put(bmp + 18, 102); put(bmp + 22, 126);
    bmp[26] = 1; bmp[28] = 24;
    for (int i = 54; i < bmp_bytes; i++) bmp[i] = (i - 54) % 308 / 3 + (i - 54) / 308 + (i - 54) % 308 % 3 * 40;
    return 1;
}
"""


@pytest.mark.skipif(shutil.which("gcc") is None, reason="wants gcc, to make a shared library with the makers' function")
def test_a_shared_library_with_the_makers_function_is_used(tmp_path: Path) -> None:
    (tmp_path / "library.c").write_text(LIBRARY_C)
    shared = tmp_path / "libwlt.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", shared, tmp_path / "library.c"], check=True)
    maker = wlt2bmp_library(shared)
    picture = maker.decode_portrait(b"W" + bytes(1023))
    assert len(picture.rgb) == PORTRAIT_BYTES
    # a BMP begins at the bottom and stores blue, green, red
    for row, column in ((0, 0), (0, 101), (125, 0), (40, 60)):
        at = (row * 102 + column) * 3
        blue = column + 125 - row
        assert struct.unpack("3B", picture.rgb[at : at + 3]) == ((blue + 80) % 256, (blue + 40) % 256, blue % 256)
    assert fault_of(maker) is PluginFault.REFUSED


def test_a_shared_library_that_is_none_is_a_crash_of_the_child(tmp_path: Path) -> None:
    (tmp_path / "libwlt.so").write_text("no library")
    assert fault_of(wlt2bmp_library(tmp_path / "libwlt.so")) is PluginFault.CRASHED
