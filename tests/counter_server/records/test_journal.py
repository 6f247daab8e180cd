"""Nothing can be taken out of a journal, put in, changed or swapped."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from counter_server.records.errors import RecordFormatError
from counter_server.records.journal import (
    JournalEntry,
    first_broken_entry,
    instant,
    journal_bytes,
    next_entry,
    read_instant,
    read_journal,
)

NOW = datetime(2026, 11, 21, 9, 30, 0, 123_456, tzinfo=UTC)


def journal(length: int) -> list[JournalEntry]:
    entries: list[JournalEntry] = []
    for number in range(length):
        entries.append(
            next_entry(
                entries[-1] if entries else None,
                at=NOW + timedelta(seconds=number),
                actor_role="clerk",
                actor_id="clerk-7",
                event="step",
                details={"n": str(number)},
            )
        )
    return entries


def test_a_journal_holds_and_survives_storage() -> None:
    entries = journal(5)
    assert first_broken_entry(entries) is None
    assert read_journal(journal_bytes(entries)) == tuple(entries)
    assert first_broken_entry([]) is None


@pytest.mark.parametrize(
    "change", [{"event": "x"}, {"details": {}}, {"at": instant(NOW)}, {"actor_id": "c"}, {"seq": 3}]
)
def test_a_changed_entry_is_named(change: dict[str, object]) -> None:
    entries = journal(5)
    entries[2] = replace(entries[2], **change)  # type: ignore[arg-type]  # one field at a time
    assert first_broken_entry(entries) == 2


def test_missing_swapped_repeated_and_rehashed_entries_are_named() -> None:
    entries = journal(5)
    assert first_broken_entry(entries[1:]) == 0
    assert first_broken_entry([*entries[:2], *entries[3:]]) == 2
    assert first_broken_entry([entries[0], entries[2], entries[1]]) == 1
    assert first_broken_entry([entries[0], entries[0]]) == 1
    forged = next_entry(entries[1], at=NOW, actor_role="clerk", actor_id="clerk-7", event="forged")
    assert first_broken_entry([*entries[:2], forged, *entries[3:]]) == 3


def test_times_have_one_spelling() -> None:
    assert instant(NOW) == "2026-11-21T09:30:00.123Z"
    assert instant(NOW.astimezone(timezone(timedelta(hours=8)))) == instant(NOW)
    assert instant(read_instant("2026-11-21T09:30:00.123Z")) == "2026-11-21T09:30:00.123Z"
    with pytest.raises(RecordFormatError):
        instant(NOW.replace(tzinfo=None))
    for other in ("2026-11-21T09:30:00Z", "2026-11-21", "", "2026-11-21T17:30:00.123+08:00"):
        with pytest.raises(RecordFormatError):
            read_instant(other)
