"""The classifier's section of a policy: what it comes to, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardrail.policy.compile import load_policy
from guardrail.policy.policy import Policy
from guardrail.text.rules import Action, Label
from guardrail.text.scores import CATEGORIES
from tests.classify import tiny
from tests.policy.tree import complaints, load, write

POINTS = {"harassment": {"precise": 0.9, "balanced": 0.7, "sensitive": 0.4}}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.ours(tmp_path_factory.mktemp("models") / "mine", thresholds=POINTS)


def policy(folder: Path, model: Path, section: str, *others: str) -> Policy:
    return load(folder, files(model, section, *others)).policies["p"]


def files(model: Path, section: str, *others: str) -> dict[str, str]:
    found = {"policies/p.yaml": f"policy: p\n{section}".replace("MODEL", str(model))}
    return found | {f"policies/{number}.yaml": text.replace("MODEL", str(model)) for number, text in enumerate(others)}


SECTION = """\
classifier:
  model: MODEL
  lag_budget: 100
  fail: open
  debounce: 2
  context: prompt
  deadline: 0.5
  categories:
    violence: {at: 0.8, action: log}
    harassment:
      - {at: sensitive, action: log, severity: low}
      - {severity: critical}
"""


def test_a_section_becomes_settings(tmp_path: Path, model: Path) -> None:
    made = policy(tmp_path, model, SECTION)
    chosen = made.classifier
    assert chosen is not None
    assert made.scorer is not None
    assert chosen.model == f"tiny@{made.scorer.digest[:12]}"
    assert [(rule.id, rule.at, rule.action, CATEGORIES[rule.label]) for rule in chosen.rules] == [
        ("classifier.harassment.critical", 0.9, Action.HALT, "harassment"),
        ("classifier.harassment.low", 0.4, Action.LOG, "harassment"),
        ("classifier.violence.high", 0.8, Action.LOG, "violence"),
    ]
    assert (chosen.lag_budget, chosen.fail, chosen.debounce, chosen.context, chosen.deadline) == (
        100,
        "open",
        2,
        "prompt",
        0.5,
    )


def test_what_is_not_said_is_strict(tmp_path: Path, model: Path) -> None:
    made = policy(tmp_path, model, "classifier: {model: MODEL, categories: {harassment: {}}}\n")
    chosen = made.classifier
    assert chosen is not None
    (rule,) = chosen.rules
    assert (rule.id, rule.at, rule.action) == ("classifier.harassment.high", 0.9, Action.HALT)
    assert (chosen.lag_budget, chosen.fail, chosen.debounce, chosen.context, chosen.deadline) == (
        0,
        "closed",
        1,
        "answer",
        2.0,
    )


def test_masks_are_those_of_rules(tmp_path: Path, model: Path) -> None:
    section = """\
classifier:
  model: MODEL
  categories:
    profanity: {at: 0.5, action: redact, mask: {style: label, text: "[RUDE]"}}
    violence: {at: 0.5, action: replace, with: "(left out)"}
    hate: {at: 0.5, action: redact}
"""
    chosen = policy(tmp_path, model, section).classifier
    assert chosen is not None
    assert [rule.mask for rule in chosen.rules] == [Label("[REDACTED]"), Label("(left out)"), Label("[RUDE]")]


def test_a_child_changes_what_it_names(tmp_path: Path, model: Path) -> None:
    child = """\
extends: parent
classifier:
  debounce: 3
  categories:
    harassment: {action: allow}
    hate: {at: 0.5}
"""
    chosen = policy(tmp_path, model, child, "policy: parent\n" + SECTION).classifier
    assert chosen is not None
    assert [rule.id for rule in chosen.rules] == ["classifier.hate.high", "classifier.violence.high"]
    assert (chosen.debounce, chosen.lag_budget, chosen.model[:5]) == (3, 100, "tiny@")


def test_a_detector_takes_the_place_of_a_model(tmp_path: Path, model: Path) -> None:
    child = """\
