"""Ways to spoil bytes: what hostile chips answer. All randomness is handed in, so that a case can be played again."""

import random
from collections.abc import Callable
from enum import StrEnum

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import tlv

# Status words of ISO/IEC 7816-4:2020 table 6 that ask for something, promise something, or are seldom met.
STATUSES = (
    0x9000,
    0x6100,
    0x61FF,
    0x6C00,
    0x6C01,
    0x6282,
    0x6283,
    0x6300,
    0x63C0,
    0x6700,
    0x6882,
    0x6900,
    0x6982,
    0x6985,
)
MORE_STATUSES = (0x6986, 0x6987, 0x6988, 0x6A80, 0x6A82, 0x6A86, 0x6A88, 0x6B00, 0x6D00, 0x6E00, 0x6F00, 0x0000, 0xFFFF)
LYING_LENGTHS = tuple(
    bytes.fromhex(text)
    for text in (
        "847FFFFFFF",  # 2 GB
        "84FFFFFFFF",  # 4 GB
        "83FFFFFF",  # 16 MB
        "82FFFF",
        "88FFFFFFFFFFFFFFFF",
        "80",  # indefinite
        "FF",  # reserved
        "00",
        "01",
        "7F",
        "8100",
        "82000A",
    )
)
LARGEST = 65_536
DEEPEST = 4000  # beyond Python's own recursion limit
POINT_LENGTHS = (57, 65, 81, 97, 133, 129)  # uncompressed points of 224 to 521 bits; 512


class Kind(StrEnum):
    """How an answer was spoilt, for the table at the end."""

    EMPTY = "empty"
    TRUNCATED = "truncated"
    BITS = "bits"
    NOISE = "noise"
    LONGER = "longer"
    HUGE = "huge"
    STATUS = "status"
    MORE = "endless 61xx"
    AGAIN = "endless 6Cxx"
    REPLAYED = "replayed"
    REFLECTED = "reflected"
    LENGTH = "lying length"
    BOMB = "nested bomb"
    TREE = "changed tree"
    POINT = "point off the curve"
    UNPROTECTED = "secure messaging dropped"
    OTHER_FILE = "other file"
    DRIP = "drips"
    STORED = "changed file"
    SWAPPED = "swapped files"
    NO_KEY = "copied files without the chip's key"
    OWN_KEYS = "copier's keys in DG14 and DG15"


def flip_bits(rng: random.Random, content: bytes) -> bytes:
    """One to four bits changed."""
    if not content:
        return b"\x00"
    spoilt = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
    return bytes(spoilt)


def cut_short(rng: random.Random, content: bytes) -> bytes:
    """The beginning only."""
    return content[: rng.randrange(len(content))] if content else b""


def lengthen(rng: random.Random, content: bytes) -> bytes:
    """Something behind the end."""
    return content + rng.randbytes(rng.choice((1, 2, 16, 300)))


def noise(rng: random.Random, content: bytes) -> bytes:
    """Other bytes, of the same length or any."""
    return rng.randbytes(len(content) if rng.random() < 0.5 else rng.randrange(300))


def lie_about_length(rng: random.Random, content: bytes) -> bytes:
    """One data object announces another length; its content stays."""
    spots = spots_of(content)
    if not spots:
        return content[:1] + rng.choice(LYING_LENGTHS) + content[2:]
    start, header = rng.choice(spots)
    tag_length = tag_bytes(content, start)
    return content[: start + tag_length] + rng.choice(LYING_LENGTHS) + content[start + header.header_length :]


def bomb(rng: random.Random, content: bytes) -> bytes:
    """Nested or repeated data objects without end, under the tag that is expected."""
    outer = content[:1] or b"\x30"
    match rng.randrange(4):
        case 0:
            return (outer + b"\x80") * rng.choice((50, DEEPEST))
        case 1:
            nested = b""
            for _ in range(rng.choice((20, 200))):
                nested = tlv.encode(rng.choice((0x30, 0x31, 0xA0, 0x7F61, outer[0] & 0xDF | 0x20 or 0x30)), nested)
            return outer + tlv.encode(0x30, nested)[1:]
        case 2:
            return outer + tlv.encode(0x30, b"\x02\x00" * rng.choice((10, 5000)))[1:]
        case _:
            return outer + b"\x83\x00\xff\xff" + b"\x30\x82\x7f\xff" * 100


