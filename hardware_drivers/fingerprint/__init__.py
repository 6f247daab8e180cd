"""Fingerprint scanners, and fingers that belong to nobody."""
