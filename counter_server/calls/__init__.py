"""The video session: who is in the room."""
