"""The measured quality of a record's lines: sealed, checked against its tracks, and never only claimed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from counter_server.records.errors import RecordFormatError
from counter_server.records.line_quality import (
    QUALITY_FORMAT,
    QUALITY_OBJECT,
    QUALITY_POLICY,
    LineQuality,
    MinuteEntry,
    SizeEntry,
    TrackEntry,
)
from counter_server.records.record import ObjectClass
from counter_server.records.seal import PlainObject, RecordDraft, seal_record
from counter_server.records.verify import verify_record
from tests.counter_server.records import builders
from tests.counter_server.records.builders import Safe


@pytest.fixture
def safe(tmp_path: Path) -> Safe:
    return builders.build_safe(tmp_path)


ENTRY = TrackEntry(
    first_segment="recording/customer-0000.mkv",
    sizes=(SizeEntry(60, 640, 480), SizeEntry(9_000, 480, 640)),
    skew_mean_us=31_600,
    skew_worst_us=-53_500,
    skew_samples=9,
    minutes=(MinuteEntry(990, 10, 3),),
)


def with_quality(draft: RecordDraft, quality: LineQuality | bytes, *, promised: bool = True) -> RecordDraft:
    content = quality if isinstance(quality, bytes) else quality.to_bytes()
    said = PlainObject(QUALITY_OBJECT, ObjectClass.STATEMENT, "application/json", content)
    policies = (*draft.policies, QUALITY_POLICY) if promised else draft.policies
    return replace(draft, objects=(*draft.objects, said), policies=policies)


def test_the_check_says_what_was_measured(safe: Safe) -> None:
    with safe.engine.begin() as conn:
        keys = builders.begin_recording(safe, conn)
    draft = builders.build_draft(safe, keys, builders.record_segments(safe, keys))
    quality = LineQuality(QUALITY_FORMAT, keys.record_id, (ENTRY,))
    sealed = seal_record(with_quality(draft, quality), keys, safe.sealing, safe.store, builders.NOW)
    verification = verify_record(sealed.folder, safe.trust, builders.identity_of(keys))
    assert verification.intact
    (check,) = [check for check in verification.checks if check.name == "recording_runs_forward"]
    assert check.why == (
        "3 pieces; 1 measured: 25.0 pictures a second or more, 10 of 1000 packets lost, "
        "sound and pictures at most 54 ms apart"
    )
    assert verify_record(sealed.folder, safe.trust).intact  # and without a key nothing is missed


EVIL: dict[str, Callable[[LineQuality], LineQuality]] = {
    "another record's": lambda quality: replace(quality, record_id="VC-OTHER"),
    "another format": lambda quality: replace(quality, format="visual-counter-line-quality/9"),
    "no track": lambda quality: replace(quality, tracks=()),
    "one track twice": lambda quality: replace(quality, tracks=(ENTRY, ENTRY)),
    "a track nobody recorded": lambda quality: changed(first_segment="recording/clerk-0000.mkv")(quality),
    "less than nothing lost": lambda quality: changed(minutes=(MinuteEntry(990, -10, 3),))(quality),
    "fewer packets than pictures": lambda quality: changed(minutes=(MinuteEntry(299, 0, 0),))(quality),
    "no minute": lambda quality: changed(minutes=())(quality),
    "sizes out of order": lambda quality: changed(sizes=tuple(reversed(ENTRY.sizes)))(quality),
    "a skew nobody measured": lambda quality: changed(skew_samples=0)(quality),
    "half a skew": lambda quality: changed(skew_worst_us=None)(quality),
    "a mean beyond the worst": lambda quality: changed(skew_mean_us=60_000)(quality),
}


def changed(**figures: object) -> Callable[[LineQuality], LineQuality]:
    return lambda quality: replace(quality, tracks=(replace(ENTRY, **figures),))  # type: ignore[arg-type]


@pytest.mark.parametrize("twin", EVIL.values(), ids=EVIL)
def test_figures_that_cannot_be_true_are_not_sealed(safe: Safe, twin: Callable[[LineQuality], LineQuality]) -> None:
    with safe.engine.begin() as conn:
        keys = builders.begin_recording(safe, conn)
    draft = builders.build_draft(safe, keys, builders.record_segments(safe, keys))
    quality = twin(LineQuality(QUALITY_FORMAT, keys.record_id, (ENTRY,)))
    with pytest.raises(RecordFormatError, match="recording_runs_forward"):
        seal_record(with_quality(draft, quality), keys, safe.sealing, safe.store, builders.NOW)


@pytest.mark.parametrize("case", ["promised and left out", "added without a promise", "with an unknown field"])
def test_figures_can_neither_be_left_out_nor_slipped_in(safe: Safe, case: str) -> None:
    with safe.engine.begin() as conn:
        keys = builders.begin_recording(safe, conn)
    draft = builders.build_draft(safe, keys, builders.record_segments(safe, keys))
    quality = LineQuality(QUALITY_FORMAT, keys.record_id, (ENTRY,))
    odd = quality.to_bytes().replace(b'{"format"', b'{"best":true,"format"')
    draft = {
        "promised and left out": replace(draft, policies=(*draft.policies, QUALITY_POLICY)),
        "added without a promise": with_quality(draft, quality, promised=False),
        "with an unknown field": with_quality(draft, odd),
    }[case]
    with pytest.raises(RecordFormatError, match="recording_runs_forward"):
        seal_record(draft, keys, safe.sealing, safe.store, builders.NOW)
