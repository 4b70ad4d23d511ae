"""Hypothesis without a time limit for one example: other processes may have the machine.

FAPIAO_HYPOTHESIS=mutants takes fewer examples, the same each time, and shows the first that fails.
"""

import os

from hypothesis import HealthCheck, Phase, settings

settings.register_profile("patient", deadline=None)
settings.register_profile(
    "mutants",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=25,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
settings.load_profile(os.environ.get("FAPIAO_HYPOTHESIS", "patient"))
