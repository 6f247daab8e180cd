"""How often one address may knock at the doors that strangers may knock at. In memory: a restart forgives."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable

KNOCKS, WITHIN_S = 120, 60.0  # a branch's customers may share one address; a guesser at 128 bits gains nothing anyhow
MOST_REMEMBERED = 10_000  # addresses; the longest silent is forgotten first

STRANGERS_DOORS = (
    ("POST", "/api/phone/redeem"),
    ("POST", "/api/console/login"),
    ("POST", "/api/console/login/passkey"),
    ("POST", "/api/console/login/passkey/question"),
    ("POST", "/api/visits"),
    ("GET", "/api/receipts/"),
    ("GET", "/check"),
)


class Throttle:
    """Counts knocks per address and door over a sliding window."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._knocks: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def allows(self, address: str, method: str, path: str) -> bool:
        """Whether this request may go on; counted if it may."""
        door = next(
            (d for m, d in STRANGERS_DOORS if m == method and (path == d or (d.endswith("/") and path.startswith(d)))),
            None,
        )
        if door is None:
            return True
        now_s = self._clock()
        knocks = self._knocks.setdefault((address, door), deque())
        self._knocks.move_to_end((address, door))
        if len(self._knocks) > MOST_REMEMBERED:
            self._knocks.popitem(last=False)
        while knocks and now_s - knocks[0] > WITHIN_S:
            knocks.popleft()
        if len(knocks) >= KNOCKS:
            return False
        knocks.append(now_s)
        return True
