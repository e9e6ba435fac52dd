"""What is said of a duty follows from its checks, and never says more than they do."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import msgspec
import pytest

from guardrail.evidence.checks import Outcome, State
from guardrail.evidence.run import Evidence, result_of
from guardrail.governance.presets import DutyEntry

H, F, U = State.HOLDS, State.FAILS, State.UNTRIED

CASES = [
    ("all hold", (H, H), True, "holds"),
    ("one fails", (H, F), True, "fails"),
    ("one fails, one could not be tried", (U, F), True, "fails"),
    ("one could not be tried", (H, U), True, "untried"),
    ("there is nothing to try", (), True, "untried"),
    ("nothing serves it", (), False, "operator"),
]


@pytest.mark.parametrize(("name", "states", "served", "verdict"), CASES, ids=[case[0] for case in CASES])
def test_the_verdict(name: str, states: tuple[State, ...], served: bool, verdict: str) -> None:
    names = tuple(f"check-{index}" for index in range(len(states)))
    duty = DutyEntry("d", ("Law, article 1",), "Something.", "The rest.", ("audit",) if served else (), names)
    outcomes = {each: Outcome(state, "Seen.") for each, state in zip(names, states, strict=True)}
    result = result_of(duty, outcomes)
    assert result.verdict == verdict
    assert [tried.state for tried in result.checks] == [state.value for state in states]


def test_every_key_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "duties.md").read_text(encoding="utf-8")
    _, definitions = msgspec.json.schema_components([Evidence])
    for name, definition in definitions.items():
        jsonschema.Draft202012Validator.check_schema(definition)
        for key, field in definition["properties"].items():
            assert f"`{key}`" in text, f"{name}.{key}"
            assert field["description"].endswith(".")
