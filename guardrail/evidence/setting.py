"""A configuration for trying duties: the operator's own, with all around it replaced for the trial.

Kept: policies, terms, presets, what the service says of itself, limits, and what happens without the state. Replaced:
listeners (free ports of this machine), upstreams (a simulated model server), keys and secrets (random ones), the state
and the audit log (a folder that is removed), the address for removals. What is replaced is told in `changes`.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from msgspec import UNSET

from guardrail.errors import ConfigError, ConfigProblem
from guardrail.policy.load import Configuration, load_configuration, root_file, shipped_config

TENANT: Final = "evidence"
ADMIN_TOKEN: Final = "GUARDRAIL_EVIDENCE_TOKEN"  # noqa: S105 (the name of a variable)
HOOK_SECRET: Final = "GUARDRAIL_EVIDENCE_HOOK"  # noqa: S105
CLAIMS_SECRET: Final = "GUARDRAIL_EVIDENCE_CLAIMS"  # noqa: S105
POLICY: Final = "public-service"
"""The policy under which a preset is tried when there is no configuration: one that is shipped."""

EXAMPLE: Final = {
    "name": "An example service",
    "provider": "An example provider",
    "purpose": "To try the duties of a preset.",
    "audience": "Adults. It may not be suitable for some minors.",
    "limitations": ["It is an AI, and makes mistakes."],
    "complaints": "https://example.com/complaints",
    "crisis_protocol": "https://example.com/crisis-protocol",
}
"""What a service says of itself, where there is no configuration."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A configuration on disk, and what is needed to ask a proxy that runs it."""

    path: Path
    environ: Mapping[str, str]
    key: str
    """Of the one tenant."""
    token: str
    """Of the admin listener."""
    claims_secret: str
    hook_secret: str
    changes: tuple[str, ...]
    """What differs from the operator's configuration, as sentences."""


def prepare(config: Path | None, preset: str, *, tenant: str | None, folder: Path, upstream: str, hook: str) -> Setting:
    """Write the configuration for a trial into `folder`.

    `config`: the operator's; None: the shipped one with the preset, under the policy `public-service`. `tenant`: whose
    policy and terms; None: those of clients without a key, else of the first tenant. Raises ConfigError.
    """
    loaded = load_configuration(config)
    if loaded.problems or loaded.settings is None:
        raise ConfigError(sorted(loaded.problems))
    root = root_file(config)
    data: dict[str, Any] = dict(loaded.settings.document.data)
    whose = _tenant(loaded.tenants, data, tenant, root)
    if config is None:
        data |= {"presets": [preset], "service": EXAMPLE}
        whose |= {"policy": POLICY, "terms": {"removal": {}, "labels": {"provider": EXAMPLE["provider"]}}}
    key, token = f"gr-{secrets.token_hex(24)}", secrets.token_urlsafe(24)
    claims, signing = secrets.token_hex(32), "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    shipped = {path.stem for path in (shipped_config() / "presets").glob("*.yaml")}
    data |= {
        "listen": {"host": "127.0.0.1", "port": 0},
        "admin": {"host": "127.0.0.1", "port": 0, "token_env": ADMIN_TOKEN},
        "upstreams": {name: {"url": upstream} for name in {"default", *data["upstreams"]}},
        "tenants": "tenants",
        "presets": [
            each if each in shipped else str((root.parent / each).absolute()) for each in data.get("presets", ())
        ],
        "state": {**_kept(data.get("state", {}), "on_failure"), "store": "sqlite", "folder": "state"},
        "audit": {each: value for each, value in data.get("audit", {}).items() if each != "folder"},
    }
    for name in ("anonymous", "gateway", "pushed_policies", "policies"):
        data.pop(name, None)
    policies = (root.parent / loaded.settings.file.policies).absolute()
    if policies.is_dir():
        data["policies"] = str(policies)
    if "terms" in data:  # without what stands in the tenant's own terms: addresses, and keys beside those of the trial
        data["terms"] = {name: value for name, value in data["terms"].items() if name != "removal"}
        if "claims" in data["terms"].get("subjects", {}):
            data["terms"]["subjects"] = {**data["terms"]["subjects"]}
            del data["terms"]["subjects"]["claims"]
    whose["terms"] = _terms(loaded, whose.get("terms", {}), hook)
    hashed = hashlib.sha256(key.encode()).hexdigest()
    whose |= {"tenant": TENANT, "keys": [f"sha256:{hashed}"]}
    (folder / "tenants").mkdir(parents=True)
    _write(folder / "tenants" / f"{TENANT}.yaml", whose)
    _write(folder / "guardrail.yaml", data)
    environ = {
        ADMIN_TOKEN: token,
        HOOK_SECRET: signing,
        CLAIMS_SECRET: claims,
        "GUARDRAIL_SECRET": secrets.token_hex(32),
    }
    pushed = ("Policies that are pushed through the state were not there; those in files were tried.",)
    changes = (
        "A simulated model server answered in the place of the upstreams.",
        "The state was an SQLite file in a folder of its own, whatever the configuration names.",
        "Keys and secrets were made for the trial; listeners took free ports, without TLS.",
        *(pushed if loaded.settings.file.pushed_policies is not None else ()),
    )
    return Setting(folder / "guardrail.yaml", environ, key, token, claims, signing, changes)


def _tenant(tenants: Mapping[str, Any], data: Mapping[str, Any], name: str | None, root: Path) -> dict[str, Any]:
    """What is kept of the tenant whose duties are tried."""
    if name is not None and name not in tenants:
        raise ConfigError([ConfigProblem(str(root), 0, 0, f"found no tenant {name!r}")])
    if name is None and "anonymous" in data:
        return {"policy": data["anonymous"].get("policy", "default")}
    if name is None and not tenants:
        raise ConfigError(
            [ConfigProblem(str(root), 0, 0, "found no tenant and no section 'anonymous': nobody is served")]
        )
    return _kept(tenants[name or min(tenants)].document.data, "policy", "locale", "terms")


def _terms(loaded: Configuration, own: Mapping[str, Any], hook: str) -> dict[str, Any]:
    """The tenant's terms, with an address and secrets of the trial where there are some."""
    assert loaded.settings is not None
    everywhere = loaded.settings.file.terms
    terms = dict(own)
    if "removal" in own or everywhere.removal is not UNSET:
        terms["removal"] = {"webhook": hook, "secret_env": HOOK_SECRET}
    terms["subjects"] = {**own.get("subjects", {}), "claims": {"secret_env": CLAIMS_SECRET}}
    return terms


def _kept(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: data[name] for name in names if name in data}


def _write(path: Path, data: Mapping[str, Any]) -> None:
    path.write_text(yaml.safe_dump(dict(data), allow_unicode=True, sort_keys=False), encoding="utf-8")
