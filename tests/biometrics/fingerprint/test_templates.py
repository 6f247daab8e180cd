"""Finger templates: records of another vendor, vectors by others, and ten thousand broken ones."""

import random
import struct
from collections.abc import Callable

import numpy as np
import pytest

from biometrics.errors import TemplateError
from biometrics.fingerprint import ansi378, card_format, iso19794_2005, iso19794_2011
from biometrics.fingerprint.card_format import CardOrder
from biometrics.fingerprint.minutiae import Minutiae, MinutiaKind
from biometrics.fingerprint.template import FingerPosition, FingerRecord, Impression, RecordMinutia, recorded, working
from biometrics.fingerprint.template_formats import TemplateFormat, read_minutiae, write_minutiae
from tests.biometrics.fingerprint.fingers import DATA, finger

# Written by hand from ISO/IEC 19794-2:2005 §7: 300 x 400 at 197 per cm, right index, live, quality 80, two minutiae.
BY_HAND_2005 = bytes.fromhex(
    "464d5200 20323000 0000002a 0000 012c 0190 00c5 00c5 01 00"  # header
    "02 00 50 02"
    "4064 0032 40 5a"  # ending at (100, 50), 0x40 = a quarter turn, certainty 90
    "8001 018f ff 00"  # fork at (1, 399), 358.59375°, certainty not told
    "0000"
)

# Written by afis 1.2.7's `encode_iso19794_2_2011` (MIT), 388 x 374, right index, quality 77, three minutiae.
BY_AFIS_2011 = bytes.fromhex(
    "464d5200303330000000004800010000000039ffffffffffffffffff0000000000014d000f0000020000c500c500018401766003400c0022"
    "005a80c8012d40324163005aa3640000"
)

# Written by hand from ANSI INCITS 378-2004 §6: two bytes of length, the maker's two numbers, angles of 2°.
BY_HAND_ANSI = bytes.fromhex(
    "464d5200 20323000 002c 001b0001 8123 012c 0190 00c5 00c5 01 00"
    "07 00 50 02"
    "4064 0032 2d 5a"  # 0x2d = 45 x 2° = a quarter turn
    "8001 018f b3 00"  # 0xb3 = 358°
    "0000"
)


def test_a_record_of_2005_written_by_hand_is_read_field_by_field() -> None:
    (view,) = iso19794_2005.read(BY_HAND_2005).views
    assert view.position is FingerPosition.RIGHT_INDEX
    assert view.impression is Impression.LIVE_PLAIN
    assert (view.width, view.height, view.quality) == (300, 400, 80)
    assert view.minutiae == (
        RecordMinutia(MinutiaKind.ENDING, 100, 50, 64, 90),
        RecordMinutia(MinutiaKind.BIFURCATION, 1, 399, 255, None),
    )
    found = working(view)
    assert found.angle_rad[0] == pytest.approx(np.pi / 2)
    assert (found.x_px[0], found.y_px[0]) == (100, 50)


def test_a_record_of_2011_by_another_program_is_read() -> None:
    record = iso19794_2011.read(BY_AFIS_2011)
    (view,) = record.views
    assert (view.width, view.height, view.quality, view.position) == (388, 374, 77, FingerPosition.RIGHT_INDEX)
    assert [(m.x, m.y, m.angle, m.quality) for m in view.minutiae] == [
        (12, 34, 0, 90),
        (200, 301, 64, 50),
        (355, 90, 163, 100),
    ]
    # ours differs only in the number of the quality algorithm's maker, which we have none of
    assert iso19794_2011.write(record) == BY_AFIS_2011.replace(bytes.fromhex("014d000f"), bytes.fromhex("014d0000"))


def test_an_ansi_record_written_by_hand_is_read_and_written_back() -> None:
    record = ansi378.read(BY_HAND_ANSI)
    assert (record.owner, record.device) == (0x1B0001, 0x8123)
    found = working(record.views[0])
    assert found.angle_rad[0] == pytest.approx(np.pi / 2)
    assert ansi378.write(record) == BY_HAND_ANSI


