"""Reading and writing the fields that ISO/IEC 19794-2 and ANSI 378 share; big-endian, nothing left over."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from biometrics.errors import TemplateError
from biometrics.fingerprint.minutiae import MinutiaKind
from biometrics.fingerprint.template import FingerPosition, FingerView, Impression, RecordMinutia


@dataclass(slots=True)
class FieldReader:
    """A place in a record."""

    record: bytes
    at: int = 0

    def take(self, count: int) -> bytes:
        """The next bytes."""
        part = self.record[self.at : self.at + count]
        if len(part) != count:
            raise TemplateError(f"ends at byte {len(self.record)}, {count} more were announced at {self.at}")
        self.at += count
        return part

    def fields(self, layout: str) -> tuple[int, ...]:
        """The next unsigned numbers, by `struct`'s letters B, H and I."""
        layout = ">" + layout
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def finish(self) -> None:
        """Nothing may be left."""
        if self.at != len(self.record):
            raise TemplateError(f"{len(self.record) - self.at} bytes after the end")


def positioned(code: int) -> FingerPosition:
    """One finger; palms, slaps and codes of nobody are refused."""
    try:
        return FingerPosition(code)
    except ValueError as error:
        raise TemplateError(f"finger position {code}") from error


def impressed(code: int) -> Impression:
    """How it was taken."""
    try:
        return Impression(code)
    except ValueError as error:
        raise TemplateError(f"impression type {code}") from error


def read_minutia(reader: FieldReader, *, with_quality: bool = True) -> RecordMinutia:
    """Five bytes, and one of quality: 0 (2005) or 254 (2011) say that nobody measured it."""
    kind_x, y, angle = reader.fields("HHB")
    quality = reader.fields("B")[0] if with_quality else 0
    if kind_x >> 14 == 3:
        raise TemplateError("a minutia of the reserved kind")
    if y >> 14:
        raise TemplateError("reserved bits are set")
    return RecordMinutia(MinutiaKind(kind_x >> 14), kind_x & 0x3FFF, y, angle, quality or None)


def minutia_bytes(minutia: RecordMinutia, *, unknown_quality: int) -> bytes:
    """Six bytes."""
    quality = unknown_quality if minutia.quality is None else minutia.quality
    return struct.pack(">HHBB", minutia.kind << 14 | minutia.x, minutia.y, minutia.angle, quality)


def read_extended(reader: FieldReader) -> bytes:
    """The extended data of a view, its blocks' lengths adding up."""
    (total,) = reader.fields("H")
    extended = reader.take(total)
    inner = FieldReader(extended)
    while inner.at < total:
        _, length = inner.fields("HH")
        if length < 4:
            raise TemplateError(f"an extended data block of {length} bytes; its own head has 4")
        inner.take(length - 4)
    return extended


def extended_bytes(extended: bytes) -> bytes:
    """With its length before it."""
    if len(extended) > 0xFFFF:
        raise TemplateError(f"{len(extended)} bytes of extended data")
    return struct.pack(">H", len(extended)) + extended


def one_of(values: Sequence[int], what: str) -> int:
    """The value all views share, as formats with one header for all need."""
    if len(set(values)) != 1:
        raise TemplateError(f"views differ in {what}; this format writes it once")
    return values[0]


def read_view(
    reader: FieldReader, steps_per_turn: int, *, width: int, height: int, x_per_cm: int, y_per_cm: int
) -> FingerView:
    """One finger view, laid out alike in ISO's record of 2005 (§7.4) and ANSI 378-2004 (§6.5)."""
    position, number_impression, quality, count = reader.fields("BBBB")
    return FingerView(
        tuple(read_minutia(reader) for _ in range(count)),
        width,
        height,
        steps_per_turn,
        position=positioned(position),
        impression=impressed(number_impression & 0xF),
        number=number_impression >> 4,
        quality=quality,
        x_per_cm=x_per_cm,
        y_per_cm=y_per_cm,
        extended=read_extended(reader),
    )


def view_bytes(view: FingerView, steps_per_turn: int) -> bytes:
    """What `read_view` reads."""
    if view.steps_per_turn != steps_per_turn:
        raise TemplateError(f"angles are in 1/{view.steps_per_turn} of a turn, this format wants 1/{steps_per_turn}")
    if view.impression > 0xF:
        raise TemplateError(f"impression type {view.impression} does not fit four bits")
    head = struct.pack(
        ">BBBB", view.position, view.number << 4 | view.impression, view.quality or 0, len(view.minutiae)
    )
    minutiae = b"".join(minutia_bytes(minutia, unknown_quality=0) for minutia in view.minutiae)
    return head + minutiae + extended_bytes(view.extended)
