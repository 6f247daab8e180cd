"""The office: the counter's server."""
