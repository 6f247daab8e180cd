"""RTP payloads against the RFCs' own examples, another implementation, and strangers' bytes."""

import itertools

import pytest
from aiortc.codecs.h264 import h264_depayload
from aiortc.codecs.vpx import VpxPayloadDescriptor
from aiortc.rtp import RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from webrtc.errors import MalformedRtpError
from webrtc.h264 import begins_key_h264, depayload_h264
from webrtc.rtp import (
    H264,
    HOLE_PATIENCE_S,
    OPUS,
    VP8,
    Assembler,
    Frame,
    ahead,
    begins_key_vp8,
    depayload_vp8,
    parse_rtp,
    vp8_descriptor_length,
    vp8_size,
)

# RFC 7741 §4.6: the descriptors of its example packets, each followed by one byte of payload header.
# (title, packet, descriptor length, first packet of a key picture)
VP8_CASES = [
    ("4.6.1 key frame in a single packet", "10 00", 1, True),
    ("4.6.2 with a picture number of 7 bits", "90 80 11 00", 3, True),
    ("4.6.3 second packet of a picture, S=0", "00 00", 1, False),
    ("4.6.4 picture number of 15 bits", "90 80 92 8d 00", 4, True),
    ("4.6.5 picture number, TL0PICIDX, TID and KEYIDX", "90 f0 92 8d 07 60 00", 6, True),
    ("inter picture: P=1 in the payload header", "10 01", 1, False),
    ("a later partition of a key picture, PID=1", "11 00", 1, False),
    ("non-reference picture can be no key but is not ours to judge, N=1", "30 00", 1, True),
]


@pytest.mark.parametrize(("packet", "length", "key"), [case[1:] for case in VP8_CASES], ids=[c[0] for c in VP8_CASES])
def test_vp8_descriptors_of_the_rfc(packet: str, length: int, key: bool) -> None:
    payload = bytes.fromhex(packet)
    assert vp8_descriptor_length(payload) == length
    assert begins_key_vp8(payload) is key
    assert begins_key_vp8(b"\xff" * 5 + payload, 5) is key
    assert depayload_vp8(payload) == payload[length:]


@pytest.mark.parametrize("packet", ["", "90", "90 80", "90 80 92", "90 f0 92 8d", "90 f0 92 8d 07"])
def test_a_vp8_packet_that_ends_inside_its_descriptor_is_malformed(packet: str) -> None:
    payload = bytes.fromhex(packet)
    assert vp8_descriptor_length(payload) is None
    assert not begins_key_vp8(payload)
    with pytest.raises(MalformedRtpError):
        depayload_vp8(payload)


@given(st.binary(max_size=40))
def test_vp8_agrees_with_aiortc_wherever_aiortc_accepts(payload: bytes) -> None:
    try:
        descriptor, rest = VpxPayloadDescriptor.parse(payload)
    except ValueError:
        return
    if not rest:
        return  # aiortc does not check the length of the last fields
    assert depayload_vp8(payload) == rest
    if begins_key_vp8(payload):
        assert descriptor.partition_start == 1
        assert descriptor.partition_id & 7 == 0  # aiortc takes the reserved bit before PID along


H264_CASES = [
    ("single SPS", "67 42 e0 1f", True),
    ("single IDR slice: nobody new can decode it alone", "65 88", False),
    ("single inter slice", "41 9a", False),
    ("STAP-A with SPS and PPS", "78 0002 6742 0002 68ce", True),
    ("STAP-A with PPS then SPS", "78 0002 68ce 0002 6742", True),
    ("STAP-A with SEI only", "78 0002 0605", False),
    ("FU-A, first fragment of an SPS", "7c 87 42", True),
    ("FU-A, later fragment of an SPS", "7c 07 42", False),
    ("FU-A, first fragment of an inter slice", "5c 81 9a", False),
    ("nothing", "", False),
]


@pytest.mark.parametrize(("packet", "key"), [case[1:] for case in H264_CASES], ids=[case[0] for case in H264_CASES])
def test_h264_key_pictures_begin_with_a_parameter_set(packet: str, key: bool) -> None:
    assert begins_key_h264(bytes.fromhex(packet)) is key


@given(st.binary(min_size=2, max_size=60))
def test_h264_agrees_with_aiortc_or_refuses(payload: bytes) -> None:
    try:
        ours = depayload_h264(payload)
    except MalformedRtpError:
        return
    assert ours == h264_depayload(payload)


@given(st.binary(max_size=60))
def test_bytes_from_strangers_never_break_anything(payload: bytes) -> None:
    parse_rtp(payload)
    vp8_size(payload)
    begins_key_vp8(payload)
    begins_key_h264(payload)
    for depayload in (depayload_vp8, depayload_h264):
        try:
            depayload(payload)
        except MalformedRtpError:
            continue


@given(
    st.integers(0, 127).filter(lambda number: number not in range(64, 96)),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.binary(max_size=30),
    st.integers(0, 1),
    st.lists(st.integers(0, 0xFFFFFFFF), max_size=15),
)
def test_headers_as_aiortc_writes_them(
    kind: int, number: int, timestamp: int, ssrc: int, payload: bytes, marker: int, csrc: list[int]
) -> None:
    packet = RtpPacket(kind, marker, number, timestamp, ssrc, payload)
    packet.csrc = csrc
    wire = packet.serialize()
    fields = parse_rtp(wire)
    assert fields is not None
    assert fields[:5] == (kind, marker, number, timestamp, ssrc)
    assert wire[fields.begin : fields.end] == payload


