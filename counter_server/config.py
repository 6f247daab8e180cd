"""Where this counter lives and how patient it is.

Settings come from the command line; `<home>/counter.toml` may override the patience and limits. A key nobody knows
stops the start, because a misspelt limit is a limit that is not there.
"""

import tomllib
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from counter_server.errors import StoppedError
from webrtc.engine import EngineKind, VideoCodec


class Told(StrEnum):
    """Who is told that a supervisor listens or whispers; of one who joins everybody knows."""

    BOTH = "both"
    CLERK = "clerk"
    NOBODY = "nobody"


class Patience(BaseModel):
    """How long the counter waits for people and lines, and how often they may try."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    customer_gone_s: float = Field(default=60, description="a page silent for longer ends its visit")
    clerk_gone_s: float = Field(default=10, description="a console silent for longer gives its visit back to the queue")
    media_rejoin_s: float = Field(default=60, description="a lost line may come back for this long")
    face_attempts: int = Field(default=3, description="per visit; ISO 30107-3 practice: a bounded number of tries")
    document_tries: int = Field(
        default=5, description="failed face checks with one document in its window, in whatever visits; then a clerk"
    )
    document_window_s: float = Field(default=24 * 3600, description="how long a failed face check is counted")
    face_colours: bool = Field(
        default=True, description="the screen lights the face in changing colours, for whoever has not asked it not to"
    )
    phone_link_s: int = Field(default=600, description="a one-time link's life before it is opened")
    session_idle_s: int = Field(default=3600, description="clerk's session, NIST SP 800-63B AAL2 idle limit 1 h")
    session_s: int = Field(default=8 * 3600, description="clerk's session, one working day")
    login_tries: int = Field(default=5, description="wrong passwords before a pause")
    supervision_told: Told = Field(
        default=Told.BOTH, description="what an office owes both; change it with counsel only"
    )
    login_pause_s: float = Field(default=30, description="SP 800-63B: delay after five biometric or password failures")


class KeyHolder(StrEnum):
    """Who keeps the keys that sign contracts."""

    FILE = "file"  # files under the home
    PKCS11 = "pkcs11"  # a token: an HSM, or SoftHSM 2
    KMS = "kms"  # a key service that speaks Vault's transit interface
    CSC = "csc"  # a qualified provider behind the CSC API v2


class SigningSettings(BaseModel):
    """Who keeps the keys of contracts, and who says what time it is: `[signing]` in `counter.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: KeyHolder = KeyHolder.FILE
    pkcs11_module: Path | None = Field(default=None, description="the token's library, such as libsofthsm2.so")
    token_label: str = "visual-counter"  # noqa: S105 - a name, printed on the token
    log_key_in_file: bool = Field(default=False, description="for tokens without Ed25519: the log's key stays a file")
    service_url: str = Field(default="", description="of the key service or the qualified provider")
    secret_file: Path | None = Field(default=None, description="PIN or access token; nobody else may read it")
    credentials: dict[str, str] = Field(default={}, description="at the qualified provider: label to credential")
    list_networks: tuple[IPv4Network | IPv6Network, ...] = Field(
        default=(), description="private networks where the time stamp authority's revocation lists may be fetched"
    )
    time_stamp_url: str = Field(default="", description="RFC 3161 authority; empty: our own, for trying only")


class RecordSettings(BaseModel):
    """How records are sealed from now on: `[records]` in `counter.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    post_quantum: bool = Field(
        default=False, description="hybrid keys (X25519 with ML-KEM-768); age opens them from 1.3 on, Debian 12's not"
    )


class PasskeySettings(BaseModel):
    """The staff's passkeys: `[passkeys]` in `counter.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    required: bool = Field(default=False, description="nobody of the staff signs without one")
    rp_id: str = Field(default="", description="name they are made for; empty: the name in the counter's address")
    origins: tuple[str, ...] = Field(default=(), description="pages they may be used on; empty: the counter's address")


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
    media_addresses: tuple[str, ...] = Field(default=(), description="as `webrtc.offered` reads them; docs/calls.md")
    media: EngineKind = EngineKind.OWN
    media_codec: VideoCodec = Field(default=VideoCodec.VP8, description="of every picture; H264 for kiosks' hardware")
    turn_urls: tuple[str, ...] = ()
    turn_secret_file: Path | None = None
    media_workers: int = Field(default=0, ge=0, le=64, description="processes that carry calls; 0: a core each but one")
    patience: Patience = Patience()
    signing: SigningSettings = SigningSettings()
    records_sealed: RecordSettings = RecordSettings()
    passkeys: PasskeySettings = PasskeySettings()

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
    def scanner_trust(self) -> Path:
        """Who may vouch for fingerprint scanners, PEM; where it is there, every finger must come signed."""
        return self.home / "scanners.pem"

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


class _HomeFile(Patience):
    """`counter.toml`: the patience at its top, tables below."""

    signing: SigningSettings = SigningSettings()
    records: RecordSettings = RecordSettings()
    passkeys: PasskeySettings = PasskeySettings()


def read_patience(home: Path) -> Patience:
    """The patience of this home: `<home>/counter.toml` over the defaults.

    Raises:
        StoppedError: the file is not TOML in UTF-8, or holds a key or value nobody knows.
    """
    return Patience.model_validate(_read_file(home).model_dump(exclude={"signing", "records", "passkeys"}))


def read_signing(home: Path) -> SigningSettings:
    """Who signs in this home; `StoppedError` as above."""
    return _read_file(home).signing


def read_record_settings(home: Path) -> RecordSettings:
    """How records are sealed in this home; `StoppedError` as above."""
    return _read_file(home).records


def read_passkeys(home: Path) -> PasskeySettings:
    """Whether the staff needs passkeys in this home; `StoppedError` as above."""
    return _read_file(home).passkeys


def _read_file(home: Path) -> _HomeFile:
    path = home / "counter.toml"
    if not path.exists():
        return _HomeFile()
    try:
        return _HomeFile.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise StoppedError(f"{path}: {error}. Correct the named key or delete the file.") from error
