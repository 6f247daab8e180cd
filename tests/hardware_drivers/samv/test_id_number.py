"""Identity numbers, against the examples printed in GB 11643 itself."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware_drivers.samv.id_number import check_character, parse_day, parse_foreign_2017, parse_number
from hardware_drivers.samv.national_codes import ETHNIC_GROUPS, PERMIT_REGIONS, PROVINCES, SEXES

STANDARD_EXAMPLES = [
    ("11010519491231002X", "北京", date(1949, 12, 31), False),
    ("440524188001010014", "广东", date(1880, 1, 1), True),
]


@pytest.mark.parametrize(("number", "region", "birth", "is_male"), STANDARD_EXAMPLES)
def test_the_standards_examples_fit(number: str, region: str, birth: date, is_male: bool) -> None:
    parsed = parse_number(number)
    assert parsed is not None
    assert parsed.check_digit_fits
    assert (parsed.region_name, parsed.birth, parsed.is_male) == (region, birth, is_male)


def test_iso_7064_gives_its_own_example() -> None:
    assert check_character("0794") == "0"  # ISO 7064:2003, annex: MOD 11-2 of 0794 is 0


@pytest.mark.parametrize("number", [number for number, *_ in STANDARD_EXAMPLES])
def test_one_wrong_digit_is_always_found(number: str) -> None:
    for at in range(18):
        for other in "0123456789X" if at == 17 else "0123456789":
            if other != number[at]:
                parsed = parse_number(number[:at] + other + number[at + 1 :])
                assert parsed is not None
                assert not parsed.check_digit_fits


@settings(max_examples=200)
@given(st.text("0123456789", min_size=17, max_size=17), st.integers(0, 15))
def test_swapped_neighbours_are_always_found(digits: str, at: int) -> None:
    swapped = digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]
    assert (check_character(swapped) == check_character(digits)) is (swapped == digits)


@pytest.mark.parametrize(
    "number",
    ["", "11010519491231002", "11010519491231002x", "1101051949123100２X", "11010519491231002X ", "A1010519491231002X"],
)
def test_what_is_no_number_has_no_parts(number: str) -> None:
    assert parse_number(number) is None


@pytest.mark.parametrize("digits", ["20230229", "20231301", "00000000", "2023022", "２０２３０２０１"])
def test_what_is_no_day_is_none(digits: str) -> None:
    assert parse_day(digits) is None


def test_permits_have_their_regions() -> None:
    names = []
    for region in PERMIT_REGIONS:
        parsed = parse_number(f"{region}18930101001" + check_character(f"{region}18930101001"))
        names.append(parsed and parsed.region_name)
    assert names == ["香港", "澳门", "台湾"]


def test_a_foreigners_number_names_the_province_behind_the_nine() -> None:
    digits = "931999" + "19800101" + "001"
    parsed = parse_number(digits + check_character(digits))
    assert parsed is not None
    assert parsed.region_name == "上海"


def test_the_number_of_2017_holds_nationality_and_birth() -> None:
    assert parse_foreign_2017("UTO019958102862") == ("UTO", "581028")
    assert parse_foreign_2017("UTO01995810286") is None
    assert parse_foreign_2017("uto019958102862") is None


def test_the_tables_are_whole() -> None:
    assert sorted(ETHNIC_GROUPS) == [f"{number:02d}" for number in (*range(1, 57), 97, 98)]
    assert len({chinese for chinese, _ in ETHNIC_GROUPS.values()}) == 58
    assert len({english for _, english in ETHNIC_GROUPS.values()}) == 58
    assert sorted(SEXES) == ["0", "1", "2", "9"]
    assert len(PROVINCES) == 31
    assert [ETHNIC_GROUPS[code][0] for code in ("01", "05", "08", "34", "54", "56")] == [
        *("汉", "维吾尔", "壮", "布朗", "门巴", "基诺")
    ]
