"""Reads what an operator wrote about a network: TOML in which one word too many or too few refuses the whole file."""

import tomllib
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from biometrics.errors import BiometricsError

MOST_BYTES: Final = 20_000


class Strict(BaseModel):
    """A table of such a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Written = TypeVar("Written", bound=Strict)


def read_strict(path: Path, kind: type[Written], refused: type[BiometricsError]) -> Written:
    """The file's content.

    Raises:
        BiometricsError: As `refused`: it is absent, too long, no TOML, or says too little, too much or nonsense; the
            message names the field.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise refused(f"{path.name} cannot be read: {error.strerror}") from error
    return parse_strict(content, path.name, kind, refused)


def parse_strict(content: bytes, name: str, kind: type[Written], refused: type[BiometricsError]) -> Written:
    """The same of bytes at hand; `name` is for the message.

    Raises:
        BiometricsError: As `read_strict`.
    """
    if len(content) > MOST_BYTES:
        raise refused(f"{name} has more than {MOST_BYTES} bytes")
    try:
        return kind.model_validate(tomllib.loads(content.decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise refused(f"{name} is no TOML: {error}") from error
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'file'}: {one['msg']}" for one in error.errors())
        raise refused(f"{name} is refused: {told}") from error
