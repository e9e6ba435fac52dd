"""How long the property tests run: HYPOTHESIS_PROFILE is `dev` (few examples), `ci`, or `fuzz` (make fuzz)."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile

from hypothesis import HealthCheck, settings

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
"""Rule sets with a text are large examples, and the reference is slow on purpose."""

# A short run repeats the same examples, so that a red build is about the change; `make fuzz` looks for new ones.
settings.register_profile("dev", max_examples=100, derandomize=True, deadline=None, suppress_health_check=SLOW)
settings.register_profile("ci", max_examples=500, derandomize=True, deadline=None, suppress_health_check=SLOW)
settings.register_profile("fuzz", max_examples=100_000, deadline=None, suppress_health_check=SLOW, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

# A shell that runs the tests in the background has them ignore Ctrl-C, and every process that they start inherits that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A process that a test starts without a configuration of its own keeps its state here, never in anybody's home.
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="guardrail-state-")
atexit.register(shutil.rmtree, os.environ["XDG_STATE_HOME"], ignore_errors=True)
