"""Transport-wide feedback against messages other implementations made (vectors of pion/rtcp's own tests)."""

import random

import pytest

from webrtc.errors import MalformedRtpError
from webrtc.transport_cc import pack_feedback, parse_feedback, transport_number

US_PER_TICK = 250
FOREIGN = [
    # run of one small delta
    ("afcd0005fa17fa1743032fa0009900013de8021720019401", 153, 23, [37000]),
    # two-bit vector with reserved statuses, which carry no delta
    ("afcd0006fa17fa17193dd8bb0174000e45b15a40d800f0ffd0000003", 372, 64, [52000, 52000, *[None] * 12]),
    # two runs: large deltas, then small ones
    (
        "afcd0007fa17fa17193dd8bb0174000645b15a40400220041ffe1f9ad000d000",
        372,
        64,
        [2047500, 4070000, 4122000, 4122000, 4174000, 4174000],
    ),
    ("afcd0007fa17fa17193dd8bb0004000710636e0120074c2424100c0c10000003", 4, 1, None),
    # one-bit vector
    (
        "afcd0006fa17fa17193dd8bb0001000e10636d00ba00100c0c100003",
        1,
        0,
        [4000, 7000, 10000, None, 14000, *[None] * 9],
    ),
    # vector of seven, then a run that claims more than there are
    (
        "afcd00079b74f61f9371dcbc853c000963f916b3d55200309baa6aaa7b010901",
        34108,
        179,
        [38750, 81250, 107750, 150250, 181000, None, 247250, None, None],
    ),
]


@pytest.mark.parametrize(("message", "base", "count", "arrivals_us"), FOREIGN)
def test_messages_of_others_are_read(message: str, base: int, count: int, arrivals_us: list[int | None] | None) -> None:
    feedback = parse_feedback(bytes.fromhex(message))
    assert (feedback.base, feedback.message) == (base, count)
    told = [None if at is None else (at - feedback.reference_ticks) * US_PER_TICK for at in feedback.arrivals]
    assert told == (arrivals_us or [19000, 28000, 37000, 41000, 44000, 47000, 51000])


def test_what_we_tell_is_what_others_would_write() -> None:
    reference = 4057090 * 256
    said = pack_feedback(4195875351, 1124282272, 23, 153, [reference + 148])
    wanted = bytearray.fromhex("8fcd0005fa17fa1743032fa0009900013de8021720019400")  # without pion's padding mark
    assert said == bytes(wanted)


def test_any_arrivals_survive_the_way() -> None:
    dice = random.Random(5)  # noqa: S311 - repeatable
    for _ in range(200):
        at = dice.randrange(1 << 20)
        arrivals: list[int | None] = [at]
        for _ in range(dice.randrange(200)):
            at += dice.choice((0, 1, 40, 255, 256, 3000, -30))
            arrivals.append(None if dice.random() < 0.2 else at)
        base, count = dice.randrange(1 << 16), dice.randrange(256)
        feedback = parse_feedback(pack_feedback(1, 2, count, base, arrivals))
        assert (feedback.base, feedback.message, feedback.arrivals) == (base, count, arrivals)


def test_a_pause_the_format_cannot_say_is_a_missing_packet() -> None:
    assert parse_feedback(pack_feedback(1, 2, 0, 9, [100, 100 + 40_000])).arrivals == [100, None]


def test_broken_messages_are_told_and_nothing_else_happens() -> None:
    dice = random.Random(6)  # noqa: S311 - repeatable
    whole = bytes.fromhex(FOREIGN[5][0])
    refused = 0
    for _ in range(5000):
        message = bytearray(whole[: dice.randrange(len(whole) + 1)])
        for _ in range(dice.randrange(4)):
            if message:
                message[dice.randrange(len(message))] = dice.randrange(256)
        try:
            parse_feedback(bytes(message))
        except MalformedRtpError:
            refused += 1
    assert refused > 1000
    with pytest.raises(MalformedRtpError, match="claims 65535 packets"):
        parse_feedback(whole[:14] + b"\xff\xff" + whole[16:])
    with pytest.raises(MalformedRtpError, match="empty run"):
        parse_feedback(whole[:20] + b"\x00\x00" * 4)


def _rtp(extensions: bytes) -> bytes:
    words = (len(extensions) + 3) // 4
    return bytes([0x90, 97]) + bytes(10) + b"\xbe\xde" + bytes([0, words]) + extensions.ljust(4 * words, b"\0") + b"x"


def test_the_transport_number_is_found_behind_other_extensions() -> None:
    assert transport_number(_rtp(b"\x41\x12\x34"), 4) == 0x1234
    assert transport_number(_rtp(b"\x32abc\x10m\0\0\x41\xab\xcd"), 4) == 0xABCD
    assert transport_number(_rtp(b"\x32\x41\x12\x34"), 4) is None  # bytes of another extension
    assert transport_number(bytes([0x80, 97]) + bytes(20), 4) is None
    assert transport_number(_rtp(b"\x41")[:17], 4) is None
