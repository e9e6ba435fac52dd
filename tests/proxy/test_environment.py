"""Variables that a configuration names and the environment lacks."""

from __future__ import annotations

import msgspec

from guardrail.classify.detector import DetectorEntry
from guardrail.governance.identity import ClaimTerms, SubjectTerms
from guardrail.governance.terms import Terms
from guardrail.governance.webhooks import RemovalTerms
from guardrail.policy.registry import Snapshot, Tenant
from guardrail.proxy.environment import unset_secrets
from guardrail.settings import Gateway, Settings, Upstream
from tests.proxy.scored import scored_policy

KEYED = DetectorEntry(format="openai", url="http://h", api_key_env="JUDGE_KEY")


def test_secrets_that_the_environment_lacks_are_told() -> None:
    settings = Settings(
        version=1,
        upstreams={"far": Upstream(url="http://h", api_key_env="FAR_KEY"), "near": Upstream(url="http://h")},
        gateway=Gateway(secret_env="GATE"),
    )
    policies = {
        "judged": scored_policy(KEYED),
        "free": scored_policy(msgspec.structs.replace(KEYED, api_key_env=None)),
    }
    snapshot = Snapshot(settings, policies, [])
    assert unset_secrets(snapshot, {"FAR_KEY": ""}) == [
        "FAR_KEY is unset: requests to the upstream 'far' go without a key of ours",
        "JUDGE_KEY is unset: requests to the detector of the policy 'judged' go without a key",
        "GATE is unset: signed gateway headers are refused",
    ]
    assert unset_secrets(snapshot, {"FAR_KEY": "k", "JUDGE_KEY": "j", "GATE": "s"}) == []


def test_a_secret_for_messages_to_an_application() -> None:
    settings = Settings(version=1, upstreams={"default": Upstream(url="http://h")})
    policy = scored_policy(KEYED)
    terms = Terms(removal=RemovalTerms(webhook="http://app", secret_env="HOOK"))
    snapshot = Snapshot(settings, {}, [Tenant("acme", policy, "default", terms=terms), Tenant("b", policy, "default")])
    assert unset_secrets(snapshot, {}) == [
        "HOOK is unset: messages to the application of the tenant 'acme' wait for it"
    ]
    assert unset_secrets(snapshot, {"HOOK": "whsec_"}) == []


def test_a_secret_for_claims_about_end_users() -> None:
    settings = Settings(version=1, upstreams={"default": Upstream(url="http://h")})
    terms = Terms(subjects=SubjectTerms(claims=ClaimTerms(secret_env="APP")))
    nobody = Tenant("anonymous", scored_policy(KEYED), "default", terms=terms)
    snapshot = Snapshot(settings, {}, [], anonymous=nobody)
    assert unset_secrets(snapshot, {}) == ["APP is unset: claims about end users of the tenant 'anonymous' are refused"]
    assert unset_secrets(snapshot, {"APP": "secret"}) == []
