"""RFC 8785: the standard's own examples, and the `rfc8785` package as the other implementation."""

import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from counter_server.records.canonical import LARGEST_NUMBER, canonical_bytes, read_canonical
from counter_server.records.errors import RecordFormatError

# RFC 8785 §3.2.3, the sorting example, and the string of §3.2.2
RFC_SORTING = (
    r'{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",'
    r'"\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}'
)
RFC_SORTED_VALUES = (
    "Carriage Return",
    "One",
    "Control",
    "Latin Small Letter O With Diaeresis",
    "Euro Sign",
    "Emoji: Grinning Face",
    "Hebrew Letter Dalet With Dagesh",
)
RFC_STRING = '"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/"'
RFC_STRING_HEX = "22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f22"  # §3.2.4


def test_the_rfcs_sorting_example() -> None:
    written = canonical_bytes(json.loads(RFC_SORTING)).decode()
    places = [written.index(value) for value in RFC_SORTED_VALUES]
    assert places == sorted(places)


def test_the_rfcs_string_example() -> None:
    assert canonical_bytes(json.loads(RFC_STRING)).hex() == RFC_STRING_HEX


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST_NUMBER, LARGEST_NUMBER) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(plain)
def test_both_implementations_spell_alike(value: object) -> None:
    spelt = canonical_bytes(value)  # type: ignore[arg-type]  # hypothesis does not know recursive types
    assert spelt == rfc8785.dumps(value)  # type: ignore[arg-type]  # as above
    assert read_canonical(spelt) == value


@pytest.mark.parametrize(
    "stored",
    [
        b'{"a": 1}',
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":1e2}',
        b'{"a":-0}',
        b'{"a":NaN}',
        b'{"a":9007199254740992}',
        b'"\\u0041"',
        b'"\\ud800"',
        b"\xef\xbb\xbf{}",
        b'"\xff"',
        b"{}\n",
        b"",
        b"[" * 5000 + b"]" * 5000,
        b"[" * 100 + b"]" * 100,
    ],
)
def test_any_other_spelling_is_refused(stored: bytes) -> None:
    with pytest.raises(RecordFormatError):
        read_canonical(stored)
