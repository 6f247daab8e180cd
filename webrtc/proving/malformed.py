"""Bytes and lines that break the formats they pretend to be, by dice handed in."""

import random
import struct

# Payload types our offers use: sound, picture, its repairs, and some that nobody negotiated.
PAYLOAD_TYPES = (96, 97, 98, 99, 100, 101, 102, 111, 0, 8, 72, 127)
# Few sources: each new one costs libsrtp a stream, which is a page's own memory to waste, not our finding.
SSRCS = (0x11111111, 0x22222222, 0x33333333)
_RTCP_TYPES = (200, 201, 202, 203, 204, 205, 206, 207)
_FIRST_BYTES = (*range(0, 4), *range(16, 26), *range(64, 80), *range(128, 192), 255)
_JUNK = ("", "-1", "99999999999999999999", "x", "\x00", "é", "a=", ":", " ", "4294967296", "1e9")


def scribbled(whole: bytes, dice: random.Random) -> bytes:
    """Cut short, lengthened, or with some bytes changed."""
    damaged = bytearray(whole)
    for _ in range(dice.randint(1, 4)):
        match dice.randrange(4):
            case 0 if damaged:
                del damaged[dice.randrange(len(damaged)) :]
            case 1:
                damaged += dice.randbytes(dice.randrange(40))
            case 2 if len(damaged) > 4:  # a length field, more often than not
                struct.pack_into("!H", damaged, dice.randrange(min(len(damaged) - 2, 30)), dice.getrandbits(16))
            case _ if damaged:
                damaged[dice.randrange(len(damaged))] = dice.getrandbits(8)
            case _:
                continue
    return bytes(damaged)


def datagram_of_nobody(dice: random.Random) -> bytes:
    """Bytes of no protocol, with a first byte that leads them into one (RFC 7983 §7)."""
    length = dice.choice((0, 1, 2, 3, 11, 12, 19, 20, 21, 40, 200, 1400))
    return (bytes([dice.choice(_FIRST_BYTES)]) + dice.randbytes(length))[:length]


def _payload(dice: random.Random) -> bytes:
    """VP8 descriptors, H.264 units and repairs that end in the middle of themselves."""
    tail = dice.randbytes(dice.choice((0, 0, 1, 2, 3, 10, 200)))
    match dice.randrange(11):
        case 0:
            return tail
        case 8:  # FU-A out of order: any of beginning, middle and end, of any kind (RFC 6184 §5.8)
            return bytes([0x7C, dice.choice((0x00, 0x40, 0x80, 0xC0)) | dice.getrandbits(5)]) + tail
        case 9:  # parameter sets that promise a size and break off, in one STAP-A with what should follow
            sps = b"\x67\x42\xe0\x1f" + tail
            return b"\x78" + struct.pack("!H", len(sps)) + sps + b"\x00\x04\x68\xce\x38\x80" + tail[:2]
        case 10:  # an aggregate inside an aggregate, or a start code inside a unit
            inner = dice.choice((b"\x78\x00\x02\x67\x42", b"\x65\x00\x00\x00\x01\x67", b"\x7c\x85")) + tail
            return b"\x78" + struct.pack("!H", len(inner)) + inner
        case 1:  # VP8 with every extension announced, and fewer there (RFC 7741 §4.2)
            return bytes([0x90 | dice.getrandbits(4), dice.getrandbits(8)]) + tail
        case 2:  # a key picture's first packet, size and all, then nothing
            return b"\x10" + (b"\x00\x00\x00\x9d\x01\x2a" + dice.randbytes(4) + tail)[: dice.randrange(1, 20)]
        case 3:  # H.264 STAP-A whose units are longer than the packet (RFC 6184 §5.7.1)
            return b"\x18" + struct.pack("!H", dice.getrandbits(16)) + tail
        case 4:  # FU-A without header, or begun and never ended
            return b"\x1c" + tail[:1]
        case 5:
            return bytes([dice.getrandbits(8)]) + b"\x67" + tail
        case 6:  # a repair that names any number (RFC 4588 §4)
            return struct.pack("!H", dice.getrandbits(16)) + tail
        case _:
            return bytes([dice.getrandbits(8)]) * dice.randrange(1, 300)


