"""What can go wrong between the counter and whoever is to be told.

OutboxError
├── UndeliveredError   not taken this time (carries a code)       → tried again later, by itself
└── RefusedError       never to be taken: the receiver said gone  → a supervisor looks, and retries or drops it
"""


class OutboxError(Exception):
    """A delivery that did not come about. `trouble` is a code of ours; answers of others are never repeated."""

    def __init__(self, trouble: str) -> None:
        super().__init__(trouble)
        self.trouble = trouble


class UndeliveredError(OutboxError):
    """The next try may succeed."""


class RefusedError(OutboxError):
    """No further try is of use."""
