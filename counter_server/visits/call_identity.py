"""What is known during a call about who is in it, and how both sides are told."""

import asyncio
from dataclasses import dataclass, field

from counter_server.identification.continuity import NEEDS_CARD
from counter_server.visits.facts import Visit
from counter_server.visits.machine import WITH_CLERK
from webrtc.wire.catalogue import Channel
from webrtc.wire.face import ContinuityCue, ContinuityState, ContinuityView


@dataclass(slots=True)
class CallIdentity:
    """What the watch over one call has seen, and over which leg."""

    leg_id: str | None
    state: ContinuityState = ContinuityState.UNCERTAIN
    cue: ContinuityCue | None = None
    recognised: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by the first look of this call that showed the person."""


def needs_card(channel: Channel, cue: ContinuityCue | None) -> bool:
    """Whether somebody else may have sat down, where there is a reader to ask."""
    return channel is Channel.KIOSK and (cue is None or cue in NEEDS_CARD)


def continuity_view(visit: Visit, identity: CallIdentity | None) -> ContinuityView | None:
    """How it stands; None outside a call."""
    if visit.again or visit.broken is not None:
        card = needs_card(visit.channel, visit.broken)
        return ContinuityView(state=ContinuityState.BROKEN, cue=visit.broken, needs_card=card, again=visit.again)
    if visit.state not in WITH_CLERK or identity is None:
        return None
    return ContinuityView(state=identity.state, cue=identity.cue, needs_card=needs_card(visit.channel, identity.cue))
