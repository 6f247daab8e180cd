"""What holds for every test: no test fails because the machine is slow, whatever Hypothesis draws."""

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
