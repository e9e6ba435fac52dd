"""Errors: few, shallow, each telling whose fault it is and what to do."""

from __future__ import annotations

import pytest

from guardrail.errors import (
    ConfigError,
    ConfigProblem,
    GuardrailError,
    ModelError,
    ModelFault,
    Overloaded,
    RuleError,
    UpstreamError,
    WireError,
)

ERRORS = [ConfigError, RuleError, ModelError, ModelFault, WireError, UpstreamError, Overloaded]


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_is_one_step_below_the_base(error: type[GuardrailError]) -> None:
    assert error.__bases__ == (GuardrailError,)


def test_a_problem_says_where_it_is() -> None:
    assert (
        str(ConfigProblem("policies/a.yaml", 3, 7, "found x; expected y")) == "policies/a.yaml:3:7: found x; expected y"
    )
    assert str(ConfigProblem("--upstream", 0, 0, "found x")) == "--upstream: found x"


@pytest.mark.parametrize("kind", [ConfigError, ModelError])
def test_an_error_of_files_tells_all_problems_in_file_order(kind: type[ConfigError | ModelError]) -> None:
    last, second, first = (
        ConfigProblem("b.yaml", 1, 1, "last"),
        ConfigProblem("a.yaml", 10, 1, "second"),
        ConfigProblem("a.yaml", 9, 5, "first"),
    )
    error = kind([last, second, first])
    assert error.problems == [first, second, last]
    assert str(error) == "a.yaml:9:5: first\na.yaml:10:1: second\nb.yaml:1:1: last"


def test_a_rule_error_names_its_rule() -> None:
    error = RuleError("weapons", "a term is empty")
    assert (error.rule, error.message, str(error)) == ("weapons", "a term is empty", "rule 'weapons': a term is empty")


def test_an_overload_says_when_to_come_back() -> None:
    assert Overloaded("too many streams").retry_after == 1
    error = Overloaded("too many streams", retry_after=5)
    assert (error.retry_after, str(error)) == (5, "too many streams")
