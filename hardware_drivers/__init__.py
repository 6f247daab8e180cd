"""What is plugged into this desk, and what it means."""
