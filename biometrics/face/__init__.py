"""Faces: found, judged fit, compared with a portrait, and shown to be alive."""
