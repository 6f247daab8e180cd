"""Where this counter lives and how patient it is.

Settings come from the command line; `<home>/counter.toml` may override the patience and limits. A key nobody knows
stops the start, because a misspelt limit is a limit that is not there.
"""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from counter_server.errors import StoppedError


class Patience(BaseModel):
    """How long the counter waits for people and lines, and how often they may try."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    customer_gone_s: float = Field(default=60, description="a page silent for longer ends its visit")
    clerk_gone_s: float = Field(default=10, description="a console silent for longer gives its visit back to the queue")
    media_rejoin_s: float = Field(default=60, description="a lost line may come back for this long")
    face_attempts: int = Field(default=3, description="per visit; ISO 30107-3 practice: a bounded number of tries")
    phone_link_s: int = Field(default=600, description="a one-time link's life before it is opened")
    session_idle_s: int = Field(default=3600, description="clerk's session, NIST SP 800-63B AAL2 idle limit 1 h")
    session_s: int = Field(default=8 * 3600, description="clerk's session, one working day")
    login_tries: int = Field(default=5, description="wrong passwords before a pause")
    login_pause_s: float = Field(default=30, description="SP 800-63B: delay after five biometric or password failures")


class Settings(BaseModel):
    """Everything a counter needs to start."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    home: Path
    host: str = "127.0.0.1"
    port: int = 8070
    kiosk_port: int = 8444
    public_url: str = ""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    media_addresses: tuple[str, ...] = ()
    patience: Patience = Patience()

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.home / "counter.sqlite3"

    @property
    def keys(self) -> Path:
        """Master key, sealing identity, kiosk CA."""
        return self.home / "keys"

    @property
    def records(self) -> Path:
        """Sealed records."""
        return self.home / "records"

    @property
    def trust(self) -> Path:
        """CSCA certificates and master lists."""
        return self.home / "trust"

    @property
    def offered_addresses(self) -> list[str] | None:
        """Addresses that calls are offered on: as told; else this machine alone, unless the pages are served beyond it.

        None means every address the machine has.
        """
        if self.media_addresses:
            return list(self.media_addresses)
        return ["127.0.0.1"] if self.host in ("127.0.0.1", "localhost") else None

    @property
    def url(self) -> str:
        """Address that customers' links begin with."""
        scheme = "https" if self.tls_cert else "http"
        return self.public_url.rstrip("/") or f"{scheme}://{self.host}:{self.port}"


def read_patience(home: Path) -> Patience:
    """The patience of this home: `<home>/counter.toml` over the defaults.

    Raises:
        StoppedError: the file is not TOML, or holds a key or value nobody knows.
    """
    path = home / "counter.toml"
    if not path.exists():
        return Patience()
    try:
        return Patience.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise StoppedError(f"{path}: {error}. Correct the named key or delete the file.") from error
