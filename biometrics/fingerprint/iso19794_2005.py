"""ISO/IEC 19794-2:2005, finger minutiae record (§7), as most cards, readers and Aadhaar write it."""

import struct
from typing import Final

from biometrics.errors import TemplateError
from biometrics.fingerprint.record_bytes import FieldReader, one_of, read_view, view_bytes
from biometrics.fingerprint.template import FingerRecord

MAGIC: Final = b"FMR\0 20\0"
STEPS: Final = 256  # §6.5.3: units of 1.40625°
HEADER: Final = 24


def read(record: bytes) -> FingerRecord:
    """The record, every reserved bit zero and every length true.

    Raises:
        TemplateError: It is not one.
    """
    reader = FieldReader(record)
    if reader.take(len(MAGIC)) != MAGIC:
        raise TemplateError("not an ISO/IEC 19794-2:2005 record")
    length, device, width, height, x_per_cm, y_per_cm, count, reserved = reader.fields("IHHHHHBB")
    if length != len(record):
        raise TemplateError(f"says {length} bytes, has {len(record)}")
    if reserved:
        raise TemplateError("reserved bits are set")
    views = tuple(
        read_view(reader, STEPS, width=width, height=height, x_per_cm=x_per_cm, y_per_cm=y_per_cm) for _ in range(count)
    )
    reader.finish()
    return FingerRecord(views, device=device)


def write(record: FingerRecord) -> bytes:
    """The bytes; an unknown quality of the finger is written as 0, there is no other sign for it.

    Raises:
        TemplateError: Views of different size, or angles in other units.
    """
    body = b"".join(view_bytes(view, STEPS) for view in record.views)
    return (
        MAGIC
        + struct.pack(
            ">IHHHHHBB",
            HEADER + len(body),
            record.device,
            one_of([view.width for view in record.views], "width"),
            one_of([view.height for view in record.views], "height"),
            one_of([view.x_per_cm for view in record.views], "resolution"),
            one_of([view.y_per_cm for view in record.views], "resolution"),
            len(record.views),
            0,
        )
        + body
    )
