"""One resolved rule into a rule of the engine, or problems at the place that is to blame."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from guardrail.errors import ConfigError
from guardrail.policy.compile import load_policy
from guardrail.policy.fingerprints import Draft, FingerprintFile, new_shape
from guardrail.text.editor import Editor
from guardrail.text.protected import ProtectRule
from guardrail.text.rules import (
    Action,
    FixedChar,
    Folds,
    KeepLast,
    KeyedHash,
    KeywordRule,
    Label,
    Mask,
    NearRule,
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
        (", mask: {style: char}", FixedChar("•")),
        (", mask: {style: char, char: █}", FixedChar("█")),
        (", mask: {style: keep_last}", KeepLast(4, "•")),
        (", mask: {style: keep_last, keep: 2, char: x}", KeepLast(2, "x")),
        (", mask: {style: hash, key_env: KEY}", KeyedHash("REDACTED", KEY.encode())),
        (", mask: {style: hash, key_env: KEY, text: WHO}", KeyedHash("WHO", KEY.encode())),
    ],
)
def test_masks(tmp_path: Path, mask: str, expected: Mask) -> None:
    assert rule(tmp_path, f"{{id: x, keywords: [x], action: redact{mask}}}").mask == expected


def test_an_entity_brings_what_the_policy_does_not_say(tmp_path: Path) -> None:
    found = rule(tmp_path, "{entity: email_address, action: redact}")
    assert isinstance(found, PatternRule)
    assert (found.id, found.category, found.severity) == ("entity.email_address", "personal_data", "medium")
    assert (found.mask, found.action) == (Label("[EMAIL]"), Action.REDACT)
    entry = "{entity: email_address, action: log, category: contact, severity: low, allow: [a@b.example]}"
    changed = rule(tmp_path, entry)
    assert (changed.category, changed.severity, changed.allow) == ("contact", "low", ("a@b.example",))
    hashed = rule(tmp_path, "{entity: email_address, action: redact, mask: {style: hash, key_env: KEY}}")
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


LIST = """\
term,category,severity,action,options,allow,language
plain,,,,,,
worse,,high,halt,,,en
case Name,,,,case,,
n,slur,,,noise no-leet,n and more,zh
same,abuse,medium,redact,,,
"""


def groups(folder: Path, *entries: str, **files: str) -> list[Rule]:
    policy = "policy: p\nrules:\n" + "".join(f"  - {entry}\n" for entry in entries)
    compiled = load(folder, {"policies/p.yaml": policy, **files}).policies["p"].rules
    parts = [part for part in (compiled.removing, compiled.logging) if part is not None]
    return sorted((each for part in parts for each in part.rules), key=lambda each: each.id)


def test_terms_that_a_list_sets_apart_get_rules_of_their_own(tmp_path: Path) -> None:
    entry = (
        "{id: r, keywords: [own], lexicon: ../l.csv, action: redact, category: abuse, mask: {style: char}, allow: [z], "
        "examples: {hit: [own plain, worse], miss: [case name]}}"
    )
    found = groups(tmp_path, entry, **{"l.csv": LIST})
    allow = ("z", "n and more")
    misses = ("case name",)
    plain = KeywordRule(
        id="r", category="abuse", severity="medium", action=Action.REDACT, mask=FixedChar(), allow=allow,
        misses=misses, terms=("own", "plain", "same"),
    )  # fmt: skip
    assert found == [
        plain,
        dataclasses.replace(plain, id="r.case", terms=("case Name",), case_sensitive=True),
        dataclasses.replace(
            plain, id="r.high.halt", severity="high", action=Action.HALT, mask=Label("[REDACTED]"), terms=("worse",)
        ),
        dataclasses.replace(
            plain, id="r.slur.no-leet.noise", category="slur", terms=("n",), folds=Folds(leet=False, noise=True)
        ),
    ]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("action: log", {"r": ["plain", "same"], "r.case": ["case Name"], "r.high.halt": ["worse"],
                         "r.redact": ["same"], "r.slur.no-leet.noise": ["n"]}),
        ("action: log, term_actions: ignore",
         {"r": ["plain", "same"], "r.case": ["case Name"], "r.high": ["worse"], "r.slur.no-leet.noise": ["n"]}),
        ("action: log, term_actions: ignore, languages: [en]",
         {"r": ["plain", "same"], "r.case": ["case Name"], "r.high": ["worse"]}),
        ("action: log, term_actions: ignore, fold: {exact: true}, languages: [en]",
         {"r": ["plain", "case Name", "same"], "r.high": ["worse"]}),
        ("action: allow", {}),
    ],
)  # fmt: skip
def test_a_rule_may_take_a_list_otherwise(tmp_path: Path, more: str, expected: dict[str, list[str]]) -> None:
    if "r.redact" in expected:
        expected = {**expected, "r": ["plain"]}
    entry = f"{{id: r, lexicon: ../l.csv, category: abuse, {more}}}"
    found = groups(tmp_path, entry, **{"l.csv": LIST})
    assert {each.id: list(each.terms) for each in found if isinstance(each, KeywordRule)} == expected


def test_an_id_that_terms_of_another_rule_get_is_refused(tmp_path: Path) -> None:
    entries = (
        "{id: r, lexicon: ../l.csv, action: redact, category: abuse}",
        "{id: r.case, keywords: [x], action: log}",
    )
    files: dict[str, Any] = {"l.csv": LIST}
    assert problems(tmp_path, *entries, **files) == [
        "4:10: found the id 'r.case', expected another: some terms of the rule 'r' have it"
    ]


def test_words_near_each_other(tmp_path: Path) -> None:
    entry = (
        "{id: n, near: {first: [a, b, a], second_lexicon: ../s.csv, within: 40, sentence: true}, action: log, "
        "edges: never, fold: {leet: false}, allow: [a or b]}"
    )
    assert groups(tmp_path, entry, **{"s.csv": "term,allow\nc,\nd,d e\n"}) == [
        NearRule(
            id="n", category="custom", action=Action.LOG, first=("a", "b"), second=("c", "d"), within=40, sentence=True,
            edges="never", folds=Folds(leet=False), allow=("a or b", "d e"),
        )
    ]  # fmt: skip


def protected(folder: Path) -> Path:
    draft = Draft(new_shape(4, 20))
    draft.add("handbook", b"every visitor signs the book at the gate before noon")
    folder.mkdir(exist_ok=True)
    draft.write(folder / "set.fp")
    return folder


def test_protected_text(tmp_path: Path) -> None:
    protected(tmp_path)
    entry = (
        "{id: p, protect: ../set.fp, action: redact, severity: high, "
        "examples: {hit: [so every visitor signs the book], miss: [every visitor signs]}}"
    )
    found = rule(tmp_path, entry)
    assert isinstance(found, ProtectRule)
    assert (found.category, found.severity, found.mask) == ("protected_text", "high", Label("[REDACTED]"))
    assert isinstance(found.fingerprints, FingerprintFile)
    assert found.fingerprints.path == tmp_path / "set.fp"
    found = rule(tmp_path, "{id: p, protect: system_prompt, action: halt}")
    assert isinstance(found, ProtectRule)
    assert found.fingerprints is None


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("{id: p, protect: ../none.fp, action: log}",
         "3:22: found no file '../none.fp' here, expected a fingerprint set or system_prompt"),
        ("{id: p, protect: p.yaml, action: log}",
         "3:22: 'p.yaml': found another kind of file, expected a fingerprint set"),
        ("{id: p, protect: ../policies, action: log}", "3:22: '../policies' cannot be read: Is a directory"),
        ("{id: p, protect: ../set.fp, action: log, case: true}",
         "3:52: found 'case' in a rule for protected text, expected it only in one for keywords"),
        ("{id: p, protect: system_prompt, action: log, examples: {hit: [x]}}",
         "3:60: found examples in a rule for the system prompt, expected none: it is known only with a request"),
        ("{id: p, protect: ../set.fp, keywords: [x], action: log}",
         "3:43: found 'keywords' and 'protect' in one rule, expected one kind of source"),
    ],
)  # fmt: skip
def test_problems_of_protected_text(tmp_path: Path, entry: str, problem: str) -> None:
    protected(tmp_path)
    (found,) = problems(tmp_path, entry)
    assert found.split(": ", 1)[1] == problem.split(": ", 1)[1]
    assert found.startswith("3:")


def test_exceptions_to_an_entity(tmp_path: Path) -> None:
    found = rule(tmp_path, "{entity: ip_address, action: log, allow: [127.0.0.1, 10.0.0.0/8]}")
    assert isinstance(found, PatternRule)
    assert found.allow == ("127.0.0.1",)
    assert isinstance(found.accept, tuple)
    assert [check is not None and check("10.1.2.3") for check in found.accept] == [False] * len(found.expressions)
    found = rule(tmp_path, "{entity: email_address, action: log, allow: ['@example.org', bob@example.io]}")
    assert found.allow == ("bob@example.io",)


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
        ("{entity: email_address, action: log, case: true}",
         "3:48: found 'case' in a rule for an entity, expected it only in one for keywords"),
        ("{id: x, keywords: [x], action: log, edge: word}",
         "3:47: found 'edge' in a rule for keywords, expected it only in one for a pattern"),
        ("{id: x, pattern: x, action: log, edges: never}",
         "3:45: found 'edges' in a rule for a pattern, expected it only in one for keywords"),
        ("{id: x, keywords: [x], action: redact, mask: {style: char, keep: 3}}",
         "3:70: found 'keep' in a mask of the style 'char', expected char"),
        ("{id: x, keywords: [x], action: redact, mask: {style: hash}}",
         "3:50: found a mask of the style 'hash' without a key 'key_env', expected one"),
        ("{id: x, keywords: [x], action: redact, mask: {style: hash, key_env: NONE}}",
         "3:73: found nothing in the environment variable NONE, expected a key of 16 bytes or more"),
        ("{id: x, keywords: [x], action: redact, mask: {style: hash, key_env: SHORT}}",
         "3:73: found only 15 bytes in the environment variable SHORT, expected a key of 16 bytes or more"),
        ("{id: x, lexicon: none.txt, action: log}", "3:22: found no file 'none.txt' here, expected a lexicon"),
        ("{id: x, lexicon: [../l.txt, none.txt], action: log}",
         "3:33: found no file 'none.txt' here, expected a lexicon"),
        ("{id: x, lexicon: ../guardrail.yaml, action: log}",
         "guardrail.yaml:1:1: found a lexicon 'guardrail.yaml', expected a name that ends in one of .txt, .csv, "
         ".jsonl"),
        ("{id: x, keywords: [x], action: log, languages: [en]}",
         "3:52: found 'languages' in a rule for keywords, expected it only in one for a lexicon"),
        ("{id: x, pattern: x, action: log, fold: {leet: false}}",
         "3:44: found 'fold' in a rule for a pattern, expected it only in one for keywords"),
        ("{id: x, keywords: [x], action: log, case: true, fold: {exact: true, noise: true}}",
         "3:80: found 'noise' in a rule that tells case, expected no fold switch there"),
        ("{id: x, keywords: [x], action: log, fold: {exact: true, leet: false}}",
         "3:67: found 'leet' beside 'exact', expected one of them: then nothing is folded"),
        ("{id: x, keywords: [x], action: log, fold: {lete: false}}",
         "3:48: found the unknown key 'lete', expected 'leet' (did you mean that?)"),
        ("{id: x, near: {first: [a]}, action: log}",
         "3:19: found neither 'second' nor 'second_lexicon' in 'near', expected one of them"),
        ("{id: x, near: {first: [a], first_lexicon: ../l.txt, second: [b]}, action: log}",
         "3:47: found both 'first' and 'first_lexicon' in 'near', expected one of them"),
        ("{id: x, near: {first: [a], second: [b], within: 999}, action: log}",
         "3:53: found 999, expected a whole number from 0 to 256"),
        ("{id: x, near: {first: [a], second: [b]}, case: true, action: log}",
         "3:52: found 'case' in a rule for words near each other, expected it only in one for keywords"),
        ("{id: x, near: {first_lexicon: ../n.csv, second: [b]}, action: log}",
         "n.csv:2:1: found a term with options of its own in a list for 'near', expected plain terms"),
        ("{id: x, lexicon: ../t.csv, action: redact}",
         "t.csv:4:1: found the action 'replace' in a list for the rule 'x', which has no key 'with'"),
        ("{id: x, lexicon: ../t.csv, action: replace, with: y, case: true}",
         "t.csv:3:1: found 'noise' in a list for the rule 'x', expected no fold switch: the rule tells case"),
        ("{id: x, lexicon: ../e.csv, languages: [zh, de], action: log}",
         "3:43: found no term of these languages in the lexicon, expected one: zh, de"),
        ("{id: x, keywords: [x], action: log, allow: [10.0.0.0/8]}",
         "3:49: found the network '10.0.0.0/8', expected it only for IP addresses: here it never matches"),
        ("{entity: email_address, action: log, allow: [10.0.0.0/8]}",
         "3:50: found the network '10.0.0.0/8', expected it only for IP addresses: here it never matches"),
        ("{entity: ip_address, action: log, allow: [127.0.0.1, 10.1.0.0/8]}",
         "3:58: found '10.1.0.0/8', expected the network's own address: 10.0.0.0/8"),
    ],
)  # fmt: skip
def test_problems_of_one_rule(tmp_path: Path, entry: str, problem: str) -> None:
    files: dict[str, Any] = {
        "l.txt": "a\n",
        "t.csv": "term,action,options\na,log,\nb,,noise\nc,replace,\n",
        "e.csv": "term,language\na,en\n",
        "n.csv": "term,action,language\na,log,\nb,,en\n",
    }
    assert problems(tmp_path, entry, **files) == [problem]


def test_an_unknown_entity_is_guessed_or_the_known_are_listed(tmp_path: Path) -> None:
    near, far = problems(tmp_path, "{entity: email_adress, action: log}", "{entity: zzz, action: allow}")
    assert near == (
        "3:14: found the unknown entity 'email_adress', expected 'email_address' (did you mean that?); "
        "docs/entities.md lists all"
    )
    assert far.startswith("4:14: found the unknown entity 'zzz', expected one of email_address, ")
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


def test_output_rules_know_their_hosts(tmp_path: Path) -> None:
    text = (
        "policy: p\nrules:\n"
        "  - {output: links, action: redact, hosts: [Example.com, '*.example.org']}\n"
        "  - {output: invisible, action: halt, severity: critical}\n"
    )
    path = tmp_path / "p.yaml"
    path.write_text(text)
    policy = load_policy(str(path))
    assert policy.rules.removing is not None
    links, invisible = sorted(policy.rules.removing.rules, key=lambda rule: rule.severity, reverse=True)
    assert (links.id, invisible.id, invisible.severity) == ("output.links", "output.invisible", "critical")
    editor = Editor(policy.rules)
    assert editor.feed("[a](https://example.com/) [b](https://elsewhere.example/)") + editor.finish() == (
        "[a](https://example.com/) [b] (link removed)"
    )
    path.write_text(text.replace("Example.com", "example.net"))
    assert load_policy(str(path)).digest != policy.digest


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("{output: links, action: replace, with: x}", "3:29: found the action 'replace' in a rule for output handling"),
        ("{output: links, action: redact, hosts: [a b]}", "3:45: found the host 'a b', expected one such as"),
        ("{output: invisible, action: redact, hosts: [a.b]}", "3:48: found 'hosts' in a rule for invisible"),
        ("{output: html, action: redact, allow: [x]}", "3:43: found 'allow' in a rule for output handling"),
        ("{output: nothing, action: redact}", '3:14: found "nothing"'),
        ("{id: mine, output: html, action: redact}", "3:10: found the id 'mine', expected none"),
    ],
)
def test_problems_of_output_rules(tmp_path: Path, entry: str, problem: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(f"policy: p\nrules:\n  - {entry}\n")
    with pytest.raises(ConfigError) as raised:
        load_policy(str(path))
    assert any(f"p.yaml:{problem}" in str(found) for found in raised.value.problems), raised.value
