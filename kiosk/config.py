"""What a kiosk must know before it starts: who it is, where its counter is, and which reader it uses."""

import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from kiosk.errors import ConfigError


class ReaderKind(StrEnum):
    """Where cards come from."""

    PCSC = "pcsc"  # a real reader, or the vpcd driver's virtual one
    CABLE = "cable"  # simulated cards over TCP on this machine; for demos without root, never for a branch


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

    @model_validator(mode="after")
    def _a_cable_has_a_port(self) -> "KioskConfig":
        if self.reader is ReaderKind.CABLE and self.cable_port == 0:
            raise ValueError("reader = 'cable' needs cable_port")
        return self


def read_config(path: Path) -> KioskConfig:
    """The kiosk that a file describes.

    Raises:
        ConfigError: the file is missing, is not TOML, has a key nobody knows or lacks one, or names a file not there.
    """
    try:
        described = KioskConfig.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise ConfigError(f"{path}: {error}") from error
    files = {key: path.parent / getattr(described, key) for key in ("ca_file", "cert_file", "key_file")}
    for key, file in files.items():
        if not file.is_file():
            raise ConfigError(f"{path}: {key} = {file} is not there; `counter kiosk enrol` writes it")
    return described.model_copy(update=files)
