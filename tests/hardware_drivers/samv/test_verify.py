"""Every named check, passed and failed."""

import dataclasses
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware_drivers.id_chip.checks import Outcome
from hardware_drivers.samv.emulator import EMULATED_MODULE_ID
from hardware_drivers.samv.errors import PluginFault
from hardware_drivers.samv.evidence import SamvEvidence
from hardware_drivers.samv.people import generated_card
from hardware_drivers.samv.plugin import Picture
from hardware_drivers.samv.text import CardKind, CardText, Part, encode_text, parse_text
from hardware_drivers.samv.verify import CheckName, Code, SamvReport, verify_evidence

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def evidence_of(
    kind: CardKind = CardKind.CITIZEN, fields: dict[str, str] | None = None, *, long_term: bool = False
) -> SamvEvidence:
    """A reading of a card of nobody, with those fields changed."""
    card = generated_card(kind, 11, long_term=long_term)
    text = parse_text(card.text)
    changed = CardText(kind, {**text.fields, **{Part(name): value for name, value in (fields or {}).items()}})
    return SamvEvidence(
        module_id=EMULATED_MODULE_ID,
        card_serial=card.serial,
        text=encode_text(changed),
        photo_wlt=card.photo_wlt,
        fingerprints=card.fingerprints,
        fingerprints_asked=True,
        added_addresses=(),
        read_ms=1,
    )


def failed(report: SamvReport) -> dict[CheckName, Code]:
    """What failed, and why."""
    return {check.name: check.code for check in report.checks if check.outcome is Outcome.FAILED}


@pytest.mark.parametrize("kind", CardKind)
@pytest.mark.parametrize("long_term", [False, True])
def test_a_good_card_fails_nothing_and_every_check_is_made(kind: CardKind, long_term: bool) -> None:
    report = verify_evidence(evidence_of(kind, long_term=long_term), NOW)
    assert failed(report) == {}
    assert [check.name for check in report.checks] == list(CheckName)
    assert report.refusals(trust_reader=True) == ()
    assert report.holder is not None
    assert report.holder.long_term is long_term
    assert (report.holder.valid_until is None) is long_term


@pytest.mark.parametrize("kind", CardKind)
def test_authenticity_is_never_passed_and_says_on_what_it_rests(kind: CardKind) -> None:
    report = verify_evidence(evidence_of(kind), NOW, enrolled_modules=frozenset({EMULATED_MODULE_ID}))
    check = report.check(CheckName.AUTHENTICITY)
    assert (check.outcome, check.code) == (Outcome.NOT_POSSIBLE, Code.RESTS_ON_READER)
    assert "reader's security module" in check.why
    assert report.refusals(trust_reader=False) == (check,)


def test_the_standards_example_passes_as_a_card() -> None:
    report = verify_evidence(evidence_of(fields={"number": "11010519491231002X", "birth": "19491231", "sex": "2"}), NOW)
    assert failed(report) == {}


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        (CardKind.CITIZEN, {"sex": "3"}, {CheckName.CODES_KNOWN: Code.UNKNOWN_CODE}),
        (CardKind.CITIZEN, {"ethnic_group": "57"}, {CheckName.CODES_KNOWN: Code.UNKNOWN_CODE}),
        (
            CardKind.CITIZEN,
            {"number": "110105194912310021", "birth": "19491231", "sex": "2"},
            {CheckName.NUMBER_CHECK_DIGIT: Code.WRONG_CHECK_DIGIT},
        ),
        (
            CardKind.CITIZEN,
            {"number": "11010519491231OO2X", "birth": "19491231", "sex": "2"},
            {CheckName.NUMBER_CHECK_DIGIT: Code.MALFORMED, CheckName.NUMBER_MATCHES_TEXT: Code.MALFORMED},
        ),
        (
            CardKind.CITIZEN,
            {"number": "11010519491231002X", "birth": "19491231", "sex": "1"},
            {CheckName.NUMBER_MATCHES_TEXT: Code.DIFFERS},
        ),
        (
            CardKind.CITIZEN,
            {"number": "11010519491231002X", "birth": "19491230", "sex": "2"},
            {CheckName.NUMBER_MATCHES_TEXT: Code.DIFFERS},
        ),
        (
            CardKind.HK_MACAU_TAIWAN,
            {"number": "11010519491231002X", "birth": "19491231", "sex": "2"},
            {CheckName.NUMBER_MATCHES_TEXT: Code.DIFFERS},
        ),
        (
            CardKind.FOREIGNER_2023,
            {"number": "11010519491231002X", "birth": "19491231", "sex": "2"},
            {CheckName.NUMBER_MATCHES_TEXT: Code.DIFFERS},
        ),
        (CardKind.FOREIGNER_2017, {"nationality": "SWE"}, {CheckName.NUMBER_MATCHES_TEXT: Code.DIFFERS}),
        (CardKind.CITIZEN, {"valid_from": "20230229"}, "a day that is not in the calendar"),
        (
            CardKind.CITIZEN,
            {"valid_from": "20300101", "valid_until": "20310101"},
            {CheckName.DOCUMENT_NOT_EXPIRED: Code.NOT_YET_VALID},
        ),
        (
            CardKind.CITIZEN,
            {"valid_from": "20100101", "valid_until": "20260531"},
            {CheckName.DOCUMENT_NOT_EXPIRED: Code.EXPIRED},
        ),
        (
            CardKind.CITIZEN,
            {"valid_from": "20250101", "valid_until": "20240101"},
            {CheckName.DATES_CONSISTENT: Code.DIFFERS, CheckName.DOCUMENT_NOT_EXPIRED: Code.EXPIRED},
        ),
    ],
)
def test_what_is_wrong_fails_in_its_own_check(
    kind: CardKind, fields: dict[str, str], expected: dict[CheckName, Code] | str
) -> None:
    report = verify_evidence(evidence_of(kind, fields), NOW)
    if isinstance(expected, str):
        assert [check.why for check in report.checks if check.outcome is Outcome.FAILED] == [expected] * 2
    else:
        assert failed(report) == expected
    assert report.refusals(trust_reader=True)