def test_padding_is_not_payload() -> None:
    wire = bytes.fromhex("a0e10001 00000000 00000001") + b"abc" + b"\x00\x00\x00\x00\x05"
    fields = parse_rtp(wire)
    assert fields is not None
    assert wire[fields.begin : fields.end] == b"abc"
    assert parse_rtp(wire[:-1] + b"\x20") is None  # more padding than packet


def test_counters_that_wrap_are_compared_over_the_wrap() -> None:
    assert ahead(2, 0xFFFE) == 4
    assert ahead(0xFFFE, 2) == -4
    assert ahead(5, 5) == 0
    assert ahead(100, 0xFFFFFF00, 32) == 356


def picture(number: int, *, key: bool, packets: int) -> list[tuple[int, int, bytes]]:
    """(timestamp, marker, payload) of a VP8 picture; its content says which it is."""
    pieces = []
    for index in range(packets):
        descriptor = b"\x10" if index == 0 else b"\x00"
        header = bytes([0 if key else 1]) if index == 0 else b""
        pieces.append((number * 3000, int(index == packets - 1), descriptor + header + b"%d.%d;" % (number, index)))
    return pieces


def numbered(pictures: list[list[tuple[int, int, bytes]]], first: int = 65_530) -> list[tuple[int, int, int, bytes]]:
    """Packets with sequence numbers that wrap early."""
    packets = itertools.chain.from_iterable(pictures)
    return [((first + index) & 0xFFFF, *packet) for index, packet in enumerate(packets)]


def assembled(assembler: Assembler, packets: list[tuple[int, int, int, bytes]], step_s: float = 0.001) -> list[Frame]:
    """Everything that comes out."""
    return [frame for index, packet in enumerate(packets) for frame in assembler.push(*packet, now_s=index * step_s)]


@given(st.data())
def test_packets_in_any_near_order_give_every_picture_once_and_in_order(data: st.DataObject) -> None:
    pictures = [
        picture(number, key=number == 0 or data.draw(st.booleans()), packets=data.draw(st.integers(1, 5)))
        for number in range(8)
    ]
    packets = numbered(pictures)
    # each packet is late by up to 10 places, the first comes first: it tells where the stream begins
    late = [0, *(index + data.draw(st.integers(0, 10)) for index in range(1, len(packets)))]
    order = sorted(range(len(packets)), key=lambda index: (late[index], index))
    again = [packets[index] for index in order for _ in range(data.draw(st.integers(1, 2)))]
    assembler = Assembler(VP8)
    frames = assembled(assembler, again)
    whole = [b"".join(depayload_vp8(piece[2]) for piece in pieces) for pieces in pictures]
    assert [frame.payload for frame in frames] == whole
    assert assembler.holes == 0


@given(st.data())
def test_after_a_loss_nothing_comes_out_before_the_next_key_picture(data: st.DataObject) -> None:
    keys = [True, *(data.draw(st.booleans()) for _ in range(19))]
    pictures = [picture(number, key=key, packets=data.draw(st.integers(1, 3))) for number, key in enumerate(keys)]
    packets = numbered(pictures)
    lost = data.draw(st.sets(st.integers(1, len(packets) - 1), min_size=1, max_size=6))
    kept = [packet for index, packet in enumerate(packets) if index not in lost]
    frames = assembled(Assembler(VP8), kept, step_s=HOLE_PATIENCE_S)
    seen = [frame.timestamp // 3000 for frame in frames]
    assert seen == sorted(set(seen))
    for before, number in itertools.pairwise([-1, *seen]):
        assert keys[number] or number == before + 1, f"picture {number} came out although {number - 1} did not"
    for number in seen:
        frame = next(frame for frame in frames if frame.timestamp // 3000 == number)
        assert frame.payload == b"".join(depayload_vp8(piece[2]) for piece in pictures[number])


def test_a_hole_is_skipped_when_its_time_is_over_and_a_key_picture_is_wanted() -> None:
    packets = numbered([picture(0, key=True, packets=1), picture(1, key=False, packets=1)])
    far = numbered([picture(number, key=number == 5, packets=1) for number in range(3, 7)], first=65_530 + 3)
    assembler = Assembler(VP8)
    assert len(assembled(assembler, packets)) == 2
    assert assembler.push(*far[0], now_s=1.0) == []
    assert assembler.holes == 0
    assert assembler.push(*far[1], now_s=1.1 + HOLE_PATIENCE_S) == []
    assert (assembler.holes, assembler.waits_for_key) == (1, True)
    assert [frame.key for frame in assembler.push(*far[2], now_s=2.0)] == [True]
    assert not assembler.waits_for_key


def test_sound_goes_on_after_a_hole_at_once() -> None:
    assembler = Assembler(OPUS)
    assert len(assembler.push(10, 0, 0, b"a", 0.0)) == 1
    assert assembler.push(12, 1920, 0, b"c", 0.02) == []
    assert [frame.payload for frame in assembler.push(13, 2880, 0, b"d", 0.5)] == [b"c", b"d"]


def test_a_malformed_piece_costs_its_picture_and_asks_for_a_key() -> None:
    assembler = Assembler(H264)
    assembler.push(1, 0, 0, bytes.fromhex("67 42"), 0.0)
    assert assembler.push(2, 0, 1, bytes.fromhex("78 ffff 00"), 0.0) == []
    assert (assembler.malformed, assembler.waits_for_key) == (1, True)


def test_memory_is_bounded_when_a_page_sends_holes_on_purpose() -> None:
    assembler = Assembler(VP8)
    for index in range(5_000):
        assembler.push(index * 2 & 0xFFFF, index, 0, b"\x10\x01", now_s=0.0)
        assert len(assembler._waiting) <= 257
