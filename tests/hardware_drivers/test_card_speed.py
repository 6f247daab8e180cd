"""What `counter bench card` counts is held here; its times are printed and asserted only where they leave wide room."""

import pytest

from hardware_drivers.card_speed import measure_card
from tests.hardware_drivers.cards import ID_CARD_DATA
from tests.hardware_drivers.pcscd_rig import why_not


@pytest.fixture(scope="module")
def figures() -> dict[str, object]:
    lists = ID_CARD_DATA / "master_lists"
    return measure_card(lists if lists.is_dir() else None)


def number(figures: dict[str, object], name: str) -> float:
    found = figures[name]
    assert isinstance(found, int | float)
    return found


def test_commands_are_as_few_as_the_files_allow(figures: dict[str, object]) -> None:
    assert number(figures, "commands_short") <= 79
    assert number(figures, "commands_2k") <= 13
    assert number(figures, "commands_64k") <= 6


def test_a_phone_reads_the_best_protected_chip_in_ten_journeys(figures: dict[str, object]) -> None:
    assert figures["relay_access"] == "PACE"
    assert number(figures, "relay_round_trips") <= 10
    assert 0.6 <= number(figures, "relay_s") < 3.0  # ten times 60 ms at least, and a busy machine


def test_what_could_not_be_measured_says_why(figures: dict[str, object]) -> None:
    notes = figures["notes"]
    assert isinstance(notes, dict)
    for name in ("software_ms", "master_list_ms", "verify_ms"):
        assert figures[name] is not None or notes[name]
    assert (figures["software_ms"] is None) == (why_not() is not None)
