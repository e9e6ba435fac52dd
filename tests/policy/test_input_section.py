"""The section `input` of a policy: what it comes to, how it is inherited, and what is wrong with it, where."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardrail.errors import ConfigError
from guardrail.policy.policy import InputSection, Policy
from guardrail.policy.registry import load_snapshot
from guardrail.scan import Chunks, scan_text
from tests.classify import tiny
from tests.policy.tree import complaints, load, write

BASE = """\
policy: base
rules:
  - {id: words, keywords: [alpha], action: redact}
input:
  roles: [user, tool]
  notice: {en: "No. {case_id}", de: "Nein."}
  rules:
    - {id: words, keywords: [beta], action: redact, mask: {style: char}}
    - {id: stop, keywords: [omega], action: halt, examples: {hit: [omega], miss: [omegas]}}
"""


def compiled(folder: Path, **policies: str) -> Policy:
    """The policy `p`, or the only one."""
    found = load(folder, {f"policies/{name}.yaml": text for name, text in policies.items()}).policies
    return found.get("p") or found["base"]


def section(policy: Policy) -> InputSection:
    assert policy.input is not None
    return policy.input


def read_by_model(text: str, policy: Policy) -> str:
    return scan_text(text, policy.of_input(), Chunks()).output


def test_it_works_apart_from_the_rules_for_answers(tmp_path: Path) -> None:
    policy = compiled(tmp_path, base=BASE)
    assert scan_text("alpha beta omega", policy, Chunks()).output == "[REDACTED] beta omega"
    assert read_by_model("alpha beta.", policy) == "alpha ••••."
    assert scan_text("omega", policy.of_input(), Chunks()).halted
    found = section(policy)
    assert (found.turns, found.roles, found.notice) == ("newest", frozenset(("user", "tool")), "No. {case_id}")
    assert found.policy.digest == policy.digest


def test_a_policy_without_it_looks_for_nothing(tmp_path: Path) -> None:
    policy = compiled(tmp_path, base="policy: base\ninput: {turns: all}\n")
    assert policy.input is None
    with pytest.raises(ConfigError, match="looks for nothing in requests: no rule in force"):
        policy.of_input()
    with pytest.raises(ConfigError, match="looks for nothing in requests: it has no section 'input'"):
        compiled(tmp_path, base="policy: base\n").of_input()


def test_a_child_changes_what_it_names(tmp_path: Path) -> None:
    child = """\
policy: p
extends: base
input:
  turns: all
  rules:
    - {id: words, mask: {style: label, text: "[B]"}}
    - {id: stop, action: allow}
    - {id: more, keywords: [gamma], action: replace, with: g}
