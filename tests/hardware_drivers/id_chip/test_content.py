import contextlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.contents import parse_contents
from hardware_drivers.id_chip.detail_fields import PartialDate, PersonName
from hardware_drivers.id_chip.dg3 import parse_dg3
from hardware_drivers.id_chip.dg7 import parse_dg7
from hardware_drivers.id_chip.dg11 import parse_dg11
from hardware_drivers.id_chip.dg12 import parse_dg12
from hardware_drivers.id_chip.iso19794 import face_images, finger_views
from hardware_drivers.id_chip.iso39794 import CaptureDate, parse_face_block, parse_finger_block
from hardware_drivers.id_chip.lds import parse_dg2
from hardware_drivers.id_chip.portrait import ImageType, look_at
from tests.hardware_drivers.cards import ID_CARD_DATA, SPECIMENS_MISSING, drawn_portrait

needs_samples = pytest.mark.skipif(not ID_CARD_DATA.exists(), reason=SPECIMENS_MISSING)
ICAO, ISO = ID_CARD_DATA / "icao_samples", ID_CARD_DATA / "iso39794_samples"

# --- faces: the samples of ICAO and ISO ---


@needs_samples
@pytest.mark.parametrize("fields", ["MandFields", "AllFields"])
def test_a_face_of_the_second_generation_is_the_picture_icao_put_into_it(fields: str) -> None:
    picture = (ICAO / "ICAO_39794_5_AP_Face.jpg").read_bytes()  # JPEG 2000, whatever its name says
    (face,) = parse_face_block((ICAO / f"ICAO_39794_5_AP_{fields}.dat").read_bytes())
    assert face.image == picture
    assert (face.quality, face.landmarks) == ((99, 1) if fields == "AllFields" else (None, 0))
    assert face.taken == (CaptureDate(2024, 1, 20) if fields == "AllFields" else None)


@needs_samples
@pytest.mark.parametrize("fields", ["MandFields", "AllFields"])
def test_a_whole_data_group_of_the_second_generation_shows_its_portrait(fields: str) -> None:
    (portrait,) = parse_dg2((ICAO / f"ICAO_39794_5_AP_DG2_{fields}.dat").read_bytes())
    assert portrait.image == (ICAO / "ICAO_39794_5_AP_DG2_Face.jpg").read_bytes()
    assert (portrait.image_type, portrait.width_px, portrait.height_px) == (ImageType.JPEG2000, 413, 531)


@needs_samples
def test_the_iso_face_sample_is_read() -> None:
    (face,) = parse_face_block((ISO / "sample-39794-5-ed-1-v1.der").read_bytes())
    assert (face.landmarks, len(face.image)) == (2, 893_557)


@needs_samples
def test_a_face_of_the_first_generation_is_the_picture_icao_put_into_it() -> None:
    (image,) = face_images((ICAO / "ISO19794_Test1_Data.bin").read_bytes())
    assert image == (ICAO / "ISO19794_Test1_Face.jpg").read_bytes()


@needs_samples
def test_the_broken_samples_hold_no_picture() -> None:
    (face,) = parse_face_block((ICAO / "ICAO_39794_5_AP_MandFields_InvalidImage.dat").read_bytes())
    (older,) = face_images((ICAO / "ISO19794_Test2_Data_InvalidImage.bin").read_bytes())
    for image in (face.image, older):
        with pytest.raises(MalformedFileError, match="first bytes"):
            look_at(image)


@needs_samples
def test_every_cut_of_a_sample_is_refused() -> None:
    whole = (ICAO / "ICAO_39794_5_AP_AllFields.dat").read_bytes()
    for end in [*range(60), *range(60, len(whole), 997), len(whole) - 1]:
        with pytest.raises(MalformedFileError):
            parse_face_block(whole[:end])


# --- fingers ---


def group(tag: int, *blocks: bytes, count: int | None = None) -> bytes:
    instances = b"".join(tlv.encode(0x7F60, tlv.encode(0xA1, b"") + tlv.encode(0x5F2E, one)) for one in blocks)
    counted = tlv.encode(0x02, bytes((len(blocks) if count is None else count,)))
    return tlv.encode(tag, tlv.encode(0x7F61, counted + instances))


