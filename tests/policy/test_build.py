"""One resolved rule into a rule of the engine, or problems at the place that is to blame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from guardrail.text.rules import (
    Action,
    FixedChar,
    KeepLast,
    KeyedHash,
    KeywordRule,
    Label,
    Mask,
    PatternRule,
    Rule,
)
from tests.policy.tree import complaints, load

KEY = "k" * 16


def rule(folder: Path, entry: str, **files: str) -> Rule:
    policy = f"policy: p\nrules:\n  - {entry}\n"
    snapshot = load(folder, {"policies/p.yaml": policy, **files}, {"KEY": KEY})
    compiled = snapshot.policies["p"].rules
    (group,) = [group for group in (compiled.removing, compiled.logging) if group is not None]
    (only,) = group.rules
    return only


def problems(folder: Path, *entries: str, **files: str | bytes) -> list[str]:
    policy = "policy: p\nrules:\n" + "".join(f"  - {entry}\n" for entry in entries)
    found = complaints(folder, {"policies/p.yaml": policy, **files}, {"SHORT": "k" * 15})
    return [line.removeprefix("policies/p.yaml:") for line in found]


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        ("", Label("[REDACTED]")),
        (", mask: {style: label}", Label("[REDACTED]")),
        (", mask: {style: label, text: ''}", Label("")),
        (", mask: {style: char}", FixedChar("*")),
        (", mask: {style: char, char: █}", FixedChar("█")),
        (", mask: {style: keep_last}", KeepLast(4, "*")),
        (", mask: {style: keep_last, keep: 2, char: x}", KeepLast(2, "x")),
        (", mask: {style: hash, key_env: KEY}", KeyedHash("REDACTED", KEY.encode())),
        (", mask: {style: hash, key_env: KEY, text: WHO}", KeyedHash("WHO", KEY.encode())),
    ],
)
def test_masks(tmp_path: Path, mask: str, expected: Mask) -> None:
    assert rule(tmp_path, f"{{id: x, keywords: [x], action: redact{mask}}}").mask == expected


def test_an_entity_brings_what_the_policy_does_not_say(tmp_path: Path) -> None:
    found = rule(tmp_path, "{entity: email, action: redact}")
    assert isinstance(found, PatternRule)
    assert (found.id, found.category, found.severity) == ("entity.email", "personal_data", "medium")
    assert (found.mask, found.action) == (Label("[EMAIL]"), Action.REDACT)
    entry = "{entity: email, action: log, category: contact, severity: low, allow: [a@b.example]}"
    changed = rule(tmp_path, entry)
    assert (changed.category, changed.severity, changed.allow) == ("contact", "low", ("a@b.example",))
    hashed = rule(tmp_path, "{entity: email, action: redact, mask: {style: hash, key_env: KEY}}")
    assert hashed.mask == KeyedHash("EMAIL", KEY.encode())


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{id: x, keywords: [a, b, a], action: halt}",
         KeywordRule(id="x", category="custom", severity="medium", action=Action.HALT, mask=Label("[REDACTED]"),
                     terms=("a", "b"))),
        ("{id: x, keywords: [a], action: replace, with: c, category: k, severity: low, case: true, edges: never, "
         "allow: [ab]}",
         KeywordRule(id="x", category="k", severity="low", action=Action.REPLACE, mask=Label("c"), terms=("a",),
                     case_sensitive=True, edges="never", allow=("ab",))),
        ("{id: x, pattern: 'a{1,3}', edge: word, action: log}",
         PatternRule(id="x", category="custom", action=Action.LOG, mask=Label("[REDACTED]"),
                     expressions=("a{1,3}",), left="word", right="word")),
        ("{id: x, patterns: [a, b], action: log, examples: {hit: [a], miss: [c]}}",
         PatternRule(id="x", category="custom", action=Action.LOG, mask=Label("[REDACTED]"), expressions=("a", "b"),
                     hits=("a",), misses=("c",))),
    ],
)  # fmt: skip
def test_rules(tmp_path: Path, entry: str, expected: Rule) -> None:
    assert rule(tmp_path, entry) == expected


def test_keywords_and_lexicons_join(tmp_path: Path) -> None:
    files = {"lists/a.txt": "# list\nc\nb\n", "lists/b.txt": "d\n"}
    entry = "{id: x, keywords: [a, b], lexicon: [../lists/a.txt, ../lists/b.txt], action: log}"
    found = rule(tmp_path, entry, **files)
    assert isinstance(found, KeywordRule)
    assert found.terms == ("a", "b", "c", "d")


def test_a_lexicon_is_found_beside_the_policy_that_names_it(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "guardrail.yaml": "version: 1\nupstreams: {default: {url: 'http://h'}}\npolicies: own\n",
        "own/list.txt": "word\n",
        "own/a.yaml": "policy: a\nrules: [{id: x, lexicon: list.txt, action: log}]\n",
        "own/b.yaml": "policy: b\nextends: a\nrules: [{id: x, action: halt}]\n",
    }
    snapshot = load(tmp_path, files)
    assert tmp_path / "own/list.txt" in snapshot.files
    assert snapshot.policies["a"].digest != snapshot.policies["b"].digest


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("{id: x, keywords: [x]}", "3:5: found the rule 'x' without an action, expected one"),
        ("{id: x, keywords: [x], action: replace}",
         "3:36: found the rule 'x' with the action 'replace' but no key 'with', expected one"),
        ("{entity: email, action: log, case: true}",
         "3:40: found 'case' in a rule for an entity, expected it only in others"),
        ("{id: x, keywords: [x], action: log, edge: word}",
         "3:47: found 'edge' in a rule for keywords, expected it only in others"),
        ("{id: x, pattern: x, action: log, edges: never}",
         "3:45: found 'edges' in a rule for a pattern, expected it only in others"),
        ("{id: x, keywords: [x], action: redact, mask: {style: char, keep: 3}}",
         "3:70: found 'keep' in a mask of the style 'char', expected char"),
        ("{id: x, keywords: [x], action: redact, mask: {style: hash}}",
         "3:50: found a mask of the style 'hash' without a key 'key_env', expected one"),
        ("{id: x, keywords: [x], action: redact, mask: {style: hash, key_env: NONE}}",
         "3:73: found nothing in the environment variable NONE, expected a key of 16 bytes or more"),
        ("{id: x, keywords: [x], action: redact, mask: {style: hash, key_env: SHORT}}",
         "3:73: found only 15 bytes in the environment variable SHORT, expected a key of 16 bytes or more"),
        ("{id: x, lexicon: none.txt, action: log}", "3:22: found no file 'none.txt' here, expected a lexicon"),
        ("{id: x, lexicon: [p.yaml, none.txt], action: log}",
         "3:31: found no file 'none.txt' here, expected a lexicon"),
    ],
)  # fmt: skip
def test_problems_of_one_rule(tmp_path: Path, entry: str, problem: str) -> None:
    assert problems(tmp_path, entry) == [problem]


def test_an_unknown_entity_lists_the_known(tmp_path: Path) -> None:
    near, far = problems(tmp_path, "{entity: emial, action: log}", "{entity: zzz, action: allow}")
    assert near.startswith("3:14: found the unknown entity 'emial', expected 'email' (did you mean that?); the known")
    assert far.startswith("4:14: found the unknown entity 'zzz', expected one of email, ")
    assert "credit_card" in near
    assert "credit_card" in far


def test_what_the_engine_refuses_is_blamed_on_the_piece_that_is_wrong(tmp_path: Path) -> None:
    files: dict[str, Any] = {"policies/l.txt": "good\n\u200b\nfine\n\u200d\n"}
    found = problems(
        tmp_path,
        "{id: a, patterns: [ok, 'x*', '('], action: log}",
        "{id: b, pattern: 'y+', action: log}",
        '{id: c, keywords: [ok, "\\u200b"], action: log, allow: ["\\u00ad"]}',
        "{id: d, lexicon: l.txt, action: log}",
        "{id: e, keywords: [ok], action: log}",
        **files,
    )
    assert [line.split(": ")[0] for line in found] == [
        "policies/l.txt:2:1",
        "policies/l.txt:4:1",
        "3:28",
        "3:34",
        "4:22",
        "5:28",
        "5:60",
    ]


def test_a_lexicon_with_problems_is_reported_once(tmp_path: Path) -> None:
    files: dict[str, Any] = {"policies/l.txt": b"good\nb\x07d\n"}
    entries = [f"{{id: {name}, lexicon: l.txt, action: log}}" for name in "ab"]
    assert problems(tmp_path, *entries, **files) == [
        "policies/l.txt:2:2: found the control character U+0007 in a term, expected printable text"
    ]
