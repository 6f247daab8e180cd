"""A SoftHSM 2 token of one's own, in a folder of one's own."""

import subprocess
from pathlib import Path

from counter_server.config import KeyHolder, SigningSettings

MODULES = (
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"),
    Path("/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"),
)
LABEL, PIN = "counter", "271828"
CONFIGURATION = "SOFTHSM2_CONF"  # the variable by which SoftHSM finds its tokens


def module() -> Path | None:
    """SoftHSM's library, where it is installed."""
    return next((path for path in MODULES if path.exists()), None)


def make_token(folder: Path, library: Path) -> tuple[Path, SigningSettings]:
    """An empty token below `folder`: SoftHSM's configuration file, settings of a counter that keeps its keys there."""
    tokens, configuration, pin = folder / "tokens", folder / "softhsm2.conf", folder / "pin"
    tokens.mkdir(parents=True)
    configuration.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    pin.touch(mode=0o600)
    pin.write_text(PIN)
    words = ["softhsm2-util", "--init-token", "--free", "--label", LABEL, "--pin", PIN, "--so-pin", PIN]
    subprocess.run(
        words, env={CONFIGURATION: str(configuration), "PATH": "/usr/bin:/bin"}, check=True, capture_output=True
    )
    return configuration, SigningSettings(
        keys=KeyHolder.PKCS11, pkcs11_module=library, token_label=LABEL, secret_file=pin
    )
