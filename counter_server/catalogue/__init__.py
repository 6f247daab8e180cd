"""What the counter offers, as data."""