extends: parent
classifier:
  remote: {format: openai, url: "http://127.0.0.1:9"}
  categories:
    harassment: {at: 0.5}
"""
    made = policy(tmp_path, model, child, "policy: parent\n" + SECTION)
    assert made.classifier is not None
    assert made.classifier.model.startswith("openai:127.0.0.1@")


def test_a_model_is_named_relative_to_the_policy_file(tmp_path: Path) -> None:
    tiny.ours(tmp_path / "policies" / "here")
    write(tmp_path, {"policies/p.yaml": "policy: p\nclassifier: {model: here, categories: {hate: {at: 0.5}}}\n"})
    assert load_policy("p", tmp_path, environ={}).classifier is not None


def test_the_digest_tells_what_decides(tmp_path: Path, model: Path) -> None:
    sections = ["", SECTION, SECTION.replace("0.8", "0.9"), SECTION.replace("100", "99"), SECTION.replace("0.5", "1")]
    digests = [policy(tmp_path / str(at), model, section).digest for at, section in enumerate(sections)]
    assert len(set(digests)) == len(sections)
    assert policy(tmp_path / "again", model, SECTION).digest == digests[1]
    rules = {policy(tmp_path / f"r{at}", model, section).rules_digest for at, section in enumerate(sections)}
    assert len(rules) == 1


def test_a_reload_shares_the_model(tmp_path: Path, model: Path) -> None:
    first, second = (policy(tmp_path / name, model, SECTION) for name in ("a", "b"))
    assert first.scorer is second.scorer


PROBLEMS = [
    ("classifier: {model: MODEL}\n", ["2:13: found a classifier without 'categories', expected one at least"]),
    (
        "classifier:\n  model: nowhere\n  categories: {hate: {}}\n",
        ["3:10: found the model 'nowhere', expected 'guard-small' or a folder: there is none at FOLDER/"],
    ),
    (
        "classifier:\n  model: MODEL\n  categories:\n    hate: {at: 0.5}\n    harassment: {at: careful}\n",
        ['6:22: found "careful", expected one of balanced, precise, sensitive or a number above 0, at most 1'],
    ),
    (
        "classifier:\n  model: MODEL\n  categories:\n    hate:\n      - {at: 0.9, severity: low, action: log}\n"
        "      - {at: 0.5, action: halt}\n",
        ["6:7: found a level that only logs above one that acts, expected none"],
    ),
    (
        "classifier:\n  model: MODEL\n  categories:\n    hate: {at: 0.5}\n    illness: {}\n",
        ["6:5: found the unknown key 'illness', expected"],
    ),
    (
        "classifier:\n  model: MODEL\n  categories:\n    hate: {}\n",
        ["5:11: found the operating point 'precise', which the model does not have for 'hate', expected a probability"],
    ),
    (
        "classifier:\n  model: MODEL\n  lag_budget: 10\n  categories:\n    hate: {at: 0.5, action: redact}\n",
        ["6:29: found the action 'redact', expected halt or log: with a lag budget text is delivered before it is"],
    ),
    (
        "classifier:\n  model: MODEL\n  categories:\n    harassment:\n      - {}\n      - {at: 0.9, severity: high}\n",
        [
            "7:14: found the same threshold again, expected each once in a category",
            "7:29: found the severity 'high' again, expected each once in a category",
        ],
    ),
    (
        "classifier:\n  model: MODEL\n  categories:\n    hate: {at: 0.5, action: replace}\n",
        ["5:29: found the rule 'classifier.hate.high' with the action 'replace' but no key 'with', expected one"],
    ),
    (
        'classifier:\n  model: m\n  remote: {format: fms, url: "http://h", model: x}\n  categories: {hate: {}}\n',
        [
            "4:11: found 'model' and 'remote' in one classifier, expected one",
            "4:20: found no key 'detector', expected the id of the detector",
            "4:20: found no key 'labels', expected the detector's labels",
            "4:49: found a model, expected none: `fms` has a detector",
        ],
    ),
]
EVERYTHING = """\
rules:
  - {id: a, keywords: [x]}