def change_tree(rng: random.Random, content: bytes) -> bytes:
    """One data object somewhere inside removed, doubled, emptied, retagged or rewritten; all lengths stay right."""
    path = path_into(rng, content)
    return _rebuilt(rng, content, path)


def spoil_point(rng: random.Random, content: bytes) -> bytes:
    """Where an uncompressed point lies in there, one that is none, the zero point, or one on another curve."""
    for at in range(len(content)):
        if content[at] != 0x04:
            continue
        for length in POINT_LENGTHS:
            announced = content[at - 1 : at] if at else b""
            if announced == bytes((length & 0xFF,)) and at + length <= len(content):
                point = content[at : at + length]
                half = length // 2
                spoilt = rng.choice(
                    (
                        flip_bits(rng, point),
                        b"\x04" + bytes(length - 1),
                        b"\x04" + b"\xff" * (length - 1),
                        point[: half + 1] + point[1 : half + 1],
                        b"\x00" * length,
                        b"\x02" + point[1:],
                        b"\x04" + rng.randbytes(length - 1),
                    )
                )
                return content[:at] + spoilt + content[at + length :]
    return flip_bits(rng, content)


def spots_of(content: bytes, start: int = 0, end: int | None = None, depth: int = 0) -> list[tuple[int, tlv.Header]]:
    """Every data object in there, nested ones too, as far as it parses."""
    spots: list[tuple[int, tlv.Header]] = []
    stop = len(content) if end is None else end
    at = start
    while at < stop and len(spots) < 200:
        try:
            header = tlv.read_header(content, at)
        except MalformedFileError:
            break
        if at + header.total_length > stop:
            break
        spots.append((at, header))
        if is_constructed(content[at]) and depth < 12:
            spots += spots_of(content, at + header.header_length, at + header.total_length, depth + 1)
        at += header.total_length
    return spots


def is_constructed(first_byte: int) -> bool:
    """Bit 6 of a tag: data objects inside."""
    return bool(first_byte & 0x20)


def tag_bytes(content: bytes, at: int) -> int:
    """How many bytes the tag takes."""
    count = 1
    if content[at] & 0x1F == 0x1F:
        while at + count < len(content) and content[at + count] & 0x80:
            count += 1
        count += 1
    return count


def path_into(rng: random.Random, content: bytes) -> list[int]:
    """A way down to one data object: its index on each level."""
    path: list[int] = []
    level = content
    for _ in range(12):
        try:
            objects = tlv.parse_all(level)
        except MalformedFileError:
            break
        if not objects:
            break
        index = rng.randrange(len(objects))
        path.append(index)
        first = objects[index].tag.to_bytes((objects[index].tag.bit_length() + 7) // 8 or 1, "big")[0]
        if not is_constructed(first) or rng.random() < 0.15:
            break
        level = objects[index].value
    return path


def _rebuilt(rng: random.Random, content: bytes, path: list[int]) -> bytes:
    """The content with the object at the end of the path changed, everything around it re-encoded."""
    if not path:
        return flip_bits(rng, content)
    try:
        objects = tlv.parse_all(content)
    except MalformedFileError:
        return flip_bits(rng, content)
    index = min(path[0], len(objects) - 1)
    target = objects[index]
    if len(path) > 1:
        return _encoded(
            [*objects[:index], tlv.Tlv(target.tag, _rebuilt(rng, target.value, path[1:])), *objects[index + 1 :]]
        )
    change: Callable[[], list[tlv.Tlv]] = rng.choice(
        (
            lambda: [],
            lambda: [target, target],
            lambda: [tlv.Tlv(target.tag, b"")],
            lambda: [tlv.Tlv(rng.choice((0x02, 0x04, 0x05, 0x06, 0x30, 0x31, 0xA0, 0x7F2E, 0x5F1F)), target.value)],
            lambda: [tlv.Tlv(target.tag, flip_bits(rng, target.value))],
            lambda: [tlv.Tlv(target.tag, rng.randbytes(rng.choice((1, 8, 40, 300))))],
            lambda: [tlv.Tlv(target.tag, b"\x7f" * rng.choice((9, 200)))],
            lambda: [tlv.Tlv(target.tag, tlv.encode(0x30, target.value))],
        )
    )
    return _encoded([*objects[:index], *change(), *objects[index + 1 :]])


def _encoded(objects: list[tlv.Tlv]) -> bytes:
    """One after the other."""
    return b"".join(tlv.encode(one.tag, one.value) for one in objects)
