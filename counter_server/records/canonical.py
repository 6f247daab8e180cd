"""One value, one spelling: RFC 8785 (JSON Canonicalization Scheme) without numbers that have a fraction.

Records are written by the `rfc8785` package; this small second implementation lets the offline checker do with the
standard library. Records hold no fractions, so the only hard part of the RFC (how a double is spelt) never arises.
"""

import json
from collections.abc import Mapping

from counter_server.records.errors import RecordFormatError

Plain = None | bool | int | str | list["Plain"] | dict[str, "Plain"]

LARGEST_NUMBER = 2**53 - 1  # RFC 8785 §3.2.2.3 and RFC 7493 §2.2: what a double holds exactly
DEEPEST = 32  # our manifests are 5 deep; a bound so that a hostile file cannot exhaust the stack


def canonical_bytes(value: Plain) -> bytes:
    """The RFC 8785 spelling of a value; `RecordFormatError` for fractions, huge numbers and lone surrogates."""
    pieces: list[str] = []
    _write(value, pieces, 0)
    try:
        return "".join(pieces).encode()
    except UnicodeEncodeError as error:
        raise RecordFormatError("lone surrogate in a string") from error


def read_canonical(stored: bytes) -> Plain:
    """The value of bytes that are exactly canonical; anything else raises `RecordFormatError`.

    Comparing with the one canonical spelling refuses at once: white space, other escapes, other key order, repeated
    keys (the second spelling is shorter), fractions and a byte order mark.
    """
    try:
        value: Plain = json.loads(stored.decode("utf-8", errors="strict"), parse_float=_refuse, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise RecordFormatError("not JSON of this format") from error
    if canonical_bytes(value) != stored:
        raise RecordFormatError("JSON is not in its canonical spelling (RFC 8785)")
    return value


def _refuse(spelling: str) -> Plain:
    raise ValueError(f"a number this format does not have ({len(spelling)} characters)")


def _write(value: object, pieces: list[str], depth: int) -> None:
    if depth > DEEPEST:
        raise RecordFormatError("nested too deep")
    if value is None:
        pieces.append("null")
    elif isinstance(value, bool):
        pieces.append("true" if value else "false")
    elif isinstance(value, int):
        if abs(value) > LARGEST_NUMBER:
            raise RecordFormatError("number too large to be exact everywhere")
        pieces.append(str(value))
    elif isinstance(value, str):
        # the json module escapes exactly as RFC 8785 §3.2.2.2 asks when it leaves non-ASCII alone
        pieces.append(json.dumps(value, ensure_ascii=False))
    elif isinstance(value, list | tuple):
        _write_array(value, pieces, depth)
    elif isinstance(value, Mapping):
        _write_object(value, pieces, depth)
    else:
        raise RecordFormatError(f"{type(value).__name__} has no place in a record")


def _write_array(items: list[object] | tuple[object, ...], pieces: list[str], depth: int) -> None:
    pieces.append("[")
    for index, item in enumerate(items):
        if index:
            pieces.append(",")
        _write(item, pieces, depth + 1)
    pieces.append("]")


def _write_object(members: Mapping[object, object], pieces: list[str], depth: int) -> None:
    pieces.append("{")
    names = [name for name in members if isinstance(name, str)]
    if len(names) != len(members):
        raise RecordFormatError("object key is not a string")
    for index, name in enumerate(sorted(names, key=_utf16)):
        if index:
            pieces.append(",")
        pieces.append(json.dumps(name, ensure_ascii=False) + ":")
        _write(members[name], pieces, depth + 1)
    pieces.append("}")


def _utf16(name: str) -> bytes:
    # RFC 8785 §3.2.3 sorts by UTF-16 code units, which differs from Python's order beyond the basic plane
    return name.encode("utf-16-be", errors="surrogatepass")
