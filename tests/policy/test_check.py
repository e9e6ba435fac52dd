"""`guardrail check`: all problems with places and exit 1, or a summary and exit 0; the schema of the files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from guardrail.cli import app
from guardrail.policy.load import shipped_config
from tests.classify import tiny
from tests.policy.tree import ROOT, write

HASH = hashlib.sha256(b"a key").hexdigest()
GOOD = {
    "guardrail.yaml": ROOT + "anonymous: {policy: acme}\n",
    "policies/acme.yaml": "policy: acme\nrules: [{id: x, keywords: [alpha], action: log}]\n",
    "tenants/t.yaml": f"tenant: t\npolicy: acme\nkeys: ['sha256:{HASH}']\n",
}
BAD = {
    **GOOD,
    "policies/acme.yaml": "policy: acme\nrules:\n  - {id: x, keywords: [alpha], action: log, wiht: y}\n",
    "tenants/t.yaml": "tenant: t\npolicy: acne\n",
}


def check(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["check", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout


def test_a_good_configuration(tmp_path: Path) -> None:
    code, output = check(write(tmp_path, GOOD))
    first, policy, tenant, anonymous = output.splitlines()
    assert code == 0
    assert first == f"{tmp_path}/guardrail.yaml is good"
    assert policy.split()[:2] == ["policy", "acme"]
    assert policy.endswith("1 rule")
    assert tenant == "  tenant t  policy acme  upstream default  1 key"
    assert anonymous == "  without a key  policy acme"


def test_a_bad_configuration(tmp_path: Path) -> None:
    code, output = check(write(tmp_path, BAD) / "guardrail.yaml")
    assert code == 1
    assert output.splitlines() == [
        f"{tmp_path}/policies/acme.yaml:3:45: found the unknown key 'wiht', expected 'with' (did you mean that?)",
        f"{tmp_path}/tenants/t.yaml:2:9: found the unknown policy 'acne', expected 'acme' (did you mean that?)",
        "2 problems",
    ]


@pytest.mark.parametrize(("files", "ok"), [(GOOD, True), (BAD, False)])
def test_json(tmp_path: Path, files: dict[str, str | bytes], ok: bool) -> None:
    code, output = check("--format", "json", write(tmp_path, files))
    report = json.loads(output)
    assert (code, report["ok"]) == (0 if ok else 1, ok)
    if ok:
        assert report["policies"]["acme"]["rules"] == 1
        assert len(report["policies"]["acme"]["digest"]) == 64
        assert report["tenants"] == {"t": {"policy": "acme", "upstream": "default", "locale": "en", "keys": 1}}
        assert report["anonymous"] == "acme"
    else:
        assert [problem["line"] for problem in report["problems"]] == [3, 2]
        assert set(report["problems"][0]) == {"file", "line", "column", "message"}


def test_nothing_to_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert check() == (1, "guardrail.yaml:1:1: found no file here, expected one\n1 problem\n")
    write(tmp_path, GOOD)
    assert check()[0] == 0


def test_hashes_are_not_printed(tmp_path: Path) -> None:
    for form in ("text", "json"):
        assert HASH not in check("--format", form, write(tmp_path, GOOD))[1]


def test_the_shipped_configuration_is_good() -> None:
    assert check(shipped_config())[0] == 0


def test_the_schema_covers_the_three_kinds_of_file() -> None:
    code, output = check("--schema")
    schema = json.loads(output)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert code == 0
    assert {"Settings", "PolicyFile", "TenantFile"} <= schema["$defs"].keys()


def test_a_file_whose_name_is_not_text(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    (tmp_path / "policies/bad\udcff.yaml").write_text("policy: [", encoding="utf-8")
    code, output = check(tmp_path)
    assert code == 1
    assert "policies/bad\\udcff.yaml:" in output


def test_one_policy(tmp_path: Path) -> None:
    write(tmp_path, {**BAD, "policies/good.yaml": "policy: good\nextends: default\n"})
    path = tmp_path / "policies/good.yaml"
    code, output = check(path)
    assert (code, output.splitlines()[0]) == (0, f"{path} is good")
    assert output.splitlines()[1].startswith("  policy good  ")
    code, output = check("--format", "json", path)
    assert json.loads(output)["policies"].keys() == {"good"}
    code, output = check(tmp_path / "policies/acme.yaml")
    assert (code, output.count("unknown key 'wiht'")) == (1, 1)


def test_one_policy_by_its_bare_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write(tmp_path, GOOD) / "policies")
    assert check("acme.yaml")[1].splitlines()[0] == "acme.yaml is good"


def test_one_tenant(tmp_path: Path) -> None:
    write(tmp_path, {**GOOD, "tenants/u.yaml": "tenant: u\npolicy: acne\n", "tenants/v.yaml": "tenant: v\nkey: x\n"})
    path = tmp_path / "tenants/t.yaml"
    assert check(path) == (0, f"{path} is good\n  tenant t  policy acme  upstream default  1 key\n")
    assert json.loads(check("--format", "json", path)[1])["tenants"]["t"]["keys"] == 1
    problems = [check(tmp_path / name)[1].splitlines()[0] for name in ("tenants/u.yaml", "tenants/v.yaml")]
    assert [line.removeprefix(f"{tmp_path}/tenants/") for line in problems] == [
        "u.yaml:2:9: found the unknown policy 'acne', expected 'acme' (did you mean that?)",
        "v.yaml:2:1: found the unknown key 'key', expected 'keys' (did you mean that?)",
    ]


def test_one_preset(tmp_path: Path) -> None:
    path = shipped_config() / "presets" / "eu-ai-act.yaml"
    assert check(path) == (0, f"{path} is good\n  preset eu-ai-act  17 duties  16 served here\n")
    wrong = tmp_path / "p.yaml"
    wrong.write_text(path.read_text(encoding="utf-8").replace("id: logs", "id: misuse"), encoding="utf-8")
    code, output = check(wrong)
    assert code == 1
    assert "found the duty 'misuse' again, expected each id once" in output


def test_a_configuration_tells_its_presets(tmp_path: Path) -> None:
    files = {**GOOD, "guardrail.yaml": GOOD["guardrail.yaml"] + "presets: [us-companion-chatbot]\n"}
    code, output = check(write(tmp_path, files))
    assert code == 0
    assert "  preset us-companion-chatbot  12 duties  as of 2026-07-01\n" in output


def test_one_lexicon(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text("term,severity,action,options,language\na,,,,\nb,,,,\nc,high,replace,noise edges=never,en\n")
    assert check(path) == (0, f"{path} is good\n  2 terms\n  1 term  high replace edges=never noise en\n")
    assert json.loads(check("--format", "json", path)[1])["terms"][""] == 2
    path.write_text("term,severity\na,hihg\n\u200b,\n", encoding="utf-8")
    assert check(path)[1].splitlines()[:-1] == [f"{path}:2:3: found 'hihg', expected 'high' (did you mean that?)"]
    path.write_text("term\na\n\u200b\n", encoding="utf-8")
    code, output = check(path)
    assert (code, output.splitlines()[0].startswith(f"{path}:3:1: ")) == (1, True)


def test_no_such_file(tmp_path: Path) -> None:
    for name in ("none.yaml", "none.csv"):
        assert check(tmp_path / name) == (1, f"{tmp_path}/{name}:1:1: found no file here, expected one\n1 problem\n")


def test_a_policy_with_a_classifier(tmp_path: Path) -> None:
    tiny.ours(tmp_path / "policies" / "mine")
    scored = "policy: acme\nclassifier: {model: mine, categories: {harassment: {}}}\n"
    code, output = check(write(tmp_path, {**GOOD, "policies/acme.yaml": scored}))
    assert code == 0
    line = output.splitlines()[1].split()
    assert line[3:6] == ["0", "rules", "classifier"]
    assert line[6].startswith("tiny@")
    code, output = check("--format", "json", tmp_path)
    assert json.loads(output)["policies"]["acme"]["classifier"].startswith("tiny@")


def test_a_policy_that_looks_at_prompts(tmp_path: Path) -> None:
    tiny.ours(tmp_path / "policies" / "mine")
    asking = """policy: acme
input:
  rules: [{id: a, keywords: [x], action: halt}]
  classifier: {model: mine, categories: {harassment: {}}}
"""
    code, output = check(write(tmp_path, {**GOOD, "policies/acme.yaml": asking}))
    assert code == 0
    assert "0 rules  input 1 rule and classifier tiny@" in output
    code, output = check("--format", "json", tmp_path)
    assert json.loads(output)["policies"]["acme"]["input"]["rules"] == 1


def test_a_section_for_requests_that_looks_for_nothing_is_told_of(tmp_path: Path) -> None:
    folder = write(tmp_path, {**GOOD, "policies/acme.yaml": "policy: acme\ninput: {roles: [tool]}\n"})
    code, output = check(folder)
    assert (code, output.splitlines()[1].endswith("0 rules  input looks for nothing")) == (0, True)
    assert json.loads(check("--format", "json", folder)[1])["policies"]["acme"]["input"] == {"rules": 0}
