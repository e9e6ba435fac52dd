"""Passes over whole texts, until they have all verdicts."""

from __future__ import annotations

import threading

import pytest

from guardrail.guarding import judging
from guardrail.whole_texts import looked_at, score_missing
from guardrail.wire.whole_text import Unscored, Verdicts, scan_whole
from tests.proxy.scored import Gated, scored_policy


@pytest.mark.parametrize("off_loop", [False, True])
async def test_a_pass_is_made_again_when_its_verdicts_are_known(off_loop: bool) -> None:
    policy = scored_policy(Gated())
    verdicts = Verdicts()
    threads = []

    def look() -> bool:
        threads.append(threading.current_thread())
        scanner, _ = scan_whole(policy.rules, "It is evil.", "content", verdicts)
        if verdicts.missing:
            raise Unscored
        return scanner.halt is not None

    async with judging(policy) as judge:
        classifier = judge.classifier
        assert classifier is not None
        assert await looked_at(look, lambda: score_missing(classifier, verdicts, 5.0), off_loop=off_loop)
    assert len(threads) == 2
    assert (threading.current_thread() in threads) == (not off_loop)
