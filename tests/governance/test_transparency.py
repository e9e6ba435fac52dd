"""What the service says of itself: complete, under its schema, and without anything that is nobody's business."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema

from guardrail.governance.transparency import describe, schema
from guardrail.policy.registry import Snapshot, load_snapshot

DOCS = Path(__file__).parents[2] / "docs" / "presets.md"
CONFIG = """\
version: 1
upstreams: {default: {url: 'http://model.internal:8000', api_key_env: MODEL_KEY}}
presets: [eu-ai-act]
service:
  name: {en: Aria, zh: 阿丽雅}
  provider: Example Ltd
  purpose: Company.
  limitations: [It invents facts.]
  complaints: mailto:help@example.com
"""
TENANT = "tenant: secret-customer\npolicy: secret-customer\nkeys: ['sha256:" + "a" * 64 + "']\n"
POLICY = """\
policy: secret-customer
extends: [default, input-default]
rules:
  - {id: own.word, keywords: [xyzzy], action: log}
"""


def snapshot(tmp_path: Path) -> Snapshot:
    for folder, text in (("tenants", TENANT), ("policies", POLICY)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "one.yaml").write_text(text)
    (tmp_path / "guardrail.yaml").write_text(CONFIG)
    return load_snapshot(tmp_path, environ={})


def test_it_says_what_the_operator_says_and_what_is_in_force(tmp_path: Path) -> None:
    loaded = snapshot(tmp_path)
    said = describe(loaded, complaints="/v1/guardrail/complaints")
    assert said["service"]["name"] == {"en": "Aria", "zh": "阿丽雅"}
    assert said["complaints"] == {"endpoint": "/v1/guardrail/complaints", "address": "mailto:help@example.com"}
    (policy,) = said["policies"]
    assert policy["digest"] == loaded.tenants["secret-customer"].policy.digest
    assert policy["output"]["categories"]["self_harm"] == ["halt", "log"]
    assert policy["input"]["categories"]
    assert [preset["preset"] for preset in said["presets"]] == ["eu-ai-act"]


def test_nothing_that_is_nobodys_business(tmp_path: Path) -> None:
    said = json.dumps(describe(snapshot(tmp_path)))
    for secret in ("secret-customer", "model.internal", "MODEL_KEY", "aaaaaaaa", "own.word", "xyzzy", "lexicon."):
        assert secret not in said.replace("rule lexicon.", "")


def test_it_is_valid_under_its_schema(tmp_path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    for loaded in (snapshot(tmp_path), load_snapshot(None, environ={})):
        jsonschema.Draft202012Validator(schema()).validate(json.loads(json.dumps(describe(loaded))))


def test_the_published_schema_is_this_one() -> None:
    published = DOCS.parent / "schemas" / "ai-service.json"
    assert json.loads(published.read_text(encoding="utf-8")) == json.loads(json.dumps(schema()))


def test_without_a_section_nothing_is_invented() -> None:
    said = describe(load_snapshot(None, environ={}))
    assert "service" not in said
    assert said["complaints"] == {}
    assert said["presets"] == []


def test_every_key_is_documented() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for name, definition in schema()["$defs"].items():
        for key, field in definition["properties"].items():
            assert f"`{key}`" in text, f"{name}.{key}"
            assert field["description"].endswith(".")
