"""H.264 as it comes in RTP (RFC 6184) and as Matroska keeps it: units, key pictures, sizes and the file's header.

Between the two a picture is an Annex B byte stream, which every decoder takes. Clauses without a name are those of
ITU-T H.264 (08/2021).
"""

import struct
from dataclasses import dataclass

from webrtc.errors import MalformedRtpError

NAL_IDR = 5
NAL_SEI = 6
NAL_SPS = 7
NAL_PPS = 8
NAL_DELIMITER = 9
_NAL_STAP_A = 24
_NAL_FU_A = 28
START_CODE = b"\x00\x00\x00\x01"
_LENGTH = struct.Struct("!I")
# §7.3.2.1.1: profiles whose parameter set says more about colours.
_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
# Constrained baseline 3.1, what pages are offered (RFC 7742 §6.2): profile, constraints, level.
OFFERED_PROFILE = bytes.fromhex("42e01f")
# A parameter set of a browser has 10 to 40 bytes; a reader of longer ones would only serve strangers.
SPS_MAX_BYTES = 512
# Level 6.2 ends at 139264 macroblocks of 16x16 (table A-1); more is a lie that would only cost memory.
_MACROBLOCKS_MAX = 139_264


def begins_key_h264(payload: bytes, begin: int = 0) -> bool:
    """Whether a decoder can start here: the packet carries a sequence parameter set (RFC 6184 §5.2).

    Browsers send one before every IDR picture; an IDR slice alone would not be decodable for a newcomer.
    """
    if len(payload) <= begin:
        return False
    kind = payload[begin] & 0x1F
    if kind == _NAL_STAP_A:
        at = begin + 1
        while at + 2 < len(payload):
            if payload[at + 2] & 0x1F == NAL_SPS:
                return True
            at += 2 + ((payload[at] << 8) | payload[at + 1])
        return False
    if kind == _NAL_FU_A:
        return len(payload) > begin + 1 and payload[begin + 1] & 0x9F == 0x80 | NAL_SPS
    return kind == NAL_SPS


def leads_h264(payload: bytes) -> bool:
    """Whether this packet may stand before the parameter sets: a delimiter or remarks (§7.4.1.2.3)."""
    return bool(payload) and payload[0] & 0x1F in (NAL_DELIMITER, NAL_SEI)


def depayload_h264(payload: bytes) -> bytes:
    """The piece of byte stream (Annex B) in one packet: single unit, STAP-A or FU-A (RFC 6184 §5.6-5.8)."""
    if not payload:
        raise MalformedRtpError("H264 payload is empty")
    kind = payload[0] & 0x1F
    if kind == _NAL_FU_A:
        if len(payload) < 3:
            raise MalformedRtpError("FU-A without content")
        inner = payload[1] & 0x1F
        if not 0 < inner < _NAL_STAP_A or payload[1] & 0xC0 == 0xC0:  # a fragment is never the whole (§5.8)
            raise MalformedRtpError("FU-A of a unit that is never fragmented")
        if payload[1] & 0x80:
            return START_CODE + bytes([(payload[0] & 0xE0) | inner]) + payload[2:]
        return payload[2:]
    if kind == _NAL_STAP_A:
        pieces, at = bytearray(), 1
        while at < len(payload):
            size = int.from_bytes(payload[at : at + 2], "big")
            at += 2
            if size == 0 or at + size > len(payload):
                raise MalformedRtpError("STAP-A unit is longer than its packet")
            if not 0 < payload[at] & 0x1F < _NAL_STAP_A:
                raise MalformedRtpError("STAP-A holds a unit that is none")
            pieces += START_CODE + payload[at : at + size]
            at += size
        return bytes(pieces)
    if 0 < kind < _NAL_STAP_A:
        return START_CODE + payload
    raise MalformedRtpError(f"H264 packet of kind {kind} is never negotiated")


def join_h264(payloads: list[bytes]) -> bytes:
    """One picture's byte stream; raise `MalformedRtpError` where a fragment has no beginning, no end or another kind.

    Without this a lost beginning would be appended to the unit before it, and a decoder shown what nobody sent.
    """
    pieces: list[bytes] = []
    under_way = 0
    for payload in payloads:
        pieces.append(depayload_h264(payload))
        if payload[0] & 0x1F != _NAL_FU_A:
            if under_way:
                raise MalformedRtpError("a fragmented unit has no end")
            continue
        inner, begins, ends = payload[1] & 0x1F, payload[1] & 0x80, payload[1] & 0x40
        if bool(begins) is bool(under_way) or (under_way and inner != under_way):
            raise MalformedRtpError("fragments of different units follow each other")
        under_way = 0 if ends else inner
    if under_way:
        raise MalformedRtpError("a fragmented unit has no end")
    return b"".join(pieces)