def test_three_bytes_of_a_card_are_tenths_of_a_millimetre_and_64ths_of_a_turn() -> None:
    found = card_format.read(bytes([254, 127, 0b01_010000, 10, 20, 0b10_111111]))
    assert found.x_px[np.argmax(found.x_px)] == pytest.approx(500)
    assert found.angle_rad[np.argmax(found.x_px)] == pytest.approx(np.pi / 2)
    assert sorted(found.kind.tolist()) == [MinutiaKind.ENDING, MinutiaKind.BIFURCATION]


@pytest.mark.skipif(not any(DATA.glob("*/*.iso")), reason=f"wants templates of another vendor in {DATA.name}/*/*.iso")
def test_every_template_of_another_vendor_is_read_and_written_back_byte_by_byte() -> None:
    templates = sorted(DATA.glob("*/*.iso"))
    for path in templates:
        template = path.read_bytes()
        record = iso19794_2005.read(template)
        assert iso19794_2005.write(record) == template
        assert len(working(record.views[0])) == template[27]


@pytest.mark.parametrize("written_as", list(TemplateFormat))
def test_minutiae_survive_a_template(written_as: TemplateFormat) -> None:
    minutiae = finger(3)
    again = read_minutiae(write_minutiae(minutiae, written_as, at_most=255), written_as)
    assert len(again) == len(minutiae)
    apart = np.hypot(again.x_px[:, None] - minutiae.x_px, again.y_px[:, None] - minutiae.y_px)
    nearest = apart.argmin(axis=1)
    assert apart.min(axis=1).max() <= 1.5  # half a pixel, half a tenth of a millimetre
    turned = np.angle(np.exp(1j * (again.angle_rad - minutiae.angle_rad[nearest])))
    assert np.abs(turned).max() <= np.pi / 64 + 1e-6


def test_another_resolution_is_brought_to_500_dpi() -> None:
    view = recorded(finger(1), steps_per_turn=256)
    double = iso19794_2005.read(
        iso19794_2005.write(FingerRecord((view,))).replace(bytes.fromhex("00c500c5"), bytes.fromhex("018a018a"))
    )
    assert working(double.views[0]).x_px.max() == pytest.approx(working(view).x_px.max() / 2, rel=0.002)


def test_several_views_and_extended_data_are_kept() -> None:
    first = iso19794_2005.read(BY_HAND_2005).views[0]
    extended = struct.pack(">HH", 0x0100, 6) + b"ab"
    body = BY_HAND_2005[24:-2] + struct.pack(">H", len(extended)) + extended
    head = BY_HAND_2005[:8] + struct.pack(">I", 24 + 18 + len(body)) + BY_HAND_2005[12:22] + b"\2\0"
    record = iso19794_2005.read(head + BY_HAND_2005[24:] + body)
    assert record.views[0] == first
    assert record.views[1].extended == extended
    assert iso19794_2005.write(record) == head + BY_HAND_2005[24:] + body


def test_the_finger_asked_for_is_found_or_refused() -> None:
    assert len(read_minutiae(BY_HAND_2005, TemplateFormat.ISO_2005, position=FingerPosition.RIGHT_INDEX)) == 2
    with pytest.raises(TemplateError, match="finger asked for"):
        read_minutiae(BY_HAND_2005, TemplateFormat.ISO_2005, position=FingerPosition.LEFT_INDEX)


def changed(template: bytes, at: int, byte: int) -> bytes:
    return template[:at] + bytes([byte]) + template[at + 1 :]


@pytest.mark.parametrize(
    "template",
    [
        b"",
        BY_HAND_2005[:-1],
        BY_HAND_2005 + b"\0",
        changed(BY_HAND_2005, 7, 1),
        changed(BY_HAND_2005, 11, 0x2B),
        changed(BY_HAND_2005, 23, 1),
        changed(BY_HAND_2005, 24, 11),
        changed(BY_HAND_2005, 25, 5),
        changed(BY_HAND_2005, 26, 101),
        changed(BY_HAND_2005, 27, 1),
        changed(BY_HAND_2005, 27, 3),
        changed(BY_HAND_2005, 28, 0xC0),
        changed(BY_HAND_2005, 30, 0x40),
        changed(BY_HAND_2005, 33, 101),
        changed(BY_HAND_2005, 19, 0),
        changed(BY_HAND_2005, 14, 0),
        changed(BY_HAND_2005, 22, 0),
        changed(BY_HAND_2005, 22, 2),
        changed(BY_HAND_2005, 41, 1),
    ],
)
def test_a_record_with_one_wrong_byte_is_refused(template: bytes) -> None:
    with pytest.raises(TemplateError):
        iso19794_2005.read(template)


