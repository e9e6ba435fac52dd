"""`guardrail check`: everything that is wrong with a configuration or one file of it, or what it would do.

Prints one problem a line as `file:line:column: …`, so that an editor or CI can jump to it. Loads as the proxy
does, and on top proves the built-in entities by their own examples. Never prints a key or its hash.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TextIO

from guardrail.errors import ConfigError, ConfigProblem
from guardrail.policy.load import root_file
from guardrail.policy.model import json_schema
from guardrail.policy.policy import Policy
from guardrail.policy.presets import check_preset
from guardrail.policy.registry import Snapshot, load_snapshot
from guardrail.policy.single import Kind, check_lexicon, check_policy, check_tenant, kind_of

Format = Literal["text", "json"]


def check(path: Path, out: TextIO, *, form: Format = "text", environ: Mapping[str, str] | None = None) -> int:
    """Check the configuration, or the one file, at `path` and report to `out`. The exit status: 0 when it is good,
    else 1."""
    try:
        if (kind := kind_of(path)) is not None:
            _report_file(path, kind, out, form, environ)
            return 0
        snapshot = load_snapshot(path, environ=environ, thorough=True)
    except ConfigError as error:
        _report_problems(error.problems, out, form)
        return 1
    if form == "json":
        _write_json({"ok": True, "problems": [], **_summary(snapshot)}, out)
    else:
        _report(root_file(path), snapshot, out)
    return 0


def print_schema(out: TextIO) -> None:
    """Print one JSON Schema document that covers every kind of file."""
    _write_json(json_schema(), out)


def _report_problems(problems: list[ConfigProblem], out: TextIO, form: Format) -> None:
    if form == "json":
        rows = [{"file": p.file, "line": p.line, "column": p.column, "message": p.message} for p in problems]
        _write_json({"ok": False, "problems": rows}, out)
        return
    for problem in problems:
        # The name of a file need not be text that can be printed.
        out.write(str(problem).encode("utf-8", "backslashreplace").decode() + "\n")
    out.write(f"{_count(len(problems), 'problem')}\n")


def _report_file(path: Path, kind: Kind, out: TextIO, form: Format, environ: Mapping[str, str] | None) -> None:
    """Check one file and tell what is in it. Raises ConfigError."""
    summary: dict[str, Any]
    match kind:
        case "policy":
            policy = check_policy(path, environ)
            summary = {"policies": {policy.name: _described(policy)}}
            lines = [_line(policy)]
        case "tenant":
            tenant = check_tenant(path)
            keys = len(tenant.keys)
            summary = {"tenants": {tenant.tenant: {"policy": tenant.policy, "upstream": tenant.upstream, "keys": keys}}}
            lines = [
                f"tenant {tenant.tenant}  policy {tenant.policy}  upstream {tenant.upstream}  {_count(keys, 'key')}"
            ]
        case "preset":
            preset = check_preset(path)
            served = sum(bool(duty.settings) for duty in preset.duties)
            summary = {"presets": {preset.preset: {"duties": len(preset.duties), "served": served}}}
            lines = [f"preset {preset.preset}  {_count(len(preset.duties), 'duty', 'duties')}  {served} served here"]
        case "lexicon":
            counts = check_lexicon(path)
            summary = {"terms": counts}
            lines = [f"{_count(number, 'term')}  {said}".rstrip() for said, number in sorted(counts.items())]
    if form == "json":
        _write_json({"ok": True, "problems": [], **summary}, out)
    else:
        out.write(f"{path} is good\n" + "".join(f"  {line}\n" for line in lines))


def _summary(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "policies": {name: _described(policy) for name, policy in sorted(snapshot.policies.items())},
        "tenants": {
            name: {
                "policy": tenant.policy.name,
                "upstream": tenant.upstream,
                "locale": tenant.locale,
                "keys": len(tenant.key_hashes),
            }
            for name, tenant in sorted(snapshot.tenants.items())
        },
        "anonymous": snapshot.anonymous.policy.name if snapshot.anonymous is not None else None,
        "presets": [*snapshot.presets],
        "digest": snapshot.digest,
    }


def _report(root: Path, snapshot: Snapshot, out: TextIO) -> None:
    out.write(f"{root} is good\n")
    for _, policy in sorted(snapshot.policies.items()):
        out.write(f"  {_line(policy)}\n")
    for name, tenant in sorted(snapshot.tenants.items()):
        keys = _count(len(tenant.key_hashes), "key")
        out.write(f"  tenant {name}  policy {tenant.policy.name}  upstream {tenant.upstream}  {keys}\n")
    for preset in snapshot.presets.values():
        out.write(f"  preset {preset.preset}  {_count(len(preset.duties), 'duty', 'duties')}  as of {preset.as_of}\n")
    anonymous = snapshot.anonymous
    out.write(f"  without a key  {f'policy {anonymous.policy.name}' if anonymous is not None else 'refused'}\n")


def _described(policy: Policy) -> dict[str, Any]:
    described: dict[str, Any] = {"digest": policy.digest, "rules": _rules_of(policy)}
    if policy.classifier is not None:
        described["classifier"] = policy.classifier.model
    if policy.input is not None:
        described["input"] = {"rules": _rules_of(policy.input.policy)}
        if policy.input.policy.classifier is not None:
            described["input"]["classifier"] = policy.input.policy.classifier.model
    elif policy.idle_input:
        described["input"] = {"rules": 0}
    return described


def _line(policy: Policy) -> str:
    line = f"policy {policy.name}  {policy.digest[:12]}  {_count(_rules_of(policy), 'rule')}"
    if policy.classifier is not None:
        line += f"  classifier {policy.classifier.model}"
    if policy.input is not None:
        line += f"  input {_count(_rules_of(policy.input.policy), 'rule')}"
        if policy.input.policy.classifier is not None:
            line += f" and classifier {policy.input.policy.classifier.model}"
    elif policy.idle_input:
        line += "  input looks for nothing"
    return line


def _rules_of(policy: Policy) -> int:
    """How many rules are in force."""
    rules = policy.rules.plain
    return sum(len(group.rules) for group in (rules.removing, rules.logging) if group is not None)


def _count(number: int, noun: str, several: str = "") -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {several or noun + 's'}"


def _write_json(value: Any, out: TextIO) -> None:
    out.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
