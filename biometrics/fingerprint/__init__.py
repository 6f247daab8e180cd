"""Fingers: pictures judged fit, turned into minutiae, written as cards hold them, and compared."""
