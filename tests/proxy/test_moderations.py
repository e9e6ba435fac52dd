"""The moderation endpoint over real sockets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guardrail.whole_texts import OFF_LOOP_CHARACTERS
from tests.proxy.harness import POLICY, Guarded, guarding
from tests.proxy.scored import Gated, scored_policy
from tests.proxy.scripted import answer, plays

PATH = "/v1/moderations"
NOTHING = plays(*answer("never asked"))


async def moderated(guarded: Guarded, given: Any) -> Any:
    got = await guarded.ask({"input": given, "model": "omni-moderation-latest"}, path=PATH)
    assert got.status == 200, got.body
    return json.loads(got.body)


@pytest.mark.parametrize("padding", ["", "x " * OFF_LOOP_CHARACTERS])
async def test_the_rules_answer_where_there_is_no_classifier(padding: str) -> None:
    async with guarding(NOTHING, policy=POLICY) as guarded:
        said = await moderated(guarded, [padding + "Hello.", padding + "The forbidden recipe."])
        assert [result["flagged"] for result in said["results"]] == [False, True]
        assert said["results"][1]["categories"]["illicit"]
        assert said["model"] == "guardrail-rules"
        record = await guarded.record()
        assert (record.outcome, record.model, record.choices) == ("complete", "omni-moderation-latest", 2)
        assert record.received == record.released == 2 * len(padding) + 27
        assert guarded.upstream.requests == []


async def test_the_classifier_answers() -> None:
    async with guarding(NOTHING, policy=scored_policy(Gated())) as guarded:
        said = await moderated(guarded, [{"type": "text", "text": "This is an evil one."}])
        (result,) = said["results"]
        assert (result["flagged"], result["category_scores"]["hate"], said["model"]) == (
            True,
            1.0,
            "gated@999999999999",
        )
        record = await guarded.record()
        assert record.classifier is not None
        assert (record.classifier.units, record.classifier.encoder_calls) == (1, 1)


async def test_what_cannot_be_scanned_is_an_error() -> None:
    async with guarding(NOTHING, policy=POLICY) as guarded:
        got = await guarded.ask({"input": [{"type": "image_url", "image_url": {"url": "data:,"}}]}, path=PATH)
        assert (got.status, got.error["code"]) == (400, "bad_request")
        assert "Images are not scanned" in got.error["message"]


async def test_an_operator_may_have_the_upstream_answer() -> None:
    async with guarding(NOTHING, policy=POLICY, pass_through=(PATH,)) as guarded:
        got = await guarded.ask({"input": "The forbidden recipe."}, path=PATH)
        assert got.headers["x-guardrail-policy"] == "none"
        assert [seen.path for seen in guarded.upstream.requests] == [PATH]
