"""A Janus of the distribution's, started for one measurement beside ours; dies with this process."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

JANUS = "/usr/bin/janus"
_PATIENCE_S = 10.0
_GENERAL = """general: {{ }}
nat: {{ ice_enforce_list = "{block}" }}
plugins: {{ disable = "{plugins}" }}
transports: {{ disable = "{transports}" }}
"""
_OTHER_PLUGINS = "audiobridge duktape echotest lua nosip recordplay sip streaming textroom videocall voicemail"
_OTHER_TRANSPORTS = "http mqtt nanomsg pfunix rabbitmq"
_WEBSOCKETS = """general: {{ json = "compact"; ws = true; ws_port = {port}; ws_ip = "{address}" }}
"""


@dataclass(frozen=True, slots=True)
class Janus:
    """Where it listens and which process it is."""

    url: str
    pid: int


def available() -> bool:
    """Whether Janus is installed."""
    return Path(JANUS).exists()


def _libraries(names: str, kind: str) -> str:
    return ",".join(f"libjanus_{name}{kind}.so" for name in names.split())


async def _free_port(address: str) -> int:
    server = await asyncio.start_server(lambda *_: None, address, 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


@asynccontextmanager
async def janus(address: str, folder: Path) -> AsyncIterator[Janus]:
    """A running Janus VideoRoom at this address; its settings go into the folder."""
    port = await _free_port(address)
    settings = folder / "janus"
    settings.mkdir()
    plugins, transports = _libraries(_OTHER_PLUGINS, ""), _libraries(_OTHER_TRANSPORTS, "")
    general = _GENERAL.format(block=address.rsplit(".", 2)[0] + ".", plugins=plugins, transports=transports)
    (settings / "janus.jcfg").write_text(general)
    (settings / "janus.transport.websockets.jcfg").write_text(_WEBSOCKETS.format(port=port, address=address))
    (settings / "janus.plugin.videoroom.jcfg").write_text("general: { }\n")
    process = await asyncio.create_subprocess_exec(
        *("setpriv", "--pdeathsig", "KILL", JANUS, "-F", str(settings), "--debug-level=2"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                try:
                    _, writer = await asyncio.open_connection(address, port)
                except OSError:
                    await asyncio.sleep(0.1)
                else:
                    writer.close()
                    break
        yield Janus(f"ws://{address}:{port}/", process.pid)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        shutil.rmtree(settings, ignore_errors=True)