def test_a_card_is_valid_on_its_last_day() -> None:
    evidence = evidence_of(fields={"valid_from": "20100101", "valid_until": "20260601"})
    assert verify_evidence(evidence, NOW).check(CheckName.DOCUMENT_NOT_EXPIRED).outcome is Outcome.PASSED


def test_an_unreadable_text_leaves_nothing_passed_about_it_and_is_refused() -> None:
    evidence = dataclasses.replace(evidence_of(), text=bytes(256))
    report = verify_evidence(evidence, NOW)
    assert report.holder is None
    assert failed(report) == {CheckName.TEXT_LAYOUT: Code.MALFORMED}
    for name in (CheckName.NUMBER_CHECK_DIGIT, CheckName.DATES_CONSISTENT, CheckName.DOCUMENT_NOT_EXPIRED):
        assert report.check(name).code is Code.NEEDS_TEXT
    assert report.refusals(trust_reader=True)


def test_the_number_of_2017_has_no_rule_to_check() -> None:
    check = verify_evidence(evidence_of(CardKind.FOREIGNER_2017), NOW).check(CheckName.NUMBER_CHECK_DIGIT)
    assert (check.outcome, check.code) == (Outcome.NOT_POSSIBLE, Code.NO_PUBLISHED_RULE)


@pytest.mark.parametrize("photo", [b"", bytes(1024), b"\xff" * 1024, bytes(range(256)) * 3])
def test_a_missing_photograph_is_noticed(photo: bytes) -> None:
    report = verify_evidence(dataclasses.replace(evidence_of(), photo_wlt=photo), NOW)
    assert failed(report) == {CheckName.PHOTO_PRESENT: Code.MISSING}


def test_without_the_makers_library_the_portrait_is_not_possible() -> None:
    check = verify_evidence(evidence_of(), NOW).check(CheckName.PORTRAIT_DECODABLE)
    assert (check.outcome, check.why) == (Outcome.NOT_POSSIBLE, "needs the maker's library")


def test_a_library_that_fails_is_said_to_have_failed() -> None:
    report = verify_evidence(evidence_of(), NOW, portrait=PluginFault.TIMED_OUT)
    assert report.check(CheckName.PORTRAIT_DECODABLE).code is Code.LIBRARY_FAILED
    assert report.portrait is None


def test_a_decoded_portrait_is_passed_on() -> None:
    picture = Picture(102, 126, bytes(102 * 126 * 3))
    report = verify_evidence(evidence_of(), NOW, portrait=picture)
    assert report.check(CheckName.PORTRAIT_DECODABLE).outcome is Outcome.PASSED
    assert report.portrait is picture


@pytest.mark.parametrize(
    ("asked", "stored", "outcome", "code"),
    [
        (False, 0, Outcome.NOT_POSSIBLE, Code.NOT_ASKED),
        (True, 0, Outcome.NOT_POSSIBLE, Code.NOT_STORED),
        (True, 512, Outcome.PASSED, Code.OK),
        (True, 1024, Outcome.PASSED, Code.OK),
        (True, 700, Outcome.FAILED, Code.MALFORMED),
    ],
)
def test_fingerprints_are_counted(asked: bool, stored: int, outcome: Outcome, code: Code) -> None:
    evidence = dataclasses.replace(evidence_of(), fingerprints_asked=asked, fingerprints=bytes(stored))
    check = verify_evidence(evidence, NOW).check(CheckName.FINGERPRINTS_PRESENT)
    assert (check.outcome, check.code) == (outcome, code)


def test_another_reader_than_the_enrolled_one_fails() -> None:
    report = verify_evidence(evidence_of(), NOW, enrolled_modules=frozenset({bytes(16)}))
    assert failed(report) == {CheckName.READER_ENROLLED: Code.NOT_ENROLLED}
    known = verify_evidence(evidence_of(), NOW, enrolled_modules=frozenset({EMULATED_MODULE_ID}))
    assert known.check(CheckName.READER_ENROLLED).outcome is Outcome.PASSED


def test_no_check_repeats_what_stands_on_the_card() -> None:
    changes: list[dict[str, str]] = [{}, {"number": "11010519491231OO2X"}, {"valid_from": "20230229"}]
    for fields in changes:
        evidence = evidence_of(fields=fields)
        told = " ".join(check.why for check in verify_evidence(evidence, NOW).checks)
        text = parse_text(evidence.text)
        for part in (Part.CHINESE_NAME, Part.NUMBER, Part.BIRTH, Part.ADDRESS, Part.VALID_FROM):
            assert text[part] not in told


@settings(max_examples=200)
@given(
    st.binary(max_size=300),
    st.binary(max_size=1100),
    st.lists(st.binary(max_size=80), max_size=2),
    st.binary(max_size=20),
)
def test_whatever_a_kiosk_sends_is_judged_and_never_genuine(
    text: bytes, photo: bytes, added: list[bytes], module_id: bytes
) -> None:
    evidence = dataclasses.replace(
        evidence_of(), text=text, photo_wlt=photo, added_addresses=tuple(added), module_id=module_id
    )
    report = verify_evidence(evidence, NOW, enrolled_modules=frozenset({EMULATED_MODULE_ID}))
    assert len(report.checks) == len(CheckName)
    assert report.check(CheckName.AUTHENTICITY).outcome is Outcome.NOT_POSSIBLE
    assert report.refusals(trust_reader=True)