classifier:
  model: nowhere
  lag_budget: 10
  fail: maybe
  categories:
    hate:
    harassment: {at: 1.5}
    violence: {at: 0, action: redact}
    profanity: {action: replace}
    sexual:
      - {action: log}
      - {at: balanced}
      - {at: 0.3, action: redact, severity: low}
    illicit:
      - {action: log}
      - 3
      - {at: preciser}
"""
"""Whatever is wrong with what scores, the same is wrong with the rest."""
REST = [
    "3:5: found the rule 'a' without an action",
    '7:9: found "maybe", expected one of closed, open',
    "9:10: found nothing, expected a value",
    "10:22: found 1.5, expected one of balanced, precise, sensitive or a number above 0, at most 1",
    "11:20: found 0, expected one of balanced, precise, sensitive or a number above 0, at most 1",
    "11:31: found the action 'redact', expected halt or log",
    "12:25: found the action 'replace', expected halt or log",
    "12:25: found the rule 'classifier.profanity.high' with the action 'replace' but no key 'with'",
    "14:7: found a level that only logs above one that acts",
    "15:9: found the severity 'high' again",
    "16:27: found the action 'redact', expected halt or log",
    "19:9: found 3, expected keys and values",
    "20:9: found the severity 'high' again",
    "20:14: found \"preciser\", expected 'precise' (did you mean that?)",
]
PROBLEMS += [
    (EVERYTHING, [REST[0], "5:10: found the model 'nowhere', expected", *REST[1:]]),
    (
        EVERYTHING.replace("model: nowhere", 'remote: {format: openai, url: "ftp://h"}'),
        [REST[0], '5:33: found "ftp://h", expected an address', *REST[1:]],
    ),
    (
        'classifier:\n  remote: {format: openai, url: "ftp://h"}\n  model: MODEL\n  categories: {hate: {at: 0.5}}\n',
        ["3:11: found 'model' and 'remote' in one classifier, expected one", '3:33: found "ftp://h", expected'],
    ),
    (
        'classifier:\n  remote: {format: fms, url: "http://h", labels: {a: rude}, model: m}\n'
        "  categories: {hate: {at: 0.5}}\n",
        [
            '3:54: found "rude", expected one of hate',
            "3:68: found a model, expected none: `fms` has a detector",
        ],
    ),
]


@pytest.mark.parametrize(("section", "expected"), PROBLEMS, ids=range(len(PROBLEMS)))
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, model: Path, section: str, expected: list[str]) -> None:
    found = complaints(tmp_path, files(model, section))
    assert len(found) == len(expected)
    for complaint, start in zip(found, expected, strict=True):
        assert complaint.startswith(f"policies/p.yaml:{start}".replace("FOLDER", str(tmp_path))), complaint


def test_a_category_that_the_model_does_not_know(tmp_path: Path) -> None:
    few = tiny.ours(tmp_path / "few", labels=["harassment", "unsafe"])
    section = "classifier: {model: MODEL, categories: {hate: {at: 0.5}}}\n"
    (found,) = complaints(tmp_path / "config", files(few, section))
    assert "found 'hate', which 'tiny' does not know, expected one of harassment, unsafe" in found


def test_a_model_that_cannot_be_used_is_told_by_its_own_file(tmp_path: Path) -> None:
    broken = tiny.ours(tmp_path / "broken")
    (broken / "model.onnx").write_bytes(b"no model")
    section = "classifier: {model: MODEL, categories: {hate: {at: 0.5}}}\n"
    (found,) = complaints(tmp_path / "config", files(broken, section))
    assert found.startswith(f"{broken}/manifest.yaml:")


def test_the_files_of_a_model_are_watched(tmp_path: Path, model: Path) -> None:
    snapshot = load(tmp_path, files(model, SECTION))
    assert {model / "manifest.yaml", model / "model.onnx"} <= snapshot.files
    assert model in snapshot.folders
