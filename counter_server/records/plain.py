"""Frozen values to plain JSON and back, refusing every field that is not declared.

The offline checker runs without pydantic, so the few shapes a manifest needs are read here: strings, whole numbers,
truth values, enums, nested values, tuples of them, string-to-string maps, and each of these or null.
"""

import enum
import types
import typing
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, cast

from counter_server.records.canonical import Plain
from counter_server.records.errors import RecordFormatError

T = TypeVar("T")


def to_plain(value: object) -> Plain:
    """The JSON shape of a frozen value."""
    if isinstance(value, enum.Enum):
        return str(value.value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): to_plain(item) for name, item in value.items()}
    if is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    raise RecordFormatError(f"{type(value).__name__} has no place in a record")


def from_plain(wanted: type[T], plain: Plain) -> T:
    """The value of a JSON shape; `RecordFormatError` names the first place where it does not fit."""
    return cast(T, _read(wanted, plain, wanted.__name__))


def _read(wanted: Any, plain: Plain, place: str) -> object:
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is types.UnionType:
        return None if plain is None else _read(next(a for a in arguments if a is not types.NoneType), plain, place)
    if origin is tuple and isinstance(plain, list):
        return tuple(_read(arguments[0], item, f"{place}[{index}]") for index, item in enumerate(plain))
    if origin is dict and isinstance(plain, dict):
        return {name: _read(arguments[1], item, f"{place}.{name}") for name, item in plain.items()}
    if isinstance(wanted, type):
        if is_dataclass(wanted) and isinstance(plain, dict):
            return _read_value(wanted, plain, place)
        if issubclass(wanted, enum.Enum) and isinstance(plain, str):
            return _read_enum(wanted, plain, place)
        if wanted in (str, int, bool) and type(plain) is wanted:
            return plain
    raise RecordFormatError(f"{place} has the wrong shape")


def _read_value(wanted: Any, plain: dict[str, Plain], place: str) -> object:
    names = [field.name for field in fields(wanted)]
    if set(names) != set(plain):
        odd = sorted(set(names) ^ set(plain))[0]
        raise RecordFormatError(f"{place}: field {odd[:40]!r} is missing or unknown")
    hints = typing.get_type_hints(wanted)
    return wanted(**{name: _read(hints[name], plain[name], f"{place}.{name}") for name in names})


def _read_enum(wanted: type[enum.Enum], plain: str, place: str) -> enum.Enum:
    try:
        return wanted(plain)
    except ValueError as error:
        raise RecordFormatError(f"{place} is none of the known words") from error
