"""guardrail: a streaming output guardrail for language models.

The public names: `load_policy` gives a `Policy`; `guard_text` and `guard_stream` run it. Everything else may change
between versions.
"""

from guardrail.policy.compile import load_policy
from guardrail.policy.policy import Policy
from guardrail.stream import GuardedText, guard_stream, guard_text

__all__ = ["GuardedText", "Policy", "guard_stream", "guard_text", "load_policy"]
