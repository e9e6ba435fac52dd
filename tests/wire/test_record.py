"""The account of a response: every character is somewhere."""

from __future__ import annotations

from guardrail.wire.openai_chat import ChatStream
from guardrail.wire.request import ChatRequest
from tests.wire.chat import call, halt, policy, redact, says

POLICY = policy(redact("secret"), halt("forbidden"))


def test_the_account_holds_at_every_moment() -> None:
    stream = ChatStream(POLICY, ChatRequest(n=2), case_id="g-1")
    script = [*says("a secret, a sec"), call('{"a":1}', name="f"), *says("ond"), *says("is forbidden.", index=1)]
    seen = []
    for raw in [*script, *says("more", index=1)]:
        stream.feed(raw)
        record = stream.record
        assert record.received == record.released + record.removed + record.dropped + record.held
        seen.append((record.received, record.scanned, record.released, record.removed, record.dropped, record.held))
    assert seen == [
        (15, 15, 0, 0, 0, 15),
        (23, 15, 0, 0, 0, 23),
        (26, 18, 12, 6, 0, 8),
        (39, 31, 15, 16, 0, 8),
        (43, 31, 15, 16, 4, 8),
    ]
