"""ANSI INCITS 378-2004, finger minutiae format, as PIV cards (FIPS 201) and most American readers write it.

It differs from ISO's record of 2005 by the length of two bytes (six where it is longer), the maker's identifiers after
it and angles of two degrees; nothing in the first eight bytes tells the two apart.
"""

import struct
from dataclasses import replace
from typing import Final

from biometrics.errors import TemplateError
from biometrics.fingerprint.record_bytes import FieldReader, one_of, read_view, view_bytes
from biometrics.fingerprint.template import FingerRecord, FingerView

MAGIC: Final = b"FMR\0 20\0"
STEPS: Final = 180  # §6.5.3: units of 2°
HEADER: Final = 26
_LONG: Final = 0x10000


def read(record: bytes) -> FingerRecord:
    """The record, every reserved bit zero and every length true.

    Raises:
        TemplateError: It is not one.
    """
    reader = FieldReader(record)
    if reader.take(len(MAGIC)) != MAGIC:
        raise TemplateError("not an ANSI 378 record")
    (length,) = reader.fields("H")
    if not length:  # §6.4.3: a longer record says so by two zero bytes and four more
        (length,) = reader.fields("I")
        if length < _LONG:
            raise TemplateError(f"{length} bytes announced in the long form")
    if length != len(record):
        raise TemplateError(f"says {length} bytes, has {len(record)}")
    owner, device, width, height, x_per_cm, y_per_cm, count, reserved = reader.fields("IHHHHHBB")
    if reserved:
        raise TemplateError("reserved bits are set")
    views = tuple(
        read_view(reader, STEPS, width=width, height=height, x_per_cm=x_per_cm, y_per_cm=y_per_cm) for _ in range(count)
    )
    reader.finish()
    return FingerRecord(views, device=device, owner=owner)


def write(record: FingerRecord) -> bytes:
    """The bytes; an unknown quality of the finger is written as 0, there is no other sign for it.

    Raises:
        TemplateError: Views of different size, or angles in other units.
    """
    body = struct.pack(
        ">IHHHHHBB",
        record.owner,
        record.device,
        one_of([view.width for view in record.views], "width"),
        one_of([view.height for view in record.views], "height"),
        one_of([view.x_per_cm for view in record.views], "resolution"),
        one_of([view.y_per_cm for view in record.views], "resolution"),
        len(record.views),
        0,
    )
    body += b"".join(view_bytes(view, STEPS) for view in record.views)
    length = len(MAGIC) + 2 + len(body)
    head = struct.pack(">H", length) if length < _LONG else struct.pack(">HI", 0, length + 4)
    return MAGIC + head + body


def turned(view: FingerView) -> FingerView:
    """An ISO view with its angles in ANSI's two degrees."""
    steps = view.steps_per_turn
    minutiae = tuple(replace(m, angle=round(m.angle * STEPS / steps) % STEPS) for m in view.minutiae)
    return replace(view, minutiae=minutiae, steps_per_turn=STEPS)
