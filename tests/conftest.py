"""How long the property tests run: HYPOTHESIS_PROFILE is `dev` (few examples), `ci`, or `fuzz` (make fuzz)."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
"""Rule sets with a text are large examples, and the reference is slow on purpose."""

settings.register_profile("dev", max_examples=100, deadline=None, suppress_health_check=SLOW)
settings.register_profile("ci", max_examples=500, deadline=None, suppress_health_check=SLOW, print_blob=True)
settings.register_profile("fuzz", max_examples=100_000, deadline=None, suppress_health_check=SLOW, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))
