"""Scenario files: what is read, and what is wrong with them, by line."""

from __future__ import annotations

from pathlib import Path

from guardrail.policy.scenarios import read_scenarios, scenario_output


def test_files_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", ".hidden.yaml", "notes.txt"):
        (tmp_path / name).write_text(
            f"policy: {name[0] if name[0] != '.' else 'h'}\nscenarios: [{{name: x, input: y}}]\n"
        )
    scripts, problems = read_scenarios(tmp_path)
    assert [script.file.policy for script in scripts] == ["a", "b"]
    assert problems == []


def test_no_folder_no_scenarios(tmp_path: Path) -> None:
    assert read_scenarios(tmp_path / "none") == ([], [])


def test_output_is_the_input_unless_it_is_given(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "policy: a\nscenarios:\n- {name: x, input: y}\n- {name: z, input: y, output: ''}\n"
    )
    (script,), _ = read_scenarios(tmp_path)
    assert [scenario_output(scenario) for scenario in script.file.scenarios] == ["y", ""]
    assert script.problem(1, "so").line == 4


def test_every_problem_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("policy: a\nscenarios:\n- {name: x, input: y, halt: maybe}\n- {input: z}\n")
    (tmp_path / "b.yaml").write_text("policy: [\n")
    (tmp_path / "c.yaml").write_text("policy: c\nscenarios:\n- {name: x, input: y}\n- {name: x, input: z}\n")
    _, problems = read_scenarios(tmp_path)
    assert [(Path(problem.file).name, problem.line) for problem in problems] == [
        ("a.yaml", 3),
        ("a.yaml", 4),
        ("b.yaml", 2),
        ("c.yaml", 4),
    ]
