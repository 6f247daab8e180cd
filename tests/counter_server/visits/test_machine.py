import pytest

from counter_server.errors import CounterError
from counter_server.visits.machine import FINAL, OPEN, TRANSITIONS, Event, after
from webrtc.wire.visit import VisitState


def test_nothing_leaves_a_final_state() -> None:
    assert not [state for state, _ in TRANSITIONS if state in FINAL]


def test_every_open_state_can_end_and_every_state_is_reached() -> None:
    reached = {VisitState.CONSENT} | set(TRANSITIONS.values())
    assert reached == set(VisitState)
    for state in OPEN:
        assert after(state, Event.INTERRUPTED) is VisitState.INTERRUPTED


def test_done_is_reached_only_through_sealing() -> None:
    assert {state for (state, _), following in TRANSITIONS.items() if following is VisitState.DONE} == {
        VisitState.SEALING
    }


def test_sealing_is_reached_only_by_confirming_countersigning_or_approving() -> None:
    into = {event for (_, event), following in TRANSITIONS.items() if following is VisitState.SEALING}
    assert into == {Event.CONFIRMED, Event.CLERK_SIGNED, Event.APPROVED}


def test_an_event_out_of_turn_is_refused() -> None:
    with pytest.raises(CounterError, match="does not belong"):
        after(VisitState.CONSENT, Event.CUSTOMER_SIGNED)
