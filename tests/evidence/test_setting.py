"""A trial keeps what the operator wrote about duties, and nothing of their addresses, keys and state."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from guardrail.errors import ConfigError
from guardrail.evidence.setting import POLICY, TENANT, prepare
from guardrail.policy.registry import load_snapshot

CONFIG = """\
version: 1
listen: {host: 0.0.0.0, port: 443}
upstreams: {default: {url: 'https://model.internal', api_key_env: MODEL_KEY}, other: {url: 'https://other.internal'}}
gateway: {secret_env: GATEWAY}
anonymous: {policy: default}
presets: [house.yaml, eu-ai-act]
audit: {folder: /var/log/guardrail, retention_days: 900}
state: {folder: /var/lib/guardrail, on_failure: {limits: closed}}
terms: {removal: {webhook: 'https://app.internal/hook', secret_env: APP_SECRET}}
"""
HOUSE = """\
preset: house
title: House rules
as_of: 2026-01-01
notice: No legal advice.
sources: []
not_covered: []
duties: [{id: d, articles: [Rule 1], asks: Something., operator: The rest.}]
"""
ACME = (
    "tenant: acme\npolicy: family\nlocale: zh\nterms: {complaints: {due_days: 9}}\nkeys: ['sha256:" + "a" * 64 + "']\n"
)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    (folder / "tenants").mkdir(parents=True)
    (folder / "guardrail.yaml").write_text(CONFIG)
    (folder / "house.yaml").write_text(HOUSE)
    (folder / "tenants" / "acme.yaml").write_text(ACME)
    return folder


def test_what_is_kept_and_what_is_not(config: Path, tmp_path: Path) -> None:
    made = prepare(
        config, "eu-ai-act", tenant="acme", folder=tmp_path / "t", upstream="http://m:1", hook="http://h:1/x"
    )
    snapshot = load_snapshot(made.path, environ=dict(made.environ))
    tenant = snapshot.tenants[TENANT]
    assert (tenant.policy.name, tenant.locale) == ("family", "zh")
    assert tenant.terms.complaints.due_days == 9  # type: ignore[union-attr]
    assert tenant.terms.removal.webhook == "http://h:1/x"  # type: ignore[union-attr]
    assert list(snapshot.presets) == ["house", "eu-ai-act"]
    assert snapshot.settings.audit.retention_days == 900
    assert snapshot.settings.state.on_failure.limits == "closed"
    assert {each.url for each in snapshot.settings.upstreams.values()} == {"http://m:1"}
    assert snapshot.by_key(made.key) is tenant
    written = "".join(path.read_text() for path in (tmp_path / "t").rglob("*.yaml"))
    for own in ("internal", "MODEL_KEY", "GATEWAY", "APP_SECRET", "/var/", "aaaaaaaa", "0.0.0.0"):
        assert own not in written


def test_without_a_tenant_it_is_about_clients_without_a_key(config: Path, tmp_path: Path) -> None:
    made = prepare(config, "eu-ai-act", tenant=None, folder=tmp_path / "t", upstream="http://m:1", hook="http://h:1/x")
    assert load_snapshot(made.path, environ={}).tenants[TENANT].policy.name == "default"


def test_without_a_configuration_the_shipped_one_has_the_preset(tmp_path: Path) -> None:
    made = prepare(None, "eu-ai-act", tenant=None, folder=tmp_path / "t", upstream="http://m:1", hook="http://h:1/x")
    snapshot = load_snapshot(made.path, environ=dict(made.environ))
    assert list(snapshot.presets) == ["eu-ai-act"]
    assert snapshot.tenants[TENANT].policy.name == POLICY
    assert snapshot.settings.service is not None


@pytest.mark.parametrize(("tenant", "says"), [("nobody", "no tenant 'nobody'"), (None, "nobody is served")])
def test_whom_there_is_nobody_to_be(tenant: str | None, says: str, tmp_path: Path) -> None:
    data = {"version": 1, "upstreams": {"default": {"url": "http://127.0.0.1:1"}}}
    (tmp_path / "guardrail.yaml").write_text(yaml.safe_dump(data))
    with pytest.raises(ConfigError, match=says):
        prepare(tmp_path, "eu-ai-act", tenant=tenant, folder=tmp_path / "t", upstream="http://m:1", hook="http://h:1/x")
