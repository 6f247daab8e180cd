"""Oracles: the specimen documents printed in Doc 9303-3, -4, -5 and -6, and Doc 9303-11 appendix D.2."""

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.mrz import MrzKey, birth_date, check_digit, expiry_date, parse_mrz
from hardware_drivers.id_chip.personalise import Person, td1_lines

TD1 = "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<"
TD2 = "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6"
TD3 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"


@pytest.mark.parametrize(
    ("zone", "number", "size"), [(TD1, "D23145890", "TD1"), (TD2, "D23145890", "TD2"), (TD3, "L898902C3", "TD3")]
)
def test_the_specimens_of_the_standard_are_read(zone: str, number: str, size: str) -> None:
    mrz = parse_mrz(zone)
    assert (mrz.format, mrz.document_number, mrz.wrong_check_digits) == (size, number, ())
    assert (mrz.surname, mrz.given_names, mrz.name) == ("ERIKSSON", "ANNA MARIA", "ERIKSSON ANNA MARIA")
    assert (mrz.date_of_birth, mrz.sex, mrz.date_of_expiry) == ("740812", "F", "120415")
    assert (mrz.issuing_state, mrz.nationality) == ("UTO", "UTO")


@pytest.mark.parametrize(("field", "digit"), [("520727", "3"), ("AB2134<<<", "5")])
def test_check_digits_are_those_of_the_standards_examples(field: str, digit: str) -> None:
    assert check_digit(field) == digit  # Doc 9303-3 §4.9, examples 1 and 2


@pytest.mark.parametrize(
    ("key", "information"),
    [
        (MrzKey("L898902C", date(1969, 8, 6), date(1994, 6, 23)), b"L898902C<369080619406236"),
        (MrzKey("D23145890734", date(1934, 7, 12), date(1995, 7, 12)), b"D23145890734934071279507122"),
    ],
)
def test_the_access_key_is_made_from_what_the_standard_says(key: MrzKey, information: bytes) -> None:
    assert key.mrz_information() == information  # Doc 9303-11 appendix D.2


@pytest.mark.parametrize(
    "zone",
    [
        "I<UTOD23145890<7349<<<<<<<<<<<\n3407127M9507122UTO<<<<<<<<<<<2\nSTEVENSON<<PETER<JOHN<<<<<<<<<",
        "I<UTOSTEVENSON<<PETER<JOHN<<<<<<<<<<\nD23145890<UTO3407127M95071227349<<<8",
    ],
)
def test_a_long_document_number_goes_on_in_the_optional_field(zone: str) -> None:
    mrz = parse_mrz(zone)
    assert mrz.document_number == "D23145890734"
    assert mrz.wrong_check_digits == ()


@pytest.mark.parametrize("position", [*range(5, 15), *range(30, 37), *range(38, 45), 59])
def test_one_wrong_character_in_a_checked_field_is_noticed(position: int) -> None:
    text = TD1.replace("\n", "")
    other = "1" if text[position] != "1" else "2"
    assert parse_mrz(text[:position] + other + text[position + 1 :]).wrong_check_digits


def test_the_wrong_field_is_named() -> None:
    assert parse_mrz(TD1.replace("D231458907", "D231458906")).wrong_check_digits == ("document_number", "composite")
    with pytest.raises(MalformedFileError) as refused:
        parse_mrz(TD1.replace("7408122F", "74O8122F"))
    assert refused.value.field == "date_of_birth"


def test_the_lines_we_print_are_the_specimens() -> None:
    anna = Person("ERIKSSON", "ANNA MARIA", "D23145890", date(1974, 8, 12), date(2012, 4, 15), "F")
    assert "\n".join(td1_lines(anna)) == TD1


def test_centuries() -> None:
    assert birth_date("740812", date(2026, 1, 1)) == date(1974, 8, 12)
    assert birth_date("260101", date(2026, 1, 1)) == date(2026, 1, 1)
    assert birth_date("260102", date(2026, 1, 1)) == date(1926, 1, 2)
    assert birth_date("<<0812", date(2026, 1, 1)) is None
    assert expiry_date("310101") == date(2031, 1, 1)
    with pytest.raises(MalformedFileError):
        expiry_date("310229")


@given(st.text(alphabet="ABCZ0189<", min_size=72, max_size=90) | st.text(max_size=100))
def test_any_text_is_parsed_or_refused(zone: str) -> None:
    with contextlib.suppress(MalformedFileError):
        mrz = parse_mrz(zone)
        birth_date(mrz.date_of_birth, date(2026, 1, 1))
        expiry_date(mrz.date_of_expiry)


@given(st.text(max_size=12))
def test_any_typed_number_gives_a_key_or_a_refusal(number: str) -> None:
    with contextlib.suppress(MalformedFileError):
        information = MrzKey(number, date(1990, 1, 1), date(2030, 1, 1)).mrz_information()
        assert information.decode().endswith("90010113001019")
