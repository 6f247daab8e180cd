"""Checks the evidence again: chip, face, liveness."""