def test_a_resolution_of_zero_is_refused_in_every_record() -> None:
    for template, read in ((BY_HAND_2005, iso19794_2005.read), (BY_AFIS_2011, iso19794_2011.read)):
        with pytest.raises(TemplateError, match="per centimetre"):
            read(template.replace(bytes.fromhex("00c500c5"), bytes(4)))


def test_a_template_of_nobody_has_no_minutiae_and_is_legal() -> None:
    none = Minutiae.none(width_px=300, height_px=400)
    for written_as in (TemplateFormat.ISO_2005, TemplateFormat.ISO_2011, TemplateFormat.ANSI_378):
        assert len(read_minutiae(write_minutiae(none, written_as), written_as)) == 0
    with pytest.raises(TemplateError):  # on a card, nothing is no template
        read_minutiae(b"", TemplateFormat.ISO_CARD_COMPACT)


def test_a_card_gets_the_most_certain_in_the_order_it_wants() -> None:
    minutiae = finger(5)
    template = card_format.write(minutiae, at_most=20, order=CardOrder.Y_ASCENDING)
    rows = np.frombuffer(template, np.uint8).reshape(20, 3)
    assert (np.diff(rows[:, 1].astype(int)) >= 0).all()
    best = minutiae.best(20)
    assert sorted(rows[:, 0].tolist()) == sorted(np.rint(best.x_px * 0.508).astype(int).tolist())


def test_a_finger_larger_than_a_card_keeps_its_middle() -> None:
    grown = finger(6, count=30)
    points = np.column_stack((grown.x_px * 2.4, grown.y_px * 2.4, grown.angle_rad))
    large = Minutiae.of(points, kind=grown.kind, quality=grown.quality, width_px=900, height_px=900)
    kept = card_format.read(card_format.write(large, at_most=255))
    assert 5 <= len(kept) < 30


Mutation = Callable[[bytearray, random.Random], bytearray]


def flip(template: bytearray, rng: random.Random) -> bytearray:
    for _ in range(rng.randint(1, 4)):
        template[rng.randrange(len(template))] ^= 1 << rng.randrange(8)
    return template


def overwrite(template: bytearray, rng: random.Random) -> bytearray:
    at = rng.randrange(len(template))
    template[at : at + rng.randint(1, 8)] = rng.randbytes(rng.randint(1, 8))
    return template


def cut(template: bytearray, rng: random.Random) -> bytearray:
    return template[: rng.randrange(len(template))]


def grow(template: bytearray, rng: random.Random) -> bytearray:
    at = rng.randrange(len(template) + 1)
    return template[:at] + bytearray(rng.randbytes(rng.randint(1, 40))) + template[at:]


def extreme(template: bytearray, rng: random.Random) -> bytearray:
    at = rng.randrange(min(len(template) - 1, 60))
    template[at : at + 2] = rng.choice((b"\0\0", b"\xff\xff", b"\x7f\xff", b"\x80\0"))
    return template


MUTATIONS: tuple[Mutation, ...] = (flip, overwrite, cut, grow, extreme)


def test_ten_thousand_broken_templates_end_as_minutiae_or_as_a_refusal() -> None:
    rng = random.Random(20261121)  # noqa: S311 - repeatable, not secret
    whole = [(written_as, write_minutiae(finger(seed), written_as)) for written_as in TemplateFormat for seed in (1, 2)]
    read = refused = 0
    for _ in range(10_000):
        written_as, template = rng.choice(whole)
        broken = bytes(rng.choice(MUTATIONS)(bytearray(template), rng))
        try:
            found = read_minutiae(broken, rng.choice((*[written_as] * 8, *TemplateFormat)))
        except TemplateError:
            refused += 1
            continue
        read += 1
        assert len(found) <= 255
        assert np.isfinite(found.x_px).all()
        assert np.isfinite(found.y_px).all()
        assert ((found.angle_rad >= 0) & (found.angle_rad < 2 * np.pi)).all()
        assert ((found.quality >= 0) & (found.quality <= 1)).all()
        assert found.width_px > 0
    # most are refused, and many are still legal: a minutia elsewhere is a minutia
    assert refused > 4000
    assert read > 1000
