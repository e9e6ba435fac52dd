"""Scripts of the simulated model server: which reply is chosen, and what a bad file says."""

from pathlib import Path

import pytest

from guardrail.simulate.script import BUILT_IN, Script

YAML = """
replies:
  - when: Weather
    choices:
      - content: Sunny.
      - content: Rain.
  - when: weather in
    choices: [{content: never reached}]
"""


@pytest.fixture
def script(tmp_path: Path) -> Script:
    path = tmp_path / "script.yaml"
    path.write_text(YAML, encoding="utf-8")
    return Script.load(path)


@pytest.mark.parametrize(
    ("message", "n", "expected"),
    [
        ("The WEATHER, please", 1, ["Sunny."]),
        ("weather in Oslo", 3, ["Sunny.", "Rain.", "Sunny."]),
        ("something else", 2, ["You wrote: something else"] * 2),
        ("", 1, ["You wrote: "]),
    ],
)
def test_the_first_keyword_found_decides_and_n_walks_through_the_choices(
    script: Script, message: str, n: int, expected: list[str]
) -> None:
    assert [reply.content for reply in script.choose(message, n)] == expected


def test_json_is_read_as_well(tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text('{"replies": [{"when": "hi", "choices": [{"content": "Hello."}]}]}', encoding="utf-8")
    assert Script.load(path).choose("Hi there", 1)[0].content == "Hello."


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("replies: [{when: a}]", "choices"),
        ("replies: [{when: a, choices: []}]", "at least one choice"),
        ("replies: [{when: '', choices: [{content: b}]}]", "not empty"),
        ("replies: [{when: a, choices: [{contents: b}]}]", "contents"),
        ("replies: [", "script.yaml"),
        ("- a", "object"),
    ],
)
def test_a_bad_script_is_refused_with_the_file_and_the_reason(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "script.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=complaint) as caught:
        Script.load(path)
    assert "script.yaml" in str(caught.value)


def test_every_built_in_keyword_reaches_its_own_reply() -> None:
    for entry in BUILT_IN.replies:
        assert BUILT_IN.choose(entry.when, 1) == [entry.choices[0]]
