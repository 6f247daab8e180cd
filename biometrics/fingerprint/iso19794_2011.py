"""ISO/IEC 19794-2:2011, finger minutiae record (§8), with a header for every representation."""

import struct
from dataclasses import dataclass
from typing import Final

from biometrics.errors import TemplateError
from biometrics.fingerprint.record_bytes import (
    FieldReader,
    extended_bytes,
    impressed,
    minutia_bytes,
    positioned,
    read_extended,
    read_minutia,
)
from biometrics.fingerprint.template import FingerRecord, FingerView, RecordMinutia

MAGIC: Final = b"FMR\0" + b"030\0"
STEPS: Final = 256
HEADER: Final = 15
NO_DATE: Final = b"\xff" * 9  # ISO/IEC 19794-1:2011 §12.3.2: no field known
UNKNOWN_QUALITY: Final = 254  # of a minutia; 255: could not be computed
FAILED_QUALITY: Final = 255
WITH_QUALITY, WITHOUT_QUALITY = 6, 5  # bytes of a minutia


@dataclass(frozen=True, slots=True)
class _Head:
    """What stands before the minutiae of a representation and is not kept but for its shape."""

    device: int
    quality: int | None


def read(record: bytes) -> FingerRecord:
    """The record; dates, technologies and certificates are checked for their shape and dropped.

    Raises:
        TemplateError: It is not one.
    """
    reader = FieldReader(record)
    if reader.take(len(MAGIC)) != MAGIC:
        raise TemplateError("not an ISO/IEC 19794-2:2011 record")
    length, count, certified = reader.fields("IHB")
    if length != len(record):
        raise TemplateError(f"says {length} bytes, has {len(record)}")
    if certified > 1:
        raise TemplateError(f"certification flag {certified}")
    views, devices = [], []
    for _ in range(count):
        start = reader.at
        (announced,) = reader.fields("I")
        head = _head(reader, certified=bool(certified))
        views.append(_view(reader, head.quality))
        devices.append(head.device)
        if reader.at - start != announced:
            raise TemplateError(f"a representation says {announced} bytes, has {reader.at - start}")
    reader.finish()
    return FingerRecord(tuple(views), device=devices[0] if devices else 0)


def _head(reader: FieldReader, *, certified: bool) -> _Head:
    """Date, device, quality blocks and certificates."""
    reader.take(len(NO_DATE))
    _technology, _vendor, device, blocks = reader.fields("BHHB")
    quality = None
    for i in range(blocks):
        value, _algorithm_vendor, _algorithm = reader.fields("BHH")
        if value > 100 and value != FAILED_QUALITY:
            raise TemplateError(f"quality {value} of 100")
        if not i and value != FAILED_QUALITY:
            quality = value
    if certified:
        (certificates,) = reader.fields("B")
        reader.take(3 * certificates)
    return _Head(device, quality)


def _view(reader: FieldReader, quality: int | None) -> FingerView:
    """From the finger's position to the extended data."""
    position, number, x_per_cm, y_per_cm, impression, width, height, size, count = reader.fields("BBHHBHHBB")
    if size >> 4 not in (WITH_QUALITY, WITHOUT_QUALITY):
        raise TemplateError(f"minutiae of {size >> 4} bytes")
    minutiae = tuple(_minutia(reader, with_quality=size >> 4 == WITH_QUALITY) for _ in range(count))
    return FingerView(
        minutiae,
        width,
        height,
        STEPS,
        position=positioned(position),
        impression=impressed(impression),
        number=number,
        quality=quality,
        x_per_cm=x_per_cm,
        y_per_cm=y_per_cm,
        extended=read_extended(reader),
    )


def _minutia(reader: FieldReader, *, with_quality: bool) -> RecordMinutia:
    """Five bytes as in 2005; the sixth says unknown by other numbers."""
    minutia = read_minutia(reader, with_quality=False)
    if not with_quality:
        return minutia
    (quality,) = reader.fields("B")
    unknown = quality in (0, UNKNOWN_QUALITY, FAILED_QUALITY)  # 0 is legal here and worth no more than silence
    return RecordMinutia(minutia.kind, minutia.x, minutia.y, minutia.angle, None if unknown else quality)


def write(record: FingerRecord) -> bytes:
    """The bytes, without date and certificates.

    Raises:
        TemplateError: Angles in other units.
    """
    parts = []
    for view in record.views:
        if view.steps_per_turn != STEPS:
            raise TemplateError("angles are not in 1/256 of a turn")
        blocks = b"\0" if view.quality is None else struct.pack(">BBHH", 1, view.quality, 0, 0)
        body = NO_DATE + struct.pack(">BHH", 0, 0, record.device) + blocks
        body += struct.pack(
            ">BBHHBHHBB",
            view.position,
            view.number,
            view.x_per_cm,
            view.y_per_cm,
            view.impression,
            view.width,
            view.height,
            WITH_QUALITY << 4,
            len(view.minutiae),
        )
        body += b"".join(minutia_bytes(minutia, unknown_quality=UNKNOWN_QUALITY) for minutia in view.minutiae)
        body += extended_bytes(view.extended)
        parts.append(struct.pack(">I", 4 + len(body)) + body)
    joined = b"".join(parts)
    return MAGIC + struct.pack(">IHB", HEADER + len(joined), len(record.views), 0) + joined
