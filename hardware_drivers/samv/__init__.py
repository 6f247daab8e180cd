"""China's second-generation ID cards, read by a reader with a SAM_V security module."""
