"""The browser's types are written from the models, and nothing becomes `any` in silence."""

from pathlib import Path

import pytest

from webrtc.web.wire_types import model_text, typescript_type, wire_text
from webrtc.wire.console import SetChecklistItem
from webrtc.wire.live import Hello
from webrtc.wire.visit import VisitView

COMMITTED = Path(__file__).parents[2] / "webrtc" / "web" / "wire.ts"


def test_the_committed_types_are_what_the_models_say() -> None:
    assert COMMITTED.read_text("utf-8") == wire_text()


def test_what_a_page_receives_has_every_field_and_what_it_sends_may_leave_defaults_out() -> None:
    assert "readonly note: string | null;" in model_text(VisitView)
    assert "readonly note?: string;" in model_text(SetChecklistItem)
    assert 'readonly type: "hello";' in model_text(Hello)


def test_a_union_inside_a_list_is_bracketed() -> None:
    assert typescript_type(tuple[str | None, ...]) == "readonly (string | null)[]"


def test_an_annotation_without_a_rule_stops_the_generator() -> None:
    with pytest.raises(TypeError, match="no TypeScript rule"):
        typescript_type(set[int])
