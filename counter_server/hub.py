"""Who wants to hear that something changed.

A topic carries no content, only "look again": every listener then builds its view from the database, so a lost or
doubled signal costs a look, never the truth.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

CONSOLES = "consoles"


def visit_topic(visit_id: str) -> str:
    """The topic of one visit."""
    return f"visit:{visit_id}"


class Hub:
    """Listeners by topic. One event loop only."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    def changed(self, *topics: str) -> None:
        """Wake everybody who listens to one of these topics."""
        for topic in topics:
            for listener in self._listeners.get(topic, ()):
                listener.set()

    @contextmanager
    def listening(self, *topics: str) -> Iterator[asyncio.Event]:
        """An event that is set at every change of these topics, and once at the start."""
        listener = asyncio.Event()
        listener.set()
        for topic in topics:
            self._listeners[topic].add(listener)
        try:
            yield listener
        finally:
            for topic in topics:
                self._listeners[topic].discard(listener)
                if not self._listeners[topic]:
                    del self._listeners[topic]
