import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import tlv


@pytest.mark.parametrize(
    ("length", "header"),
    # ISO/IEC 8825-1 §8.1.3: short form to 127, then the long one
    [
        (0, "04 00"),
        (127, "04 7F"),
        (128, "04 81 80"),
        (255, "04 81 FF"),
        (256, "04 82 01 00"),
        (65536, "04 83 01 00 00"),
    ],
)
def test_lengths_take_the_form_the_standard_says(length: int, header: str) -> None:
    assert tlv.encode(0x04, bytes(length)) == bytes.fromhex(header) + bytes(length)
    assert tlv.only(tlv.encode(0x04, bytes(length)), 0x04) == bytes(length)


def test_a_length_longer_than_it_needs_to_be_is_read() -> None:
    assert tlv.parse_first(bytes.fromhex("04820001FF"))[0] == tlv.Tlv(0x04, b"\xff")


@pytest.mark.parametrize(
    "evil",
    ["", "04", "0480", "0484FFFFFFFF", "0483FFFFFF", "04820100", "0402FF", "7F", "7F81818101", "04FF", "5F"],
)
def test_what_is_cut_off_indefinite_or_announces_too_much_is_refused(evil: str) -> None:
    with pytest.raises(MalformedFileError):
        tlv.parse_first(bytes.fromhex(evil))


def test_bytes_behind_the_only_object_are_refused_unless_they_are_padding() -> None:
    assert tlv.only(bytes.fromhex("0401FF0000"), 0x04) == b"\xff"
    with pytest.raises(MalformedFileError):
        tlv.only(bytes.fromhex("0401FF0001"), 0x04)


@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_refused_and_nothing_is_made_up(source: bytes) -> None:
    try:
        objects = tlv.parse_all(source)
    except MalformedFileError:
        return
    assert sum(len(found.value) for found in objects) <= len(source)


@given(st.lists(st.tuples(st.sampled_from([0x04, 0x5F1F, 0x7F61, 0x87, 0x99]), st.binary(max_size=300)), max_size=5))
def test_what_was_encoded_is_parsed(pairs: list[tuple[int, bytes]]) -> None:
    encoded = b"".join(tlv.encode(tag, value) for tag, value in pairs)
    assert [(found.tag, found.value) for found in tlv.parse_all(encoded)] == pairs
