"""The document both sides look at, and the hands that sign it."""
