"""The figures of `counter bench video`: the media worker beside Janus, in one run, with clients outside of both.

Each part makes its own network and clients. A part that cannot be measured leaves its figures null and says why.
"""

import asyncio
import signal
import statistics
import time
from collections.abc import Awaitable, Callable

import playwright.async_api

from webrtc.errors import MediaError
from webrtc.proving import janus as janus_server
from webrtc.proving.cost import measure_cpu, measure_growth, measure_relay, measure_sessions
from webrtc.proving.lines import measure_long_ways, measure_loss, measure_loss_by_janus, measure_moves, measure_narrow
from webrtc.proving.network import usable
from webrtc.proving.speed import measure_first_picture, measure_latency
from webrtc.proving.stage import Figures

PARTS: dict[str, Callable[[], Awaitable[Figures]]] = {
    "cpu": lambda: measure_cpu(8.0),
    "first": lambda: measure_first_picture(7),
    "loss": lambda: measure_loss(30.0),
    "narrow": lambda: measure_narrow(15.0),
    "far": lambda: measure_long_ways(15.0),
    "janus": lambda: measure_loss_by_janus(15.0),
    "move": measure_moves,
    "memory": lambda: measure_growth(200),
    "relay": lambda: measure_relay(8.0),
    "latency": lambda: measure_latency(8.0),
    "sessions": lambda: measure_sessions(10.0),
}
KEYS = (
    "cpu_ratio_janus",
    "cpu_ratio_janus_recording",
    "cpu_ratio_mediarelay",
    "first_picture_ratio_janus",
    "warm_first_picture_ms",
    "freeze_s_at_10pct_loss",
    "fps_at_700k",
    "mbit_at_3pct_loss",
    "address_change_s",
    "outage_40s_s",
    "rss_growth_mb_200_calls",
)
_BREAKS_OFF = (MediaError, OSError, TimeoutError, statistics.StatisticsError, playwright.async_api.Error)
_NEEDS_JANUS = ("cpu", "first", "janus", "latency", "sessions")


async def _measure(parts: tuple[str, ...]) -> dict[str, object]:
    """The parts in turn; one that breaks off leaves a note."""
    figures: Figures = dict.fromkeys(KEYS)
    notes: dict[str, str] = {}
    missing = usable()
    for part in parts:
        if missing is not None:
            notes[part] = missing
        elif part in _NEEDS_JANUS and not janus_server.available():
            notes[part] = "needs Debian's janus"
        else:
            began_s = time.monotonic()
            try:
                figures |= await PARTS[part]()
            except _BREAKS_OFF as error:
                notes[part] = f"broke off after {time.monotonic() - began_s:.0f} s: {type(error).__name__}: {error}"
    for key in KEYS:
        if figures[key] is None:
            notes.setdefault(key, "not measured in this run")
    return {**{name: None if value is None else round(value, 3) for name, value in figures.items()}, "notes": notes}


async def _until_told_to_stop(parts: tuple[str, ...]) -> dict[str, object]:
    """The same; told to end, it takes its networks and clients along as after ^C."""
    measuring = asyncio.create_task(_measure(parts))
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, measuring.cancel)
    return await measuring


def bench_video(parts: tuple[str, ...]) -> dict[str, object]:
    """Every figure of these parts, and notes about what is missing; raise `KeyboardInterrupt` when told to end."""
    try:
        return asyncio.run(_until_told_to_stop(parts))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