def finger_record(image: bytes, *, compression: int, sides: tuple[int, int], position: int = 2) -> bytes:
    """ISO/IEC 19794-4:2005 §7, field by field."""
    header = (
        b"FIR\x00010\x00"
        + (32 + 14 + len(image)).to_bytes(6, "big")
        + bytes.fromhex("0000 001F 01 01 01F4 01F4 01F4 01F4 08")  # device, level 31, one finger, per inch, 500, 8 bits
        + bytes((compression, 0, 0))
    )
    width, height = (side.to_bytes(2, "big") for side in sides)
    view = (14 + len(image)).to_bytes(4, "big") + bytes((position, 1, 1, 80, 0)) + width + height + b"\x00"
    return header + view + image


def test_a_finger_of_grey_pixels_is_read() -> None:
    (finger,) = parse_dg3(group(0x63, finger_record(bytes(range(12)), compression=0, sides=(4, 3), position=7)))
    assert (finger.position, finger.image_type, finger.image) == ("left_index", None, bytes(range(12)))
    assert (finger.width_px, finger.height_px, finger.dpi, finger.quality) == (4, 3, 500, 80)


@needs_samples
def test_a_finger_in_wsq_is_read_in_a_group_of_the_first_generation() -> None:
    image = (ISO / "sample_image.wsq").read_bytes()
    (finger,) = parse_dg3(group(0x63, finger_record(image, compression=2, sides=(1, 1))))
    assert (finger.position, finger.image_type, finger.image) == ("right_index", ImageType.WSQ, image)
    assert (finger.width_px, finger.height_px) == (545, 622)  # by the picture, whatever the record says


@needs_samples
def test_the_iso_finger_sample_is_read() -> None:
    block = (ISO / "sample-39794-4-ed-1-v1.der").read_bytes()
    (one,) = parse_finger_block(block)
    assert (one.position, one.impression, one.taken) == (2, 1, CaptureDate(2018, 12, 30))
    assert one.quality == 44
    (finger,) = parse_dg3(group(0x63, tlv.encode(0xA1, block)))
    assert (finger.position, finger.image_type, finger.width_px) == ("right_index", ImageType.PNG, 24)


def test_a_state_that_stores_no_fingers_is_understood() -> None:
    random_object = tlv.encode(0x53, bytes(8))  # Doc 9303-10 §4.7.3.1: so that the hash does not tell
    empty = tlv.encode(0x63, tlv.encode(0x7F61, tlv.encode(0x02, b"\x00") + random_object))
    assert parse_dg3(empty) == ()


@pytest.mark.parametrize(
    "content",
    [
        group(0x63, finger_record(bytes(12), compression=0, sides=(4, 3)), count=2),
        group(0x63, finger_record(bytes(12), compression=0, sides=(4, 4))),
        group(0x63, finger_record(bytes(12), compression=2, sides=(4, 3))),
        group(0x63, finger_record(bytes(12), compression=0, sides=(4, 3))[:40]),
        group(0x63, b""),
        group(0x75, finger_record(bytes(12), compression=0, sides=(4, 3))),
    ],
)
def test_fingers_that_do_not_fit_are_refused(content: bytes) -> None:
    with pytest.raises(MalformedFileError):
        parse_dg3(content)


# --- signature, person, document ---


def test_a_displayed_signature_is_read() -> None:
    picture = drawn_portrait(50)
    (signature,) = parse_dg7(tlv.encode(0x67, tlv.encode(0x02, b"\x01") + tlv.encode(0x5F43, picture)))
    assert (signature.image, signature.width_px) == (picture, 50)
    with pytest.raises(MalformedFileError):
        parse_dg7(tlv.encode(0x67, tlv.encode(0x02, b"\x02") + tlv.encode(0x5F43, picture)))


