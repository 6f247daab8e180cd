"""Frames, against bytes that others wrote down."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware_drivers.samv.commands import (
    COMMANDS,
    FIND,
    MODULE_ID,
    READ,
    READ_ADDED_ADDRESS,
    READ_WITH_FINGERPRINTS,
    RESET,
    SELECT,
    STATUS,
    Command,
)
from hardware_drivers.samv.frame import (
    HEAD_BYTES,
    LONGEST_LEN,
    LONGEST_NOISE,
    PREAMBLE,
    SHORTEST_ANSWER_LEN,
    FrameFault,
    FrameReader,
    encode,
)

# Whole frames as makers' documents and public firmware for card gates print them, none made by our code.
GOLDEN_COMMANDS = [
    (RESET, "AAAAAA9669 0003 10FF EC"),
    (STATUS, "AAAAAA9669 0003 11FF ED"),
    (MODULE_ID, "AAAAAA9669 0003 12FF EE"),
    (FIND, "AAAAAA9669 0003 2001 22"),
    (SELECT, "AAAAAA9669 0003 2002 21"),
    (READ, "AAAAAA9669 0003 3001 32"),
    (READ_WITH_FINGERPRINTS, "AAAAAA9669 0003 3010 23"),
]
GOLDEN_ANSWERS = [
    ("AAAAAA9669 0008 00009F 00000000 97", "00009F 00000000"),
    ("AAAAAA9669 0004 000080 84", "000080"),
    ("AAAAAA9669 000C 000090 0000000000000000 9C", "000090 0000000000000000"),
    ("AAAAAA9669 0004 000081 85", "000081"),
    ("AAAAAA9669 0004 000041 45", "000041"),
]
FOUND = bytes.fromhex(GOLDEN_ANSWERS[0][0])


def read(*chunks: bytes) -> bytes | FrameFault | None:
    """The first outcome of those chunks."""
    frames = FrameReader(SHORTEST_ANSWER_LEN)
    for chunk in chunks:
        if (outcome := frames.feed(chunk)) is not None:
            return outcome
    return None


@pytest.mark.parametrize(("command", "frame"), GOLDEN_COMMANDS, ids=[c.name for c, _ in GOLDEN_COMMANDS])
def test_a_command_is_the_published_frame(command: Command, frame: str) -> None:
    assert encode(command.code) == bytes.fromhex(frame)


def test_every_command_but_the_added_address_has_a_published_frame() -> None:
    assert {command for command, _ in GOLDEN_COMMANDS} == set(COMMANDS) - {READ_ADDED_ADDRESS}


@pytest.mark.parametrize(("frame", "body"), GOLDEN_ANSWERS)
def test_a_published_answer_gives_its_body(frame: str, body: str) -> None:
    assert read(bytes.fromhex(frame)) == bytes.fromhex(body)


def test_an_answer_may_come_byte_by_byte() -> None:
    assert read(*(FOUND[at : at + 1] for at in range(len(FOUND)))) == FOUND[HEAD_BYTES:-1]


def test_noise_before_a_frame_is_skipped() -> None:
    assert read(b"\x00\xaa\xaa\xaa\x96\xaa", FOUND) == FOUND[HEAD_BYTES:-1]


def test_a_preamble_after_stray_aa_is_found() -> None:
    assert read(b"\xaa\xaa" + FOUND) == FOUND[HEAD_BYTES:-1]


def test_more_noise_than_a_line_makes_is_a_fault() -> None:
    assert read(b"\x55" * LONGEST_NOISE) is None
    assert read(b"\x55" * (LONGEST_NOISE + 1)) is FrameFault.NOISE
    assert read(b"\x55" * (LONGEST_NOISE + 1) + FOUND) is FrameFault.NOISE


def test_a_frame_inside_a_photograph_is_never_an_answer_when_the_head_was_lost() -> None:
    forged = encode(b"\0\0\x90" + b"forged")
    answer = encode(b"\0\0\x90" + bytes(4 + 256) + forged + bytes(1024 - len(forged)))
    assert read(answer[3:]) is FrameFault.NOISE


def test_after_a_damaged_frame_the_rest_of_it_is_not_searched() -> None:
    forged = encode(b"\0\0\x90" + b"forged")
    answer = bytearray(encode(b"\0\0\x90" + bytes(4 + 256) + forged + bytes(1024 - len(forged))))
    answer[20] ^= 1
    frames = FrameReader(SHORTEST_ANSWER_LEN)
    assert frames.feed(bytes(answer)) is FrameFault.WRONG_CHECKSUM
    assert frames.feed(b"") is None


@pytest.mark.parametrize("bit", range(8 * len(PREAMBLE), 8 * len(FOUND)))
def test_no_flipped_bit_behind_the_preamble_passes(bit: int) -> None:
    damaged = bytearray(FOUND)
    damaged[bit // 8] ^= 1 << bit % 8
    assert not isinstance(read(bytes(damaged)), bytes)


@pytest.mark.parametrize("length", [0, 3, LONGEST_LEN + 1, 0xFFFF])
def test_a_length_no_answer_has_is_a_fault_at_once(length: int) -> None:
    assert read(PREAMBLE + length.to_bytes(2, "big")) is FrameFault.WRONG_LENGTH


@pytest.mark.parametrize("size", [0, LONGEST_LEN])
def test_a_body_that_fits_no_frame_is_not_sent(size: int) -> None:
    with pytest.raises(ValueError, match="fits no frame"):
        encode(bytes(size))


@settings(max_examples=150)
@given(st.binary(min_size=3, max_size=LONGEST_LEN - 1), st.integers(1, 700))
def test_any_body_comes_back_in_any_pieces(body: bytes, piece: int) -> None:
    frame = encode(body)
    assert read(*(frame[at : at + piece] for at in range(0, len(frame), piece))) == body


@settings(max_examples=300)
@given(
    st.lists(st.one_of(st.binary(max_size=80), st.just(PREAMBLE), st.just(b"\xaa\xaa"), st.just(FOUND)), max_size=12)
)
def test_whatever_arrives_the_reader_stays_bounded_and_sound(chunks: list[bytes]) -> None:
    frames = FrameReader(SHORTEST_ANSWER_LEN)
    for chunk in chunks:
        outcome = frames.feed(chunk)
        if isinstance(outcome, bytes):
            assert encode(outcome) in b"".join(chunks)
        assert len(frames._arrived) < HEAD_BYTES + LONGEST_LEN
