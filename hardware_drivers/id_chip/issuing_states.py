"""Which country's signers may sign the documents of an issuing state: Doc 9303-3 §5 against ISO 3166-1."""

import tomllib
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("issuing_states.toml")


@cache
def _countries() -> dict[str, tuple[str, ...]]:
    """The table, read once."""
    document = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {state: tuple(countries) for state, countries in document.items()}


def signer_countries(issuing_state: str) -> tuple[str, ...]:
    """Two-letter codes that fit a state as the zone names it, fillers taken off; empty for a state nobody knows."""
    return _countries().get(issuing_state.strip("<"), ())