# Doc 9303-10 §4.7.11.1, the worked example: its tags and lengths as printed there
DG11_OF_THE_STANDARD = (
    bytes.fromhex("6B63 5C0A 5F0E5F115F425F125F13")
    + bytes.fromhex("5F0E0D")
    + b"SMITH<<JOHN<J"
    + bytes.fromhex("5F110A")
    + b"ANYTOWN<MN"
    + bytes.fromhex("5F4217")
    + b"123 MAPLE RD<ANYTOWN<MN"
    + bytes.fromhex("5F120E")
    + b"1-612-555-1212"
    + bytes.fromhex("5F130C")
    + b"TRAVEL<AGENT"
)


def details(tag: int, *objects: tuple[int, bytes]) -> bytes:
    tags = b"".join(number.to_bytes((number.bit_length() + 7) // 8, "big") for number, _ in objects)
    return tlv.encode(tag, tlv.encode(0x5C, tags) + b"".join(tlv.encode(*one) for one in objects))


def test_the_standards_person_is_read() -> None:
    person = parse_dg11(DG11_OF_THE_STANDARD)
    assert person.name == PersonName("SMITH", "JOHN J")
    assert person.place_of_birth == ("ANYTOWN", "MN")
    assert person.address == ("123 MAPLE RD", "ANYTOWN", "MN")
    assert (person.telephone, person.profession) == ("1-612-555-1212", "TRAVEL<AGENT")
    assert (person.date_of_birth, person.personal_number, person.other_names) == (None, None, ())


@pytest.mark.parametrize(
    ("written", "surname", "given"),
    [
        ("张<<伟", "张", "伟"),
        ("Şahin<<Çağla<Gül", "Şahin", "Çağla Gül"),
        ("ΠΑΠΑΔΟΠΟΥΛΟΣ<<ΓΕΩΡΓΙΟΣ", "ΠΑΠΑΔΟΠΟΥΛΟΣ", "ΓΕΩΡΓΙΟΣ"),
        ("محمد", "محمد", ""),
        ("Ö<STRÖM<<𠮷", "Ö STRÖM", "𠮷"),
    ],
)
def test_names_keep_their_own_script(written: str, surname: str, given: str) -> None:
    others = tlv.encode(0x02, b"\x01") + tlv.encode(0x5F0F, written.encode())
    person = parse_dg11(details(0x6B, (0x5F0E, written.encode()), (0xA0, others)))
    assert person.name == PersonName(surname, given)
    assert person.other_names == (PersonName(surname, given),)


@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        (b"19640812", PartialDate(1964, 8, 12)),
        (bytes.fromhex("19640812"), PartialDate(1964, 8, 12)),
        (b"19640000", PartialDate(1964, None, None)),
        (b"1964<<<<", PartialDate(1964, None, None)),
        (bytes.fromhex("19640800"), PartialDate(1964, 8, None)),
        (b"<<<<<<<<", PartialDate(None, None, None)),
    ],
)
def test_a_full_date_is_read_in_either_encoding(encoded: bytes, expected: PartialDate) -> None:
    assert parse_dg11(details(0x6B, (0x5F2B, encoded))).date_of_birth == expected


@pytest.mark.parametrize("encoded", [b"", b"1964081", b"19641301", b"19640832", b"1964-8-1", bytes.fromhex("1964AB01")])
def test_a_date_that_is_none_is_refused(encoded: bytes) -> None:
    with pytest.raises(MalformedFileError, match="full date of birth"):
        parse_dg11(details(0x6B, (0x5F2B, encoded)))


@pytest.mark.parametrize(
    "content",
    [
        tlv.encode(0x6B, tlv.encode(0x5F0E, b"SMITH")),
        details(0x6B, (0x5F0E, b"SMITH"), (0x5F0E, b"JONES")),
        details(0x6B, (0x5F0E, b"M\xdcLLER")),
        details(0x6B, (0x5F0E, b"SMITH\x00")),
        details(0x6B, (0x5F19, b"of another group")),
        details(0x6B, (0xA0, tlv.encode(0x02, b"\x02") + tlv.encode(0x5F0F, b"SMITH"))),
        details(0x6B, (0xA0, tlv.encode(0x5F0F, b"SMITH"))),
        b"",
    ],
)
def test_details_that_do_not_fit_are_refused(content: bytes) -> None:
    with pytest.raises(MalformedFileError):
        parse_dg11(content)


