"""The errors that guardrail raises, few and shallow, split by whose fault they are."""

from __future__ import annotations

from dataclasses import dataclass


class GuardrailError(Exception):
    """The base of every error that guardrail raises on purpose."""


@dataclass(frozen=True, slots=True, order=True)
class ConfigProblem:
    """One thing wrong in one place of the configuration; line and column count from 1, and are 0 where there is no
    such place, as in an option of the command line."""

    file: str
    line: int
    column: int
    message: str
    """What was found and what was expected, as one sentence."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.message}"


class ConfigError(GuardrailError):
    """The operator's fault: a configuration that cannot be used. Carries every problem found, in file order."""

    def __init__(self, problems: list[ConfigProblem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(map(str, self.problems)))


class RuleError(GuardrailError):
    """A rule that cannot be compiled; `rule` is its id. The policy loader turns it into a ConfigProblem."""

    def __init__(self, rule: str, message: str) -> None:
        self.rule = rule
        self.message = message
        super().__init__(f"rule {rule!r}: {message}")


class ModelError(GuardrailError):
    """The operator's fault: a classifier's model folder that cannot be used. Carries every problem found."""

    def __init__(self, problems: list[ConfigProblem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(map(str, self.problems)))


class ModelFault(GuardrailError):
    """A model or detector that was fine when it was loaded failed on a text, or answered what is no score."""


class WireError(GuardrailError):
    """A peer sent bytes that are not the protocol it claims to speak, or that pass a stated cap."""


class UpstreamError(GuardrailError):
    """The model server could not be reached, answered nonsense, or stopped in the middle."""


class Overloaded(GuardrailError):
    """A cap of ours is reached; the client may retry after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: int = 1) -> None:
        self.retry_after = retry_after
        super().__init__(message)
