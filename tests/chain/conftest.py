"""Hypothesis without a time limit for one example: other processes may have the machine."""

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
