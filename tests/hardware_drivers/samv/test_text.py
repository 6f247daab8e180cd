"""The four layouts, against bytes put down by offset from their tables."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.samv.people import generated_card
from hardware_drivers.samv.text import LAYOUTS, CardKind, Part, decode_address, encode_text, parse_text

# Offset in bytes and text of every field; citizens' offsets are those of public readers (half of them in characters:
# 0, 15, 16, 18, 26, 61, 79, 94, 102). Numbers are GB 11643's own examples or nobody's.
CITIZEN = {
    0: "张三",
    30: "2",
    32: "01",
    36: "19491231",
    52: "演示市样本路1号",
    122: "11010519491231002X",
    158: "演示市公安局",
    188: "20200101",
    204: "长期",
}
HK_MACAU_TAIWAN = {
    **{0: "李四", 30: "1", 36: "18930102", 52: "演示市样本路2号", 122: "810000189301020016", 158: "演示市公安局"},
    **{188: "20200101", 204: "20250101", 220: "H12345678", 238: "02", 248: "J"},
}
FOREIGNER_2017 = {
    **{0: "SPECIMEN, ALEX", 120: "1", 122: "UTO019980010112", 152: "UTO", 158: "艾力克", 188: "20200101"},
    **{204: "20300101", 220: "19800101", 236: "01", 240: "1500", 248: "I"},
}
FOREIGNER_2023 = {
    **{0: "艾力克", 30: "2", 32: "03", 36: "19800101", 52: "S" * 35, 122: "911999198001010020"},
    **{188: "20240101", 204: "20340101", 220: "PECIMEN", 242: "UTO", 248: "Y", 250: "AB"},
}


def laid_out(fields: dict[int, str]) -> bytes:
    """256 bytes of spaces with those texts at those offsets."""
    raw = bytearray(b" \0" * 128)
    for offset, text in fields.items():
        raw[offset : offset + 2 * len(text)] = text.encode("utf-16-le")
    assert len(raw) == 256
    return bytes(raw)


@pytest.mark.parametrize("kind", CardKind)
def test_a_layout_fills_256_bytes_with_its_letter_at_248(kind: CardKind) -> None:
    ends = 0
    offsets = {}
    for part, size in LAYOUTS[kind]:
        offsets[part] = ends
        ends += size
        assert size % 2 == 0
    assert ends == 256
    assert offsets[Part.TYPE] == 248


def test_a_citizens_card_reads() -> None:
    text = parse_text(laid_out(CITIZEN))
    assert text.kind is CardKind.CITIZEN
    assert dict(text.fields) == {
        Part.CHINESE_NAME: "张三",
        Part.SEX: "2",
        Part.ETHNIC_GROUP: "01",
        Part.BIRTH: "19491231",
        Part.ADDRESS: "演示市样本路1号",
        Part.NUMBER: "11010519491231002X",
        Part.AUTHORITY: "演示市公安局",
        Part.VALID_FROM: "20200101",
        Part.VALID_UNTIL: "长期",
    }
    assert text.is_long_term
    assert text[Part.PASS_NUMBER] == ""


def test_a_permit_of_hong_kong_macau_or_taiwan_reads() -> None:
    text = parse_text(laid_out(HK_MACAU_TAIWAN))
    assert text.kind is CardKind.HK_MACAU_TAIWAN
    assert (text[Part.PASS_NUMBER], text[Part.ISSUES], text[Part.VALID_UNTIL]) == ("H12345678", "02", "20250101")
    assert not text.is_long_term


def test_a_foreigners_card_of_2017_reads() -> None:
    text = parse_text(laid_out(FOREIGNER_2017))
    assert text.kind is CardKind.FOREIGNER_2017
    assert (text.english_name, text[Part.CHINESE_NAME], text[Part.NATIONALITY]) == ("SPECIMEN, ALEX", "艾力克", "UTO")
    assert (text[Part.NUMBER], text[Part.BIRTH], text[Part.VERSION]) == ("UTO019980010112", "19800101", "01")
    assert text[Part.AGENCY] == "1500"


def test_a_foreigners_card_of_2023_reads_and_joins_a_long_name() -> None:
    text = parse_text(laid_out(FOREIGNER_2023))
    assert text.kind is CardKind.FOREIGNER_2023
    assert text.english_name == "S" * 35 + "PECIMEN"
    assert (text[Part.RENEWALS], text[Part.NATIONALITY], text[Part.ASSOCIATED]) == ("03", "UTO", "AB")


@pytest.mark.parametrize("fields", [CITIZEN, HK_MACAU_TAIWAN, FOREIGNER_2017, FOREIGNER_2023])
def test_what_is_written_is_what_was_read(fields: dict[int, str]) -> None:
    assert encode_text(parse_text(laid_out(fields))) == laid_out(fields)


@pytest.mark.parametrize("kind", CardKind)
@pytest.mark.parametrize("seed", range(5))
def test_generated_people_have_cards_of_their_kind(kind: CardKind, seed: int) -> None:
    assert parse_text(generated_card(kind, seed).text).kind is kind


def test_padding_by_nul_reads_like_padding_by_spaces() -> None:
    raw = bytearray(laid_out(CITIZEN))
    raw[4:30] = bytes(26)
    raw[220:256] = bytes(36)
    assert parse_text(bytes(raw)) == parse_text(laid_out(CITIZEN))


def test_a_rare_character_in_private_use_stays() -> None:
    assert parse_text(laid_out(CITIZEN | {0: "张\ue863"}))[Part.CHINESE_NAME] == "张\ue863"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({248: "Q"}, "type"),
        ({248: "j"}, "type"),
        ({0: "  "}, "chinese_name"),
        ({2: "\n"}, "chinese_name"),
        ({2: "\x9b"}, "chinese_name"),
        ({36: "1949123"}, "birth"),
        ({36: "１９４９１２３１"}, "birth"),
        ({188: "        "}, "valid_from"),
        ({204: "永久"}, "valid_until"),
        ({122: "11010519491231 "}, "number"),
        ({52: " " * 35}, "address"),
    ],
)
def test_a_broken_field_is_named(change: dict[int, str], field: str) -> None:
    changed = bytearray(laid_out(CITIZEN))
    for offset, text in change.items():
        room = {36: 16, 122: 36, 0: 30}.get(offset, 2 * len(text))
        changed[offset : offset + room] = text.ljust(room // 2).encode("utf-16-le")
    with pytest.raises(MalformedFileError) as caught:
        parse_text(bytes(changed))
    assert caught.value.field == field


def test_half_a_character_is_no_text() -> None:
    raw = bytearray(laid_out(CITIZEN))
    raw[0:2] = b"\x00\xd8"  # a lone surrogate
    with pytest.raises(MalformedFileError, match="UTF-16LE"):
        parse_text(bytes(raw))
    with pytest.raises(MalformedFileError, match="UTF-16LE"):
        decode_address(b" \0" * 34 + b"\x00\xd8")


def test_an_error_names_no_person() -> None:
    for change in ({248: "Q"}, {188: "xxxxxxxx"}, {204: "永久"}):
        with pytest.raises(MalformedFileError) as caught:
            parse_text(laid_out(CITIZEN | change))
        for personal in CITIZEN.values():
            assert personal not in str(caught.value) or personal == "长期"


@settings(max_examples=400)
@given(
    st.sampled_from([CITIZEN, HK_MACAU_TAIWAN, FOREIGNER_2017, FOREIGNER_2023]),
    st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)), max_size=6),
    st.integers(0, 300),
)
def test_whatever_stands_on_a_card_it_reads_or_is_malformed(
    fields: dict[int, str], changes: list[tuple[int, int]], size: int
) -> None:
    raw = bytearray(laid_out(fields))
    for at, byte in changes:
        raw[at] = byte
    damaged = bytes(raw)[: size if size < 20 else 256]
    try:
        text = parse_text(damaged)
    except MalformedFileError:
        return
    assert text.kind in CardKind
    assert all(not value.endswith((" ", "\0")) for value in text.fields.values())


@settings(max_examples=200)
@given(st.binary(min_size=256, max_size=256))
def test_noise_is_no_card(raw: bytes) -> None:
    with pytest.raises(MalformedFileError) as caught:
        parse_text(raw)
    assert caught.value.field
