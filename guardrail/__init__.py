"""guardrail: a streaming output guardrail for language models.

The public names: `load_policy` gives a `Policy` (or raises `ConfigError` with every problem); `guard_text` and
`guard_stream` run it; a `Finding` says what was found and which `Action` followed. Everything else may change between
versions.
"""

from guardrail.errors import ConfigError
from guardrail.policy.compile import load_policy
from guardrail.policy.policy import Policy
from guardrail.stream import GuardedText, guard_stream, guard_text
from guardrail.text.rules import Action, Finding

__all__ = ["Action", "ConfigError", "Finding", "GuardedText", "Policy", "guard_stream", "guard_text", "load_policy"]