def units(picture: bytes) -> list[bytes]:
    """The units of a byte stream as `join_h264` makes it, whose start codes all have four bytes."""
    return picture.split(START_CODE)[1:]


def length_prefixed(picture: bytes) -> bytes:
    """The picture as Matroska and MP4 keep it: each unit behind its length (ISO/IEC 14496-15 §5.3.3.1)."""
    pieces: list[bytes] = []
    for unit in units(picture):
        pieces += (_LENGTH.pack(len(unit)), unit)
    return b"".join(pieces)


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """What a decoder must have before the first slice."""

    sps: bytes
    pps: bytes


def parameter_sets(picture: bytes) -> ParameterSets | None:
    """The first sequence and picture parameter set of a key picture; None where one is missing."""
    first: dict[int, bytes] = {}
    for unit in units(picture):
        if unit:
            first.setdefault(unit[0] & 0x1F, unit)
    sps, pps = first.get(NAL_SPS), first.get(NAL_PPS)
    if sps is None or pps is None or not 4 <= len(sps) <= SPS_MAX_BYTES or len(pps) > SPS_MAX_BYTES:
        return None
    return ParameterSets(sps, pps)


def configuration(sets: ParameterSets | None) -> bytes:
    """AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1.2), which is Matroska's CodecPrivate for H.264.

    None makes one without sets, for a file that must begin before the first picture came: every key picture in the
    file carries its own, as pages send them.
    """
    if sets is None:
        return b"\x01" + OFFERED_PROFILE + b"\xff\xe0\x00"
    record = b"\x01" + sets.sps[1:4] + b"\xff\xe1" + struct.pack("!H", len(sets.sps)) + sets.sps
    record += b"\x01" + struct.pack("!H", len(sets.pps)) + sets.pps
    return record + b"\xfd\xf8\xf8\x00" if sets.sps[1] in (100, 110, 122, 144) else record  # 4:2:0, eight bits


class _Bits:
    """Reads a parameter set bit by bit (§7.2, §9.1); raise `MalformedRtpError` at its end."""

    def __init__(self, payload: bytes):
        content = payload.replace(b"\x00\x00\x03", b"\x00\x00")  # §7.4.1: inserted so that no start code appears
        self._number = int.from_bytes(content, "big")
        self._left = 8 * len(content)

    def take(self, count: int) -> int:
        """An unsigned number of `count` bits."""
        if count > self._left:
            raise MalformedRtpError("a parameter set ends too early")
        self._left -= count
        return self._number >> self._left & ((1 << count) - 1)

    def golomb(self) -> int:
        """ue(v): as many zeros as bits follow the one."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise MalformedRtpError("a number of more than 32 bits")
        return (1 << zeros) - 1 + self.take(zeros)


def h264_size(picture: bytes) -> tuple[int, int] | None:
    """(width, height) in pixels that a key picture's parameter set says; None when it says none we understand."""
    sets = parameter_sets(picture)
    if sets is None:
        return None
    try:
        return _size(sets.sps)
    except MalformedRtpError:
        return None


def _size(sps: bytes) -> tuple[int, int] | None:
    """§7.3.2.1.1 up to the cropping."""
    bits = _Bits(sps[4:])
    bits.golomb()
    separate = False
    chroma = 1
    if sps[1] in _HIGH_PROFILES:
        chroma = bits.golomb()
        separate = chroma == 3 and bool(bits.take(1))
        bits.golomb()
        bits.golomb()
        bits.take(1)
        if bits.take(1):  # scaling lists: nothing that a page of ours is offered has them
            return None
    bits.golomb()
    match bits.golomb():
        case 0:
            bits.golomb()
        case 1:
            bits.take(1)
            bits.golomb()
            bits.golomb()
            cycle = bits.golomb()
            if cycle > 255:
                return None
            for _ in range(cycle):
                bits.golomb()
        case _:  # 2 says no more; other kinds do not exist, and what follows will not make sense
            pass
    bits.golomb()
    bits.take(1)
    across, down = bits.golomb() + 1, bits.golomb() + 1
    frames_only = bits.take(1)
    if not frames_only:
        bits.take(1)
    bits.take(1)
    down *= 2 - frames_only
    width, height = 16 * across, 16 * down
    if across * down > _MACROBLOCKS_MAX:
        return None
    if bits.take(1):
        left, right, top, bottom = (bits.golomb() for _ in range(4))
        step_x = 2 if chroma in (1, 2) and not separate else 1
        step_y = (2 if chroma == 1 and not separate else 1) * (2 - frames_only)
        width -= step_x * (left + right)
        height -= step_y * (top + bottom)
    return (width, height) if width > 0 and height > 0 else None
