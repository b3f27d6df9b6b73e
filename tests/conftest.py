"""What all tests share."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # speed is measured in tests/benchmarks, never asserted here
settings.load_profile("untimed")
