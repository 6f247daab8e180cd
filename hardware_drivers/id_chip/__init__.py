"""ICAO Doc 9303 chips, pure: what to say to one, and how to judge what it answered."""