"""
    policy = compiled(tmp_path, base=BASE, p=child)
    assert read_by_model("beta gamma omega", policy) == "[B] g omega"
    assert (section(policy).turns, section(policy).roles) == ("all", frozenset(("user", "tool")))
    assert scan_text("alpha", policy, Chunks()).output == "[REDACTED]"


def test_of_several_parents_the_later_win(tmp_path: Path) -> None:
    other = "policy: other\ninput:\n  roles: [tool]\n  rules:\n    - {id: words, keywords: [delta], action: redact}\n"
    policy = compiled(tmp_path, base=BASE, other=other, p="policy: p\nextends: [base, other]\n")
    assert read_by_model("beta delta", policy) == "beta [REDACTED]"
    assert section(policy).roles == frozenset(("tool",))


def test_the_notice_is_in_the_language_of_the_tenant(tmp_path: Path) -> None:
    files = {
        "policies/base.yaml": BASE.replace("rules:\n  - {id: words, keywords: [alpha]", "notice: {de: Halt.}\nrules:\n"
                                           "  - {id: words, keywords: [alpha]"),
        **{f"tenants/{name}.yaml": f"tenant: {name}\npolicy: base\nlocale: {name}\n" for name in ("de", "en", "zh")},
    }  # fmt: skip
    tenants = load(tmp_path, files).tenants
    notices = {name: section(tenant.policy).notice for name, tenant in tenants.items()}
    assert notices == {
        "de": "Nein.",
        "en": "No. {case_id}",
        "zh": "该输入已按安全策略拦截。编号 {case_id}。",
    }


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (BASE.replace("[beta]", "[beta, betas]"), False),
        (BASE.replace("[user, tool]", "[user]"), False),
        (BASE.replace("  roles", "  turns: all\n  roles"), False),
        (BASE.replace("No.", "Never."), False),
        (BASE[: BASE.index("input:")], False),
        (BASE.replace("[user, tool]", "[tool, user]"), True),
        (BASE.replace("  roles", "  turns: newest\n  roles"), True),
        (BASE.replace("Nein.", "Niemals."), True),
    ],
)
def test_it_is_part_of_the_digest(tmp_path: Path, other: str, same: bool) -> None:
    first, second = compiled(tmp_path / "1", base=BASE), compiled(tmp_path / "2", base=other)
    assert (first.digest == second.digest) is same


def test_a_reload_shares_what_did_not_change(tmp_path: Path) -> None:
    before = load(tmp_path, {"policies/base.yaml": BASE})
    after = load_snapshot(write(tmp_path, {"policies/base.yaml": BASE + "halt: response\n"}), reuse=before.compiled)
    old, new = before.policies["base"], after.policies["base"]
    assert old.digest != new.digest
    assert section(old).policy.rules is section(new).policy.rules


def test_a_classifier_of_its_own(tmp_path: Path) -> None:
    tiny.ours(tmp_path / "model")
    text = """\
policy: p
input:
  classifier: {model: ../model, categories: {harassment: {at: 0.5}}}
"""
    policy = compiled(tmp_path, p=text)
    assert policy.classifier is None
    assert section(policy).policy.classifier is not None
    assert scan_text("What an idiot you are.", policy.of_input(), Chunks()).halted


def test_everything_that_is_wrong_is_told_with_its_place(tmp_path: Path) -> None:
    text = """\
policy: p
input:
  turn: all
  roles: [user, bot]
  notice: {en: "No {case}."}
  rules:
    - {id: a, pattern: 'a*', action: log}
    - {id: c, protect: system_prompt, action: halt}
    - {id: d, action: log}
"""
    assert complaints(tmp_path, {"policies/p.yaml": text}) == [
        "policies/p.yaml:3:3: found the unknown key 'turn', expected 'turns' (did you mean that?)",
        'policies/p.yaml:4:17: found "bot", expected one of assistant, system, tool, user',
        "policies/p.yaml:5:16: found a brace in a notice, expected none but those of {case_id}",
        "policies/p.yaml:7:24: pattern 'a*': found '*', which has no upper bound; expected {m,n} (character 2 of the "
        "pattern)",
        "policies/p.yaml:8:24: found 'system_prompt' in a rule for requests, expected a fingerprint set: the request "
        "holds it",
        "policies/p.yaml:9:12: found the rule 'd' with nothing to find, expected one of entity, keywords, lexicon, "
        "pattern, patterns, near, protect, output, or the id of a rule of a parent: one of a, c",
    ]


def test_rules_are_proved_by_their_examples(tmp_path: Path) -> None:
    assert complaints(tmp_path, {"policies/base.yaml": BASE.replace("hit: [omega]", "hit: [omegas]")}) == [
        "policies/base.yaml:9:68: found nothing in this example, expected the rule 'stop' to hit: \"omegas\""
    ]


def test_what_a_classifier_of_requests_cannot_have(tmp_path: Path) -> None:
    tiny.ours(tmp_path / "model")
    text = """\
policy: p
input:
  classifier:
    model: ../model
    lag_budget: 100
    context: prompt
    categories: {harassment: {at: 0.5}}
"""
    assert complaints(tmp_path, {"policies/p.yaml": text}) == [
        "policies/p.yaml:5:17: found 'lag_budget' in the classifier of 'input', expected it only in that of answers",
        "policies/p.yaml:6:14: found 'context' in the classifier of 'input', expected it only in that of answers",
    ]
