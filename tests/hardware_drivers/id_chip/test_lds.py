import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.lds import parse_com, parse_dg1, parse_dg2
from hardware_drivers.id_chip.portrait import ImageType, look_at
from tests.hardware_drivers.cards import ID_CARD_DATA, SPECIMENS_MISSING, drawn_portrait, make_card

needs_specimens = pytest.mark.skipif(not ID_CARD_DATA.exists(), reason=SPECIMENS_MISSING)
CARD = make_card()


def test_the_table_of_contents_is_that_of_the_standards_example() -> None:
    # Doc 9303-10 §4.6.1, the example with DG1, DG2, DG4 and DG12
    com = parse_com(bytes.fromhex("60165F0104303130375F36063034303030305C0461757 66C".replace(" ", "")))
    assert (com.lds_version, com.unicode_version, com.data_groups) == ("0107", "040000", (1, 2, 4, 12))


@needs_specimens
@pytest.mark.parametrize(
    ("name", "groups"),
    [("bsi_specimen_2008/EF_COM.bin", (1, 2, 3, 14)), ("nl_specimen_2006/ef011E.bin", (1, 2, 15))],
)
def test_specimens_list_their_data_groups(name: str, groups: tuple[int, ...]) -> None:
    assert parse_com((ID_CARD_DATA / name).read_bytes()).data_groups == groups


@needs_specimens
@pytest.mark.parametrize(
    ("name", "size"),
    [("bsi_specimen_2008/Datagroup2.bin", (413, 531)), ("nl_specimen_2006/ef0102.bin", (449, 598))],
)
def test_specimens_show_their_portrait(name: str, size: tuple[int, int]) -> None:
    (portrait,) = parse_dg2((ID_CARD_DATA / name).read_bytes())
    assert portrait.image_type is ImageType.JPEG2000
    assert (portrait.width_px, portrait.height_px) == size


def test_a_jpeg_is_known_by_its_own_header() -> None:
    picture = drawn_portrait(120)
    (portrait,) = parse_dg2(make_card(portrait=picture).files[0x0102])
    assert (portrait.image, portrait.image_type) == (picture, ImageType.JPEG)
    assert (portrait.width_px, portrait.height_px) == (120, 120)


@pytest.mark.parametrize(
    "evil",
    [
        b"",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff" + b"\xff" * 5000,
        b"\xff\xd8\xff\xe0\x00\x00" * 50,
        bytes.fromhex("FFD8FFC0001108FFFFFFFF03") + bytes(20),
        bytes.fromhex("FF4FFF51") + bytes(3),
        bytes.fromhex("FF4FFF5100290000FFFFFFFFFFFFFFFF") + bytes(30),
        b"GIF89a" + bytes(100),
    ],
)
def test_a_picture_that_is_none_or_too_large_is_refused(evil: bytes) -> None:
    with pytest.raises(MalformedFileError):
        look_at(evil)


def test_a_count_that_lies_is_refused() -> None:
    group = CARD.files[0x0102].replace(bytes.fromhex("020101"), bytes.fromhex("020102"), 1)
    with pytest.raises(MalformedFileError):
        parse_dg2(group)


@pytest.mark.parametrize("number", [1, 2])
def test_no_mutation_of_a_file_gets_out_of_the_error_family(number: int) -> None:
    source = CARD.files[0x0100 + number]
    parse = {1: parse_dg1, 2: parse_dg2}[number]
    chance = random.Random(number)  # noqa: S311 - repeatable mutations
    for _ in range(1500):
        mutated = bytearray(source)
        for _ in range(chance.randint(1, 3)):
            mutated[chance.randrange(min(len(mutated), 140))] = chance.randrange(256)
        with contextlib.suppress(MalformedFileError):
            parse(bytes(mutated[: chance.choice([len(mutated), chance.randrange(len(mutated))])]))


@given(st.sampled_from([0x60, 0x61, 0x75]), st.binary(max_size=200))
def test_any_content_is_parsed_or_refused(tag: int, content: bytes) -> None:
    for parse in (parse_com, parse_dg1, parse_dg2):
        with contextlib.suppress(MalformedFileError):
            parse(tlv.encode(tag, content))
