import pytest

from hardware_drivers.smartcard.apdu import Command
from hardware_drivers.smartcard.channel import LARGEST_LIMITS, SHORT_LIMITS, UNTRIED_LIMITS, LinkLimits
from hardware_drivers.smartcard.limits import (
    KINDS_MAX,
    PROBE,
    LimitsMemory,
    is_extended,
    limits_after_failure,
    limits_after_probe,
    reader_model,
)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("Kiosk A 00 01", "Kiosk A"),
        (
            "ACS ACR1252 Dual Reader [ACR1252 Dual Reader PICC] 01 00",
            "ACS ACR1252 Dual Reader [ACR1252 Dual Reader PICC]",
        ),
        ("OMNIKEY CardMan 5421 (OKCM0021905111118340) 00 01", "OMNIKEY CardMan 5421"),
        ("Identiv uTrust 3700 F", "Identiv uTrust 3700 F"),
    ],
)
def test_a_model_is_the_name_without_serial_and_slot(name: str, model: str) -> None:
    assert reader_model(name) == model


@pytest.mark.parametrize("status", ["6700", "6C00", "90"])
def test_a_length_that_is_refused_means_short(status: str) -> None:
    assert limits_after_probe(bytes.fromhex(status), None) == SHORT_LIMITS


@pytest.mark.parametrize("status", ["9000", "6982", "6A82", "6986"])
@pytest.mark.parametrize(("announced", "answer_max"), [(None, 2304), (0, 2304), (65_544, 65_000), (3000, 3000)])
def test_any_other_answer_means_extended(status: str, announced: int | None, answer_max: int) -> None:
    limits = limits_after_probe(bytes.fromhex(status), announced)
    assert limits.extended
    assert limits.answer_max == answer_max


def test_failures_lead_down_to_short_and_stay_there() -> None:
    first = limits_after_failure(LARGEST_LIMITS)
    assert first == LinkLimits(True, UNTRIED_LIMITS.command_max, UNTRIED_LIMITS.answer_max)
    assert limits_after_failure(first) == SHORT_LIMITS
    assert limits_after_failure(SHORT_LIMITS) == SHORT_LIMITS


def test_extended_commands_are_known_by_their_length_field() -> None:
    assert is_extended(PROBE)
    assert is_extended(Command(0, 0xB0, 0, 0, bytes(300), ne=10).encode())
    assert not is_extended(Command(0, 0xB0, 0, 0, ne=256).encode())
    assert not is_extended(Command(0, 0xA4, 4, 0, bytes(7)).encode())


def test_memory_is_bounded() -> None:
    memory = LimitsMemory()
    for number in range(KINDS_MAX + 5):
        memory.note("model", number.to_bytes(2, "big"), SHORT_LIMITS)
    assert memory.recall("model", (4).to_bytes(2, "big")) is None
    assert memory.recall("model", (5).to_bytes(2, "big")) == SHORT_LIMITS