def test_a_document_is_described() -> None:
    document = parse_dg12(
        details(
            0x6C,
            (0x5F19, b"UNITED STATES OF AMERICA"),
            (0x5F26, b"20020525"),
            (0xA0, tlv.encode(0x02, b"\x01") + tlv.encode(0x5F1A, b"SMITH<<BRENDA<P")),
            (0x5F1B, b"FOR TESTS ONLY"),
            (0x5F1D, b"\xff\xd8\xff"),
            (0x5F55, bytes.fromhex("20020525134501")),
            (0x5F56, b"SN-7"),
        )
    )
    assert document.issuing_authority == "UNITED STATES OF AMERICA"
    assert document.date_of_issue == PartialDate(2002, 5, 25)
    assert document.other_persons == (PersonName("SMITH", "BRENDA P"),)
    assert document.personalised_at == datetime(2002, 5, 25, 13, 45, 1)
    assert (document.endorsements, document.personalised_by) == ("FOR TESTS ONLY", "SN-7")
    assert (document.front, document.rear, document.tax_or_exit_requirements) == (b"\xff\xd8\xff", None, None)
    with pytest.raises(MalformedFileError, match="personalisation time"):
        parse_dg12(details(0x6C, (0x5F55, b"20021325134501")))


def test_one_group_out_of_order_leaves_the_others_readable() -> None:
    groups = {11: DG11_OF_THE_STANDARD, 12: b"\x6c\x00", 13: b"\x6d\x01\x00"}
    contents = parse_contents(groups)
    assert contents.person is not None
    assert (contents.document, contents.optional, contents.zone, contents.fingers) == (None, b"\x6d\x01\x00", None, ())
    assert set(contents.unreadable) == {12}


# --- whatever a chip may send ---

SEEDS: dict[Callable[[bytes], object], bytes] = {
    parse_dg2: group(0x75, b"FAC\x00010\x00" + bytes(60)),
    parse_dg3: group(0x63, finger_record(bytes(12), compression=0, sides=(4, 3))),
    parse_dg7: tlv.encode(0x67, tlv.encode(0x02, b"\x01") + tlv.encode(0x5F43, drawn_portrait(20))),
    parse_dg11: DG11_OF_THE_STANDARD,
    parse_dg12: details(0x6C, (0x5F26, b"20020525"), (0x5F55, bytes.fromhex("20020525134501"))),
}
SAMPLES: dict[Callable[[bytes], object], Path] = {
    parse_face_block: ICAO / "ICAO_39794_5_AP_AllFields.dat",
    parse_finger_block: ISO / "sample-39794-4-ed-1-v1.der",
}


@settings(max_examples=400)
@given(st.sampled_from(list(SEEDS)), st.data())
def test_a_changed_group_is_read_or_refused(parse: Callable[[bytes], object], data: st.DataObject) -> None:
    content = bytearray(SEEDS[parse])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(MalformedFileError):
        parse(bytes(content))


@given(st.sampled_from([0x61, 0x63, 0x67, 0x6B, 0x6C, 0x64, 0x65]), st.binary(max_size=120))
def test_any_bytes_are_read_or_refused(tag: int, content: bytes) -> None:
    parsers = (*SEEDS, parse_face_block, parse_finger_block, finger_views, face_images, look_at)
    for parse in parsers:
        for one in (content, tlv.encode(tag, content), b"FIR\x00010\x00" + content, b"\xff\xa0" + content):
            with contextlib.suppress(MalformedFileError):
                parse(one)


@needs_samples
@settings(max_examples=200)
@given(st.sampled_from(list(SAMPLES)), st.data())
def test_a_changed_sample_is_read_or_refused(parse: Callable[[bytes], object], data: st.DataObject) -> None:
    content = bytearray(SAMPLES[parse].read_bytes())
    structure = [at for at in range(len(content)) if at < 100 or at > len(content) - 700]
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.sampled_from(structure))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(MalformedFileError):
        parse(bytes(content))
