"""The account of a response: every character is somewhere."""

from __future__ import annotations

from collections import Counter

from guardrail.text.scores import Failure
from guardrail.text.scoring import Tally
from guardrail.wire.openai_chat import ChatStream
from guardrail.wire.record import classifier_part
from guardrail.wire.request import ModelRequest
from tests.wire.chat import call, halt, policy, redact, says
from tests.wire.scored import hate

POLICY = policy(redact("secret"), halt("forbidden"))


def test_the_account_holds_at_every_moment() -> None:
    stream = ChatStream(POLICY, ModelRequest(n=2), case_id="g-1")
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


def test_what_a_classifier_did() -> None:
    tally = Tally(7, Counter({Failure.DEADLINE: 2, Failure.BROKEN: 1}), 30)
    assert classifier_part(hate(), tally) == {
        "classifier": "fake@1",
        "units": 7,
        "unit_failures": (("broken", 1), ("deadline", 2)),
    }
    assert classifier_part(POLICY, Tally()) == {"classifier": "", "units": 0, "unit_failures": ()}
