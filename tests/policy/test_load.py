"""Files of a configuration and the names they use of each other, all problems at once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from guardrail.errors import ConfigError
from guardrail.policy.compile import load_policy
from guardrail.policy.load import ROOT_NAME, load_configuration, root_file, shipped_config
from guardrail.policy.registry import load_snapshot
from tests.policy.tree import ROOT, complaints, load, write

HASH = "sha256:" + hashlib.sha256(b"a key").hexdigest()


def test_the_shipped_configuration_is_good() -> None:
    assert load_configuration(None).problems == []
    assert load_snapshot(None, environ={}, thorough=True).policies.keys() == {
        *("classifier-default", "default", "demo", "entities-all", "family", "input-default", "lexicons"),
        *("public-service", "public-service-minors"),
    }


def test_a_folder_or_its_file(tmp_path: Path) -> None:
    assert root_file(None) == shipped_config() / ROOT_NAME
    assert root_file(tmp_path) == tmp_path / ROOT_NAME
    assert root_file(tmp_path / "other.yaml") == tmp_path / "other.yaml"


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="found no file here, expected one"):
        load_snapshot(tmp_path)


def test_problems_of_all_files_in_one_run(tmp_path: Path) -> None:
    files = {
        "guardrail.yaml": ROOT + "limts: {}\n",
        "policies/a.yaml": "policy: a\nrules: [{id: x, keywords: [x], acton: log}]\n",
        "policies/b.yml": "policy: [b\n",
        "policies/c.yaml": "policy: c\nrules:\n  - {entity: emial, action: redact}\n",
        "policies/notes.txt": "not a policy: [",
        "policies/.hidden.yaml": "not a policy: [",
        "tenants/t.yaml": "tenant: t\npolicy: a\nupstream: nowhere\n",
        "tenants/u.yaml": "tenant: u\npolicy: cc\n",
    }
    found = complaints(tmp_path, files)
    assert [line.split(": ")[0] for line in found] == [
        "guardrail.yaml:4:1",
        "policies/a.yaml:2:32",
        "policies/b.yml:2:1",
        "policies/c.yaml:3:14",
        "tenants/t.yaml:3:11",
        "tenants/u.yaml:2:9",
    ]
    assert found[4].endswith("found the unknown upstream 'nowhere', expected default")


def test_names_that_are_given_twice(tmp_path: Path) -> None:
    files = {
        "policies/a.yaml": "policy: default\n",
        "policies/b.yaml": "policy: default\n",
        "tenants/a.yaml": f"tenant: t\nkeys: [{HASH}]\n",
        "tenants/b.yaml": "tenant: t\n",
        "tenants/c.yaml": f"tenant: u\nkeys: [{HASH.upper().replace('SHA256', 'sha256')}]\n",
        "tenants/d.yaml": "tenant: anonymous\n",
    }
    assert complaints(tmp_path, files) == [
        f"policies/b.yaml:1:9: found the policy 'default' again, expected each name once "
        f"(first in {tmp_path}/policies/a.yaml)",
        f"tenants/b.yaml:1:9: found the tenant 't' again, expected each name once (first in {tmp_path}/tenants/a.yaml)",
        "tenants/c.yaml:2:8: found a key that the tenant 't' has already, expected each key once",
        "tenants/d.yaml:1:9: found the name 'anonymous', expected another: it stands for clients without a key",
    ]


def test_anonymous_access_to_what_is_not_there(tmp_path: Path) -> None:
    files = {"guardrail.yaml": ROOT + "anonymous: {policy: defualt}\n", "policies/a.yaml": "policy: default\n"}
    assert complaints(tmp_path, files) == [
        "guardrail.yaml:4:21: found the unknown policy 'defualt', expected 'default' (did you mean that?)"
    ]


class TestShippedPolicies:
    CHILD = "policy: mine\nextends: default\nrules: [{id: x, keywords: [alpha], action: log}]\n"

    def test_they_are_parents_and_names_in_every_folder(self, tmp_path: Path) -> None:
        files = {
            "guardrail.yaml": ROOT + "anonymous: {policy: entities-all}\n",
            "policies/mine.yaml": self.CHILD,
            "tenants/t.yaml": "tenant: t\npolicy: demo\n",
        }
        snapshot = load(tmp_path, files)
        shipped = load_snapshot(None, environ={})
        assert snapshot.policies.keys() == {"mine", "default", "demo", "entities-all", "lexicons"}
        for name in ("default", "demo", "entities-all"):
            assert snapshot.policies[name].digest == shipped.policies[name].digest
        assert shipped_config() / "policies" in snapshot.folders

    def test_only_those_that_are_named_are_there(self, tmp_path: Path) -> None:
        assert load(tmp_path, {"policies/p.yaml": "policy: p\n"}).policies.keys() == {"p"}

    def test_a_file_of_the_same_name_wins(self, tmp_path: Path) -> None:
        own = "policy: default\nrules: [{id: own, keywords: [beta], action: log}]\n"
        snapshot = load(tmp_path, {"policies/mine.yaml": self.CHILD, "policies/d.yaml": own})
        assert snapshot.policies.keys() == {"mine", "default"}
        alone = load_policy("demo", write(tmp_path, {}), environ={})
        assert alone.digest != load_policy("demo", environ={}).digest

    def test_not_even_a_broken_one_is_passed_over(self, tmp_path: Path) -> None:
        found = complaints(tmp_path, {"policies/mine.yaml": self.CHILD, "policies/default.yaml": "policy: [default\n"})
        assert [line.partition(":")[0] for line in found] == ["policies/default.yaml"]


class TestOneWrongValue:
    def test_does_not_hide_what_else_is_wrong(self, tmp_path: Path) -> None:
        files = {
            "guardrail.yaml": ROOT + "limits: {streams: many}\nanonymous: {policy: nope, upstream: nowhere}\n",
            "policies/p.yaml": """\
                policy: p
                halt: never
                rules:
                  - {id: a, keywords: [1], action: log}
                  - {id: b, pattern: "x+", action: log}
                  - {id: c, keywords: [c]}
                """,
            "policies/q.yaml": """\
                policy: q
                extends: [p, 3, pp]
                rules:
                  - {id: a, action: halt}
                  - {id: d, pattern: "y*", action: log}
                """,
            "tenants/t.yaml": "tenant: t\npolicy: p\nlocale: English\nupstream: nowhere\n",
            "tenants/u.yaml": "tenant: u\npolicy: 3\nupstream: [x]\n",
        }
        assert [line.split(": ")[0] for line in complaints(tmp_path, files)] == [
            *("guardrail.yaml:4:19", "guardrail.yaml:5:21", "guardrail.yaml:5:37"),
            *("policies/p.yaml:2:7", "policies/p.yaml:4:24", "policies/p.yaml:5:22", "policies/p.yaml:6:5"),
            *("policies/q.yaml:2:14", "policies/q.yaml:2:17", "policies/q.yaml:5:22"),
            *("tenants/t.yaml:3:9", "tenants/t.yaml:4:11", "tenants/u.yaml:2:9", "tenants/u.yaml:3:11"),
        ]

    @pytest.mark.parametrize("text", ["policy: acme\nrules: {", "policy: acme\n\trules: []", "rules: 3\n", "", "\xff"])
    def test_nor_makes_a_policy_unknown(self, tmp_path: Path, text: str) -> None:
        files: dict[str, str | bytes] = {"tenants/t.yaml": "tenant: t\npolicy: acme\n"}
        found = complaints(tmp_path, {**files, "policies/acme.yaml": text.encode("latin-1")})
        assert {line.partition(":")[0] for line in found} == {"policies/acme.yaml"}

    def test_a_name_in_a_file_that_is_not_yaml(self, tmp_path: Path) -> None:
        files = {"policies/x.yaml": "policy: acme\nrules: {", "tenants/t.yaml": "tenant: t\npolicy: acme\n"}
        assert [line.partition(":")[0] for line in complaints(tmp_path, files)] == ["policies/x.yaml"]


def test_folders(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    assert load(tmp_path / "one", {}).tenants == {}
    missing = complaints(tmp_path / "one", {"guardrail.yaml": ROOT + "tenants: people\n"})
    assert missing == ["people:1:1: this folder cannot be read: No such file or directory"]
    (tmp_path / "one/policies/x.yaml").mkdir()
    assert complaints(tmp_path / "one", {}) == ["policies/x.yaml:1:1: found a folder, expected a file"]


def test_certificates_become_absolute_paths_and_must_be_files(tmp_path: Path) -> None:
    root = """\
        version: 1
        listen: {tls: {cert: tls/cert.pem, key: tls/key.pem}}
        upstreams: {default: {url: "https://h", tls: {ca: tls/ca.pem}}}
        """
    assert complaints(tmp_path, {"guardrail.yaml": root, "tls/cert.pem": "x"}) == [
        "guardrail.yaml:2:41: found no file 'tls/key.pem' here, expected a PEM file",
        "guardrail.yaml:3:51: found no file 'tls/ca.pem' here, expected a PEM file",
    ]
    settings = load(tmp_path, {"guardrail.yaml": root, "tls/key.pem": "x", "tls/ca.pem": "x"}).settings
    assert settings.listen.tls is not None
    assert settings.listen.tls.key == str(tmp_path / "tls/key.pem")
    assert settings.upstreams["default"].tls.ca == str(tmp_path / "tls/ca.pem")


def test_an_upstream_from_the_command_line(tmp_path: Path) -> None:
    write(tmp_path, {"guardrail.yaml": 'version: 1\nupstreams: {default: {url: "http://a", retries: 3}}\n'})
    upstream = load_snapshot(tmp_path, upstream="http://b:1/v1").settings.upstreams["default"]
    assert (upstream.url, upstream.retries) == ("http://b:1/v1", 3)
    assert load_snapshot(None, upstream="http://b").settings.upstreams["default"].url == "http://b"
    with pytest.raises(ConfigError, match=r"^--upstream: found 'b:1', expected an address"):
        load_snapshot(tmp_path, upstream="b:1")


def test_every_fault_of_a_file_is_told_beside_the_others(tmp_path: Path) -> None:
    text = """\
        policy: p
        surplus: 3
        rules:
          - {id: one, keywords: [alpha], action: redact, examples: {hit: [beta]}}
          - {id: two, keywords: [beta], action: rdact}
          - {id: two, keywords: [gamma], action: redact}
          - {entity: credit_crd, action: redact}
        classifier: {model: guard-small, categories: {}}
        input:
          roles: [user, user]
          rules:
            - {id: own, keywords: [alpha], action: redact, examples: {miss: [alpha]}}
            - {id: own, keywords: [gamma], action: redact}
            - {id: bad, pattern: "(a", action: redact}
        """
    found = complaints(tmp_path, {"policies/p.yaml": text})
    assert [line.removeprefix("policies/p.yaml:").split(",")[0] for line in found] == [
        "2:1: found the unknown key 'surplus'",
        "4:67: found nothing in this example",
        '5:41: found "rdact"',
        "6:10: found the rule 'two' again",
        "7:14: found the unknown entity 'credit_crd'",
        "8:13: found a classifier without 'categories'",
        "10:17: found 'user' again",
        '12:70: found "alpha" in this example',
        "13:12: found the rule 'own' again",
        "14:26: pattern '(a': found the end of the pattern inside a group (character 3 of the pattern)",
    ]


def test_of_levels_that_may_be_among_what_is_wrong_nothing_is_said(tmp_path: Path) -> None:
    text = "policy: p\nclassifier: {model: guard-small, categories: {hate: {att: 0.5}}}\n"
    assert [line.partition(": ")[2][:27] for line in complaints(tmp_path, {"policies/p.yaml": text})] == [
        "found the unknown key 'att'"
    ]
