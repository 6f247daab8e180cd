"""Card readers: the cable to a chip, real or simulated."""
