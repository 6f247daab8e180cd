"""Live pictures and words between machines."""
