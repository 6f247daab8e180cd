"""Answers: their sizes, parts and statuses."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware_drivers.errors import CardError, DeviceError, TamperedAnswerError
from hardware_drivers.samv.commands import (
    COMMANDS,
    FIND,
    MODULE_ID,
    READ,
    READ_ADDED_ADDRESS,
    READ_WITH_FINGERPRINTS,
    Command,
    module_number,
    parse_record,
    payload_of,
    split_added_addresses,
)
from hardware_drivers.samv.errors import CardRefusedError, ReaderRefusedError
from hardware_drivers.samv.frame import HEAD_BYTES, encode
from hardware_drivers.samv.status import SENTENCES, Status

# Whole answers' sizes in bytes, from the protocol's table.
PUBLISHED_SIZES = [
    (READ, 1295, "0508", "0100 0400"),
    (READ_WITH_FINGERPRINTS, 2321, "090A", "0100 0400 0400"),
    (READ_WITH_FINGERPRINTS, 1809, "070A", "0100 0400 0200"),
    (READ_WITH_FINGERPRINTS, 1297, "050A", "0100 0400 0000"),
]
# The codes of the reader library interface (SDT_*) that a module itself answers.
PUBLISHED_STATUSES = "10 11 21 23 24 31 32 33 37 3F 40 41 47 60 66 80 81 90 91 9F"


@pytest.mark.parametrize(("command", "size", "length", "parts"), PUBLISHED_SIZES)
def test_a_record_has_the_published_size_and_parts(command: Command, size: int, length: str, parts: str) -> None:
    lengths = bytes.fromhex(parts)
    content = bytes(range(256)) + b"P" * 1024 + b"F" * (size - 7 - 3 - len(lengths) - 256 - 1024 - 1)
    frame = encode(b"\0\0\x90" + lengths + content)
    assert len(frame) == size
    assert frame[5:7] == bytes.fromhex(length)
    record = parse_record(command, payload_of(command, frame[HEAD_BYTES:-1]))
    assert (record.text, record.photo_wlt) == (bytes(range(256)), b"P" * 1024)
    assert record.fingerprints == content[1280:]


@pytest.mark.parametrize("parts", ["0100 0401", "0101 03FF", "FFFF 0400", "0000 0000"])
def test_lengths_that_are_not_the_contents_are_refused(parts: str) -> None:
    with pytest.raises(TamperedAnswerError, match="differ"):
        parse_record(READ, bytes.fromhex(parts) + bytes(1280))


def test_the_statuses_are_the_published_ones() -> None:
    assert [f"{status:02X}" for status in Status] == PUBLISHED_STATUSES.split()


def test_every_status_has_a_sentence_in_both_languages() -> None:
    assert set(SENTENCES) == set(Status)
    for sentence in SENTENCES.values():
        assert sentence.en.endswith(".")
        assert sentence.zh.endswith("。")
    assert len({sentence.en for sentence in SENTENCES.values()}) == len(Status)
    assert len({sentence.zh for sentence in SENTENCES.values()}) == len(Status)


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.FOUND])
def test_every_other_status_is_an_error_that_carries_it(status: Status) -> None:
    with pytest.raises(DeviceError) as caught:
        payload_of(FIND, bytes([0, 0, status]))
    assert isinstance(caught.value, ReaderRefusedError | CardRefusedError)
    assert caught.value.status is status
    about_the_card = status.name in {
        *("CARD_REJECTS_MODULE", "MODULE_REJECTS_CARD", "CONTENT_NOT_VERIFIED", "FINGERPRINT_NOT_VERIFIED"),
        *("CONTENT_LENGTH_WRONG", "UNKNOWN_CARD", "READ_FAILED", "NO_RANDOM_NUMBER"),
        *("NOT_FOUND", "NOT_SELECTED", "NOT_STORED"),
    }
    assert isinstance(caught.value, CardError) is about_the_card


@pytest.mark.parametrize("body", ["", "90", "0000", "010090", "000190", "00005A", "000000"])
def test_a_status_outside_the_table_is_no_answer(body: str) -> None:
    with pytest.raises(TamperedAnswerError):
        payload_of(FIND, bytes.fromhex(body))


@pytest.mark.parametrize("size", [0, 3, 5, 16])
def test_a_payload_of_another_size_is_no_answer(size: int) -> None:
    with pytest.raises(TamperedAnswerError, match=f"{size} bytes"):
        payload_of(FIND, bytes([0, 0, Status.FOUND]) + bytes(size))


def test_a_module_number_reads_as_on_its_label() -> None:
    stated = bytes.fromhex("0500 0300 85EC3301 39300000 15CD5B07")
    assert len(stated) in MODULE_ID.payload_sizes
    assert module_number(stated) == "05.03-20180101-0000012345-0123456789"


def test_added_addresses_come_apart() -> None:
    payload = b"a" * 70 + b"b" * 70
    assert split_added_addresses(payload_of(READ_ADDED_ADDRESS, b"\0\0\x90" + payload)) == (b"a" * 70, b"b" * 70)


@settings(max_examples=300)
@given(st.sampled_from(COMMANDS), st.binary(max_size=2400), st.booleans())
def test_whatever_a_module_answers_only_our_errors_come_out(command: Command, body: bytes, succeeds: bool) -> None:
    if succeeds:
        body = bytes([0, 0, command.success]) + body
    try:
        payload = payload_of(command, body)
        if command in (READ, READ_WITH_FINGERPRINTS):
            parse_record(command, payload)
    except DeviceError:
        return
    assert len(payload) in command.payload_sizes
