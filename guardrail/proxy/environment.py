"""What a configuration wants of the environment and does not find there: warnings for the operator, no errors.

Pure. Never the value of a variable, only its name.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UNSET

from guardrail.classify.detector import DetectorEntry
from guardrail.governance.webhooks import RemovalTerms
from guardrail.policy.registry import Snapshot


def unset_secrets(snapshot: Snapshot, environ: Mapping[str, str]) -> list[str]:
    """A line for each use of a variable that the configuration names and the environment lacks."""
    settings = snapshot.settings
    lines = [
        f"{upstream.api_key_env} is unset: requests to the upstream {name!r} go without a key of ours"
        for name, upstream in settings.upstreams.items()
        if upstream.api_key_env and not environ.get(upstream.api_key_env)
    ]
    for name, policy in snapshot.policies.items():
        scorer = policy.scorer
        if isinstance(scorer, DetectorEntry) and scorer.api_key_env and not environ.get(scorer.api_key_env):
            lines.append(
                f"{scorer.api_key_env} is unset: requests to the detector of the policy {name!r} go without a key"
            )
    if settings.gateway is not None and not environ.get(settings.gateway.secret_env):
        lines.append(f"{settings.gateway.secret_env} is unset: signed gateway headers are refused")
    for name, tenant in snapshot.tenants.items():
        removal = tenant.terms.removal
        variable = removal.secret_env if isinstance(removal, RemovalTerms) else UNSET
        if isinstance(variable, str) and not environ.get(variable):
            lines.append(f"{variable} is unset: messages to the application of the tenant {name!r} wait for it")
    whose = [*snapshot.tenants.values(), *([snapshot.anonymous] if snapshot.anonymous is not None else [])]
    for tenant in whose:
        claims = tenant.terms.subjects.claims if tenant.terms.subjects is not UNSET else UNSET
        variable = claims.secret_env if claims is not UNSET else UNSET
        if isinstance(variable, str) and not environ.get(variable):
            lines.append(f"{variable} is unset: claims about end users of the tenant {tenant.name!r} are refused")
    return lines