def rtp_packet(dice: random.Random) -> bytes:
    """An RTP packet with something wrong in header, extensions, padding or payload, or a jump in its numbers."""
    first = 0x80
    extension = b""
    if dice.random() < 0.5:
        first |= 0x10
        elements = dice.randbytes(dice.choice((0, 1, 3, 4, 8)))
        words = dice.choice((len(elements) // 4, (len(elements) + 3) // 4, dice.getrandbits(4), dice.getrandbits(16)))
        extension = struct.pack("!HH", dice.choice((0xBEDE, 0x1000, dice.getrandbits(16))), words) + elements
    if dice.random() < 0.2:
        first |= 0x20  # padding, whose count is whatever the last byte is
    if dice.random() < 0.1:
        first |= dice.getrandbits(4)  # contributors that are not there
    sequence = dice.choice((dice.getrandbits(16), dice.getrandbits(6), 65535, 0))
    mark = dice.getrandbits(1) << 7 | dice.choice(PAYLOAD_TYPES)
    header = struct.pack("!BBHLL", first, mark, sequence, dice.getrandbits(32), dice.choice(SSRCS))
    return header + extension + _payload(dice)


def rtcp_packet(dice: random.Random, ssrcs: dict[str, int]) -> bytes:
    """A compound whose packets lie about their lengths and counts; most name a source we send."""
    compound = b""
    for _ in range(dice.choice((1, 1, 1, 2, 5))):
        kind = dice.choice(_RTCP_TYPES)
        count = dice.choice((0, 1, 4, 15, 31, dice.randrange(32)))
        media = dice.choice((*ssrcs.values(), 0, *SSRCS))
        match dice.randrange(4):
            case 0:
                body = struct.pack("!LL", dice.choice(SSRCS), media) + dice.randbytes(4 * dice.randrange(8))
            case 1:  # transport feedback: base, count, reference, then chunks that promise more than there is
                kind, count = 205, 15
                statuses = dice.choice((0, 1, 200, 65535))
                fci = struct.pack("!HHL", dice.getrandbits(16), statuses, dice.getrandbits(32))
                body = struct.pack("!LL", dice.choice(SSRCS), media) + fci + dice.randbytes(2 * dice.randrange(12))
            case 2:  # REMB with a count of its own
                kind, count = 206, 15
                body = struct.pack("!LL", dice.choice(SSRCS), 0) + b"REMB" + dice.randbytes(dice.choice((0, 3, 4, 8)))
            case _:
                body = dice.randbytes(dice.randrange(40))
        words = dice.choice((len(body) // 4, len(body) // 4, dice.randrange(20), dice.getrandbits(16)))
        padded = dice.choice((0, 0, 0x20))
        compound += struct.pack("!BBH", 0x80 | padded | count, kind, words) + body
    return compound if len(compound) >= 8 else compound + bytes(8)


def stun_attributes(dice: random.Random) -> list[tuple[str, object]]:
    """Attributes of a check, some of which belong into none."""
    offered: list[tuple[str, object]] = [
        ("PRIORITY", dice.getrandbits(32)),
        ("USE-CANDIDATE", None),
        ("ICE-CONTROLLED", dice.getrandbits(64)),
        ("ICE-CONTROLLING", dice.getrandbits(64)),
        ("ERROR-CODE", (dice.choice((300, 401, 487, 699)), "x" * dice.randrange(20))),
        ("SOFTWARE", "x" * dice.randrange(100)),
        ("LIFETIME", dice.getrandbits(32)),
        ("XOR-MAPPED-ADDRESS", ("192.0.2.9", dice.getrandbits(16))),
        ("USERNAME", dice.choice(("", ":", "a:b", "x" * 300))),
    ]
    return dice.sample(offered, dice.randrange(4))


def candidate(dice: random.Random) -> str:
    """A candidate line with some of its words replaced."""
    words = ["candidate:1", "1", "udp", "2122260223", "192.0.2.9", "50000", "typ", "host", "generation", "0"]
    for _ in range(dice.randint(1, 3)):
        words[dice.randrange(len(words))] = dice.choice((*_JUNK, "abc.local", "::1", "relay", "candidate:"))
    return " ".join(words)


def description(answer: str, dice: random.Random) -> str:
    """An answer with lines lost, doubled, exchanged or scribbled over."""
    lines = answer.split("\r\n")
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(lines))
        match dice.randrange(5):
            case 0 if len(lines) > 1:
                lines.pop(at)
            case 1:
                lines.insert(at, dice.choice(lines))
            case 2:
                letters = list(lines[at] or "x")
                letters[dice.randrange(len(letters))] = dice.choice("0 9:=/-aZ\x00é\n")
                lines[at] = "".join(letters)
            case 3:
                other = dice.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
            case _:
                words = lines[at].split(" ")
                words[dice.randrange(len(words))] = dice.choice(_JUNK)
                lines[at] = " ".join(words)
    return "\r\n".join(lines)
