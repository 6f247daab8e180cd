"""What can go wrong with the log. Part of the records' family, see `counter_server.records.errors`.

RecordError
└── LogError
    ├── LogFormatError      these bytes are no note, checkpoint, proof, policy or key   → refuse them
    ├── LogUnprovenError    a signature or proof does not hold, or a quorum is missing  → do not believe it
    ├── LogForkError        two histories of one log: something signed was taken back   → stop; call an auditor
    └── NotPublishedError   the leaf is there, a checkpoint over it not yet             → ask again in a second
"""

from counter_server.records.errors import RecordError


class LogError(RecordError):
    """Something about the log."""


class LogFormatError(LogError):
    """The bytes are not what the log writes at this place."""


class LogUnprovenError(LogError):
    """A signature or a proof does not hold."""


class LogForkError(LogError):
    """What is stored now contradicts what was signed before."""


class NotPublishedError(LogError):
    """No checkpoint covers this leaf yet."""
