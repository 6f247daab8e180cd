"""What a kiosk must know before it starts: who it is, where its counter is, and which reader it uses."""

import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.terminal_auth import TerminalCredential
from kiosk.errors import ConfigError

FINGER_PATHS = ("folder", "hand", "virtual_image", "sbi_trust")  # may be relative to the file


class ReaderKind(StrEnum):
    """Where cards come from."""

    PCSC = "pcsc"  # a real reader, or the vpcd driver's virtual one
    CABLE = "cable"  # simulated cards over TCP on this machine; for demos without root, never for a branch


class ScannerKind(StrEnum):
    """Where pictures of fingers come from; the words of `hardware_drivers.bench`."""

    NONE = "none"
    SIMULATED = "simulated"  # fingers of nobody; for demos, never for a branch
    LIBFPRINT = "libfprint"
    SBI = "sbi"  # a device service that signs (MOSIP, IEEE 3167)
    FOLDER = "folder"  # pictures of a folder; for demos and tests


class FingerConfig(BaseModel):
    """The table [finger] of kiosk.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scanner: ScannerKind = ScannerKind.NONE
    dpi: Annotated[int, Field(ge=100, le=1200, description="of the scanner, where it does not tell")] = 500
    minimum_quality: Annotated[int, Field(ge=0, le=100, description="below it, one more try is asked for")] = 40
    folder: Path | None = Field(default=None, description="folder: where the pictures lie")
    hand: Path | None = Field(default=None, description="simulated: a file that says who comes and what goes wrong")
    person: Annotated[int, Field(ge=0, description="simulated: who comes, unless the file says otherwise")] = 1
    virtual_image: Path | None = Field(default=None, description="libfprint: the socket of its virtual device")
    sbi_port: Annotated[int, Field(ge=0, le=65535, description="sbi: 0 looks at 4501 to 4600")] = 0
    sbi_trust: Path | None = Field(default=None, description="sbi: PEM certificates of who may vouch for devices")

    @model_validator(mode="after")
    def _each_scanner_has_what_it_needs(self) -> "FingerConfig":
        if self.scanner is ScannerKind.FOLDER and self.folder is None:
            raise ValueError("scanner = 'folder' needs folder")
        if self.scanner is ScannerKind.SBI and self.sbi_trust is None:
            raise ValueError("scanner = 'sbi' needs sbi_trust: without it any program on this desk could be the device")
        return self


class KioskConfig(BaseModel):
    """The contents of kiosk.toml. Paths may be relative to the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kiosk_id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
    name: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    listen_port: Annotated[int, Field(ge=0, le=65535, description="0 takes any free port and says which")] = 8071
    counter_url: Annotated[str, StringConstraints(pattern=r"^https://[^/]+$")]
    ca_file: Path
    cert_file: Path
    key_file: Path
    reader: ReaderKind = ReaderKind.PCSC
    reader_name: str = Field(default="", description="part of the reader's name; empty takes the first with a card")
    cable_port: Annotated[int, Field(ge=0, le=65535)] = 0
    inspection: Path | None = Field(
        default=None, description="folder of CV certificates and the terminal's key: a state lets this desk read DG3"
    )
    finger: FingerConfig = FingerConfig()

    @model_validator(mode="after")
    def _a_cable_has_a_port(self) -> "KioskConfig":
        if self.reader is ReaderKind.CABLE and self.cable_port == 0:
            raise ValueError("reader = 'cable' needs cable_port")
        return self


def read_config(path: Path) -> KioskConfig:
    """The kiosk that a file describes.

    Raises:
        ConfigError: the file is missing, is not TOML in UTF-8, has a key nobody knows or lacks one, or names a file
            that is not there.
    """
    try:
        described = KioskConfig.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise ConfigError(f"{path}: {error}") from error
    files = {key: path.parent / getattr(described, key) for key in ("ca_file", "cert_file", "key_file")}
    for key, file in files.items():
        if not file.is_file():
            raise ConfigError(f"{path}: {key} = {file} is not there; `counter kiosk enrol` writes it")
    if described.inspection is not None:
        files["inspection"] = path.parent / described.inspection
    finger = described.finger
    beside = {key: path.parent / value for key in FINGER_PATHS if (value := getattr(finger, key)) is not None}
    return described.model_copy(update={**files, "finger": finger.model_copy(update=beside)})


def read_inspection(config: KioskConfig) -> TerminalCredential | None:
    """By which the fingers in a chip open; None where no state gave the operator any.

    Raises:
        ConfigError: The folder is there and holds no credential.
    """
    if config.inspection is None:
        return None
    try:
        return TerminalCredential.load(config.inspection)
    except (OSError, MalformedFileError) as error:
        raise ConfigError(f"inspection = {config.inspection}: {error}") from error
