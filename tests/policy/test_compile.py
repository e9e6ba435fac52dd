"""Compiled policies: what they do, the digest that names it, and what they share."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardrail.errors import ConfigError
from guardrail.policy.compile import NOTICES, REFUSALS, load_policy
from guardrail.policy.load import shipped_config
from guardrail.policy.policy import Policy
from guardrail.scan import Chunks, scan_text
from tests.policy.tree import ROOT, complaints, load, write


def compiled(folder: Path, policy: str, environ: dict[str, str] | None = None, **files: str) -> Policy:
    return load(folder, {"policies/p.yaml": policy, **files}, environ).policies["p"]


def output(text: str, policy: Policy) -> str:
    return scan_text(text, policy, Chunks()).output


RULES = """\
policy: p
locale: en
rules:
  - {id: a, keywords: [alpha, beta], action: redact, severity: low, allow: [alphabet, beta test]}
  - {id: b, pattern: 'T-[0-9]{4}', action: log}
"""


@pytest.mark.parametrize(
    "same",
    [
        "# a comment\n" + RULES,
        RULES.replace("[alpha, beta]", '["beta", "alpha", "beta"]').replace(
            "[alphabet, beta test]", "[beta test, alphabet]"
        ),
        "rules:\n  - {action: log, id: b, pattern: 'T-[0-9]{4}', category: custom}\n"
        "  - {severity: low, id: a, keywords: [alpha], lexicon: beta.txt, action: redact,\n"
        "     allow: [beta test, alphabet],\n"
        "     mask: {style: label, text: '[REDACTED]'}, edges: auto, case: false}\npolicy: p\nhalt: choice\n",
        RULES + "  - {id: c, keywords: [gamma], action: allow}\n",
        RULES.replace("severity: low", "severity: low, examples: {hit: [alpha]}"),
        RULES.replace("policy: p", "policy: p\nextends: q").replace("locale: en\n", "notice: true\n"),
    ],
)  # fmt: skip
def test_the_same_outcome_has_the_same_digest(tmp_path: Path, same: str) -> None:
    files = {"policies/beta.txt": "# terms\nbeta\n", "policies/q.yaml": "policy: q\nlocale: en\n"}
    assert compiled(tmp_path / "1", RULES, **files).digest == compiled(tmp_path / "2", same, **files).digest


@pytest.mark.parametrize(
    "other",
    [
        RULES.replace("beta]", "betas]"),
        RULES.replace("alphabet", "alphabets"),
        RULES.replace("severity: low", "severity: high"),
        RULES.replace("severity: low", "severity: low, category: c"),
        RULES.replace("severity: low", "severity: low, case: true"),
        RULES.replace("severity: low", "severity: low, edges: never"),
        RULES.replace("severity: low", "severity: low, mask: {style: char}"),
        RULES.replace("severity: low", "severity: low, mask: {style: keep_last}"),
        RULES.replace("severity: low", "severity: low, mask: {style: keep_last, keep: 3}"),
        RULES.replace("severity: low", "severity: low, mask: {style: hash, key_env: KEY}"),
        RULES.replace("severity: low", "severity: low, mask: {style: hash, key_env: OTHER}"),
        RULES.replace("id: b", "id: c"),
        RULES.replace("{4}", "{5}"),
        RULES.replace("action: log", "action: halt"),
        RULES.replace("action: log", "action: log, edge: digit"),
        RULES.replace("locale: en", "locale: zh"),
        RULES + "halt: response\n",
        RULES + "unknown_text: pass\n",
        RULES + "store_text: true\n",
        RULES + "notice: false\n",
        RULES + "notice: {en: Stop.}\n",
        RULES + "  - {entity: email_address, action: log}\n",
    ],
)
def test_another_outcome_has_another_digest(tmp_path: Path, other: str) -> None:
    environ = {"KEY": "k" * 16, "OTHER": "o" * 16}
    digests = {compiled(tmp_path / str(n), text, environ).digest for n, text in enumerate((RULES, other))}
    assert len(digests) == 2


def test_two_keys_of_one_hash_mask_differ_by_their_values_not_their_names(tmp_path: Path) -> None:
    def digest(folder: str, name: str, value: str) -> str:
        rules = RULES.replace("severity: low", f"mask: {{style: hash, key_env: {name}}}")
        return compiled(tmp_path / folder, rules, {name: value}).digest

    assert digest("1", "A", "k" * 16) == digest("2", "B", "k" * 16) != digest("3", "A", "l" * 16)


def test_policies_with_the_same_rules_share_them(tmp_path: Path) -> None:
    files = {
        "policies/a.yaml": RULES,
        "policies/b.yaml": "policy: b\nextends: p\nlocale: zh\n",
        "tenants/t.yaml": "tenant: t\npolicy: p\nlocale: zh\n",
        "tenants/u.yaml": "tenant: u\npolicy: p\n",
    }
    snapshot = load(tmp_path, files)
    assert snapshot.policies["b"].rules is snapshot.policies["p"].rules is snapshot.tenants["t"].policy.rules
    assert snapshot.tenants["u"].policy is snapshot.policies["p"]
    assert snapshot.tenants["t"].policy.digest == snapshot.policies["b"].digest != snapshot.policies["p"].digest


def test_notices_in_the_language_of_the_tenant(tmp_path: Path) -> None:
    files = {
        "policies/p.yaml": "policy: p\n",
        "policies/own.yaml": "policy: own\nlocale: fr\nnotice: {fr: 'Fin {case_id}', zh: 停}\n",
        "policies/quiet.yaml": "policy: quiet\nextends: own\nnotice: false\nlocale: en\n",
        "tenants/a.yaml": "tenant: a\npolicy: p\nlocale: zh-CN\n",
        "tenants/b.yaml": "tenant: b\npolicy: own\n",
        "tenants/c.yaml": "tenant: c\npolicy: own\nlocale: zh\n",
        "tenants/d.yaml": "tenant: d\npolicy: own\nlocale: en\n",
        "tenants/e.yaml": "tenant: e\npolicy: quiet\nlocale: zh\n",
    }
    found = {
        name: (tenant.locale, tenant.policy.notice, tenant.policy.refusal)
        for name, tenant in load(tmp_path, files).tenants.items()
    }
    assert found == {
        "a": ("zh", NOTICES["zh"], REFUSALS["zh"]),
        "b": ("fr", "Fin {case_id}", REFUSALS["en"]),
        "c": ("zh", "停", REFUSALS["zh"]),
        "d": ("en", NOTICES["en"], REFUSALS["en"]),
        "e": ("zh", "", REFUSALS["zh"]),
    }


def test_languages_and_placeholders_that_are_not_there(tmp_path: Path) -> None:
    files = {
        "policies/a.yaml": "policy: a\nlocale: fr\n",
        "policies/b.yaml": "policy: b\nnotice:\n  en: 'Case {case}'\n  zh: '{case_id} }'\n",
        "policies/c.yaml": "policy: c\n",
        "tenants/t.yaml": "tenant: t\npolicy: c\nlocale: de\n",
    }
    assert complaints(tmp_path, files) == [
        "policies/a.yaml:2:9: found the locale 'fr', expected one of en, zh, or a notice in that language",
        "policies/b.yaml:3:7: found a brace in a notice, expected none but those of {case_id}",
        "policies/b.yaml:4:7: found a brace in a notice, expected none but those of {case_id}",
        "tenants/t.yaml:3:9: found the locale 'de', expected one of en, zh: the notices of 'c'",
    ]


def test_a_rule_is_switched_off_by_a_child(tmp_path: Path) -> None:
    files = {
        "policies/p.yaml": RULES,
        "policies/c.yaml": "policy: c\nextends: p\nrules:\n  - {id: a, action: allow}\n",
    }
    policies = load(tmp_path, files).policies
    assert output("alpha T-1234", policies["p"]) == "[REDACTED] T-1234"
    assert scan_text("alpha T-1234", policies["c"], Chunks()).findings[0]["rule"] == "b"
    assert len(scan_text("alpha T-1234", policies["c"], Chunks()).findings) == 1


class TestLoadPolicy:
    def test_by_name(self, tmp_path: Path) -> None:
        write(tmp_path, {"policies/p.yaml": RULES})
        assert load_policy("p", tmp_path).name == "p"
        assert load_policy("p", str(tmp_path / "guardrail.yaml")).digest == load_policy("p", tmp_path).digest
        assert load_policy("default").name == "default"

    def test_an_unknown_name(self, tmp_path: Path) -> None:
        write(tmp_path, {"policies/p.yaml": RULES})
        known = "classifier-default, default, demo, entities-all, family, input-default, lexicons, p"
        with pytest.raises(ConfigError, match=f"found the unknown policy 'q', expected one of {known}"):
            load_policy("q", tmp_path)

    def test_by_path_with_parents_beside_it_and_in_the_configuration(self, tmp_path: Path) -> None:
        write(tmp_path, {
            "a/mine.yaml": "policy: mine\nextends: [beside, default]\n",
            "a/beside.yaml": "policy: beside\nrules: [{id: x, keywords: [alpha], action: redact}]\n",
            "a/broken.yaml": "policy: [",
        })  # fmt: skip
        policy = load_policy(tmp_path / "a/mine.yaml")
        assert (policy.name, output("alpha bob@example.org", policy)) == ("mine", "[REDACTED] [EMAIL]")

    def test_by_path_of_a_shipped_file(self) -> None:
        assert load_policy(shipped_config() / "policies/demo.yaml").digest == load_policy("demo").digest

    def test_a_broken_neighbour_that_is_needed(self, tmp_path: Path) -> None:
        write(tmp_path, {
            "a/mine.yaml": "policy: mine\nextends: middle\n",
            "a/middle.yaml": "policy: middle\nextends: broken\n",
            "a/broken.yaml": "policy: broken\nhalt: never\n",
        })  # fmt: skip
        with pytest.raises(ConfigError, match=r"broken\.yaml:2:7"):
            load_policy(tmp_path / "a/mine.yaml")

    @pytest.mark.parametrize("text", ["policy: [", "policy: p\nrules: [{id: x, keywords: [x]}]\n"])
    def test_a_broken_file(self, tmp_path: Path, text: str) -> None:
        write(tmp_path, {"p.yaml": text})
        with pytest.raises(ConfigError, match=r"p\.yaml:"):
            load_policy(tmp_path / "p.yaml")

    def test_no_such_file(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="found no file here"):
            load_policy(tmp_path / "none.yaml")


def test_what_says_the_same_in_other_words_shares_rules(tmp_path: Path) -> None:
    files = {"policies/p.yaml": RULES, "policies/q.yaml": "policy: q\nextends: p\nnotice: {en: Stop.}\n"}
    before = load(tmp_path, files).policies
    assert before["p"].rules is before["q"].rules
    assert before["p"].digest != before["q"].digest


def test_long_lists_are_kept_where_the_configuration_says(tmp_path: Path) -> None:
    words = "".join(f"term number {n}\n" for n in range(6000))
    files = {"policies/p.yaml": "policy: p\nrules: [{id: x, lexicon: ../l.txt, action: log}]\n", "l.txt": words}
    path = write(tmp_path, {**files, "guardrail.yaml": ROOT + "cache: kept\n"})
    policy = load_policy("p", path, environ={})
    assert len(list((tmp_path / "kept").iterdir())) == 1
    assert load_policy("p", path, environ={}).digest == policy.digest
    write(tmp_path, {"guardrail.yaml": ROOT + "cache: false\n"})
    assert load_policy("p", path, environ={}).digest == policy.digest
