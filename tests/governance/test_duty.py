"""A duty that overrides nothing asks, changes and writes nothing."""

from __future__ import annotations

from guardrail.governance.duty import USES, Duty, Entering, Finished, Refused, Standing
from guardrail.governance.identity import SubjectTerms
from guardrail.governance.terms import Terms
from guardrail.policy.registry import Snapshot, Tenant
from guardrail.settings import Settings, Upstream
from guardrail.state.sqlite import SqliteStore
from tests.proxy.harness import POLICY

TENANT = Tenant("acme", POLICY, "default", terms=Terms(subjects=SubjectTerms(required=True)))
SNAPSHOT = Snapshot(Settings(version=1, upstreams={"default": Upstream("http://127.0.0.1:1")}), {}, [TENANT])
ENTERING = Entering("g-1", 0.0, TENANT, SNAPSHOT, None, None, None, {})


async def test_a_duty_does_nothing_by_itself() -> None:
    duty, standing = Duty(), Standing(POLICY)
    finished = Finished(ENTERING, standing, None)  # type: ignore[arg-type]
    assert (duty.asks(ENTERING), duty.undo(ENTERING, []), duty.after(finished)) == ((), (), ())
    assert (duty.beat(), duty.collectors()) == ((), ())
    duty.judge(ENTERING, [], standing)
    assert standing == Standing(POLICY)
    store = SqliteStore(None)
    await duty.follow(finished, store)
    assert store.round_trips == 0
    await store.close()
    assert duty.use in USES


def test_a_request_is_under_its_tenants_terms() -> None:
    assert ENTERING.terms is TENANT.terms


def test_a_refusal_says_what_it_was_made_with() -> None:
    refused = Refused(403, "account_suspended", "Not now.", type="permission_error", retry_after=2, headers={"a": "b"})
    assert str(refused) == "Not now."
    assert (refused.status, refused.code, refused.type) == (403, "account_suspended", "permission_error")
    assert (refused.retry_after, refused.headers, refused.record) == (2, {"a": "b"}, {})
