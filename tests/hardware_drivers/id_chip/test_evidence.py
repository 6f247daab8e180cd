import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.card_protection import (
    ActiveAuthenticationKind,
    ChipAuthenticationKind,
    PaceKind,
    Protection,
)
from hardware_drivers.id_chip.evidence import (
    ChipEvidence,
    evidence_document,
    load_evidence,
    parse_evidence,
    save_evidence,
)
from hardware_drivers.id_chip.read import read_chip
from tests.hardware_drivers.cards import CHALLENGE, drawn_portrait, link_to, make_card, make_chip, seeded

FULL = Protection(
    PaceKind.CHIP_AUTHENTICATION, "123456", ChipAuthenticationKind.ECDH_AES128, ActiveAuthenticationKind.ECDSA
)


def full_evidence() -> ChipEvidence:
    card = make_card(protection=FULL, portrait=drawn_portrait(40), with_details=True)
    return read_chip(link_to(make_chip(card)), card.key, CHALLENGE, seeded(), lambda _: None)


FULL_EVIDENCE = full_evidence()


def test_evidence_with_every_proof_comes_back_as_it_was(tmp_path: Path) -> None:
    assert None not in (
        FULL_EVIDENCE.active_authentication,
        FULL_EVIDENCE.chip_authentication,
        FULL_EVIDENCE.mapping,
    )
    save_evidence(FULL_EVIDENCE, tmp_path / "evidence.json")
    assert (tmp_path / "evidence.json").stat().st_mode & 0o077 == 0
    assert load_evidence(tmp_path / "evidence.json") == FULL_EVIDENCE


def test_a_file_that_is_no_evidence_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"
    for content in ("", "[", "[]", "3", '{"format": "other"}', "[" * 100_000):
        path.write_text(content)
        with pytest.raises(MalformedFileError):
            load_evidence(path)
    with pytest.raises(OSError, match="No such file"):
        load_evidence(tmp_path / "nothing")


def every_path(document: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [path] if path else []
    if isinstance(document, dict):
        for name, inner in document.items():
            found += every_path(inner, (*path, name))
    return found


DOCUMENT = evidence_document(FULL_EVIDENCE)


@pytest.mark.parametrize("path", every_path(DOCUMENT), ids=".".join)
@pytest.mark.parametrize("bad", [3.5, -1, "!" * 10_000_000], ids=["fraction", "negative", "long"])
def test_every_member_is_checked(path: tuple[str, ...], bad: object) -> None:
    broken = json.loads(json.dumps(DOCUMENT))
    inside = broken
    for name in path[:-1]:
        inside = inside[name]
    inside[path[-1]] = bad
    with pytest.raises(MalformedFileError):
        parse_evidence(broken)


def test_unknown_and_missing_members_are_refused() -> None:
    with pytest.raises(MalformedFileError):
        parse_evidence({**DOCUMENT, "more": 1})
    for name in ("format", "ef_sod", "data_groups", "timings_ms"):
        with pytest.raises(MalformedFileError):
            parse_evidence({other: value for other, value in DOCUMENT.items() if other != name})


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(sorted(DOCUMENT)), inner),
    max_leaves=6,
)


@settings(max_examples=60)
@given(JSON_VALUES)
def test_no_json_does_more_than_be_refused(document: object) -> None:
    with pytest.raises(MalformedFileError):
        parse_evidence(document)
