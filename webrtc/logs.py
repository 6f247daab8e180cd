"""What an exception may leave in a log: its kind and where it happened.

The text of an exception repeats what it was given (pydantic the input, a database the row), and that may be a person's
name. Every logger of the counter, of its media workers and of a kiosk ends in this formatter, those of libraries too.
"""

import logging
import sys
import traceback
from types import TracebackType

LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class PlaceFormatter(logging.Formatter):
    """A formatter that writes exceptions without their text."""

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802 - logging's own name
        """Kind, and the places from the outermost call to the innermost; then what caused it."""
        return "" if ei[1] is None else "\n".join(_lines(ei[1], set()))


def _lines(error: BaseException, seen: set[int]) -> list[str]:
    seen.add(id(error))
    lines = [f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    found = [type(error).__name__, *lines]
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    for cause in (*inner, error.__cause__, None if error.__suppress_context__ else error.__context__):
        if cause is not None and id(cause) not in seen:
            found += ["because of", *_lines(cause, seen)]
    return found


def write_to_stderr(level: int, line: str = LINE) -> None:
    """Send everything from this level on to standard error, through the formatter above."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PlaceFormatter(line))
    logging.basicConfig(level=level, handlers=[handler])
