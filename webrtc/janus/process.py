"""A Janus of the distribution's that belongs to one media worker: private settings, loopback API, gone with us."""

import asyncio
import ipaddress
import secrets
import shutil
import socket
import tempfile
from pathlib import Path

from webrtc.errors import EngineUnfitError
from webrtc.offered import EVERY, read_offered

JANUS = "/usr/bin/janus"
# It is up after 0.3 s on an idle machine; a loaded one is ten times slower.
START_PATIENCE_S = 10.0
_PLUGINS_UNUSED = "audiobridge duktape echotest lua nosip recordplay sip streaming textroom videocall voicemail"
_TRANSPORTS_UNUSED = "http mqtt nanomsg pfunix rabbitmq"
# ICE lite makes the page lead on both its connections; else both sides would begin as followers on the one it sends on,
# and now and then nothing came about. debug_level 2 is errors only: more would write customers' addresses. The admin
# API is off unless it is asked for.
_GENERAL = """general: {{ api_secret = "{api_secret}"; debug_level = 2; admin_secret = "{admin_secret}" }}
nat: {{ ice_lite = true; {nat}; ignore_mdns = true }}
media: {{ ipv6 = false; {ports} }}
plugins: {{ disable = "{plugins}" }}
transports: {{ disable = "{transports}" }}
"""
_WEBSOCKETS = """general: {{ json = "compact"; ws = true; ws_ip = "127.0.0.1"; ws_port = {port}; wss = false }}
admin: {{ admin_ws = false; admin_wss = false }}
"""
_VIDEOROOM = """general: {{ admin_key = "{admin_key}"; lock_rtp_forward = true }}
"""


def _libraries(names: str) -> str:
    """Names of plugins as the settings want them."""
    return ",".join(f"libjanus_{name}.so" for name in names.split())


def _free_port() -> int:
    """A TCP port of this machine that nobody listens on now."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
        return port


def nat_settings(addresses: list[str] | None) -> tuple[str, str]:
    """Janus' settings of addresses and of ports, from what `webrtc.offered` writes; raise `EngineUnfitError`.

    It cannot use loopback, whatever it is told, and has one range of ports for all its addresses.
    """
    try:
        offered = [read_offered(text) for text in addresses or []]
    except ValueError as error:
        raise EngineUnfitError(f"an address to offer calls on: {error}") from error
    own = [one for one in offered if one.bound == EVERY or not ipaddress.ip_address(one.bound).is_loopback]
    bound = list(dict.fromkeys(one.bound for one in own if one.bound != EVERY))
    mapped = [one for one in own if one.told != one.bound]
    settings = [f'ice_enforce_list = "{",".join(bound)}"' if bound else "nice_debug = false"]
    if mapped:
        settings.append(f'nat_1_1_mapping = "{",".join(one.told for one in mapped)}"')
        if len(mapped) < len(own):
            settings.append("keep_private_host = true")
    ports = next((one.ports for one in own if one.ports is not None), None)
    return "; ".join(settings), "" if ports is None else f'rtp_port_range = "{ports[0]}-{ports[-1]}"'


class JanusProcess:
    """Made by `spawn`; dies with this process even when this process is killed."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path, url: str, api_secret: str, admin_key: str):
        self._process = process
        self._folder = folder
        self.url = url
        self.api_secret = api_secret
        self.admin_key = admin_key

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.returncode is None

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @classmethod
    async def spawn(cls, host_addresses: list[str] | None) -> "JanusProcess":
        """A Janus that listens; raise `EngineUnfitError` when there is none or it does not come up."""
        setpriv, program = shutil.which("setpriv"), shutil.which(JANUS)
        if program is None or setpriv is None:
            raise EngineUnfitError("no Janus on this machine: install the packages janus and util-linux")
        folder = Path(tempfile.mkdtemp(prefix="counter-janus-"))  # mode 0700: the secrets lie in it
        port = _free_port()
        api_secret, admin_key = secrets.token_hex(16), secrets.token_hex(16)
        nat, ports = nat_settings(host_addresses)
        general = _GENERAL.format(
            api_secret=api_secret,
            admin_secret=secrets.token_hex(16),
            nat=nat,
            ports=ports,
            plugins=_libraries(_PLUGINS_UNUSED),
            transports=_libraries(_TRANSPORTS_UNUSED),
        )
        (folder / "janus.jcfg").write_text(general)
        (folder / "janus.transport.websockets.jcfg").write_text(_WEBSOCKETS.format(port=port))
        (folder / "janus.plugin.videoroom.jcfg").write_text(_VIDEOROOM.format(admin_key=admin_key))
        process = await asyncio.create_subprocess_exec(
            *(setpriv, "--pdeathsig", "KILL", program, "-F", str(folder)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        janus = cls(process, folder, f"ws://127.0.0.1:{port}/", api_secret, admin_key)
        try:
            async with asyncio.timeout(START_PATIENCE_S):
                await janus._listening(port)
        except BaseException as error:
            await janus.stop()
            if isinstance(error, TimeoutError):
                raise EngineUnfitError(f"Janus did not come up within {START_PATIENCE_S:.0f} s") from error
            raise
        return janus

    async def _listening(self, port: int) -> None:
        """Return when its API takes connections."""
        while True:
            if not self.alive:
                raise EngineUnfitError(f"Janus ended at once (exit status {self._process.returncode})")
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return

    async def stop(self) -> None:
        """End it now: it keeps nothing that could be lost."""
        if self.alive:
            self._process.kill()
        await self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
