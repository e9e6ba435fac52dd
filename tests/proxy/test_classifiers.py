"""Classifiers of a process: one for each model, as long as something needs it."""

from __future__ import annotations

import asyncio

from guardrail.classify.classifier import LocalClassifier
from guardrail.classify.detector import DetectorEntry
from guardrail.classify.remote import RemoteClassifier
from guardrail.proxy.classifiers import Classifiers
from tests.proxy.harness import POLICY
from tests.proxy.scored import Gated, scored_policy


async def test_policies_with_the_same_model_share_its_classifier() -> None:
    classifiers = Classifiers({})
    one, two = scored_policy(Gated()), scored_policy(Gated(), debounce=2)
    assert classifiers.get(POLICY) is None
    opened = classifiers.get(one)
    assert opened is not None
    assert isinstance(opened.classifier, LocalClassifier)
    assert classifiers.get(two) is opened
    assert len(list(classifiers)) == 1
    await classifiers.close()
    assert list(classifiers) == []


async def test_a_classifier_goes_when_no_policy_and_no_answer_needs_it() -> None:
    classifiers = Classifiers({})
    policy = scored_policy(Gated())
    await classifiers.follow([POLICY, policy])
    opened = classifiers.get(policy)
    assert opened is not None
    opened.in_use += 1
    await classifiers.follow([POLICY])
    assert list(classifiers) == [opened.classifier]
    opened.in_use -= 1
    await classifiers.follow([POLICY])
    assert list(classifiers) == []


async def test_a_classifier_that_is_needed_while_another_closes_stays() -> None:
    class Other(Gated):
        digest = "8" * 64

    classifiers = Classifiers({})
    one, two = scored_policy(Gated()), scored_policy(Other())
    await classifiers.follow([one, two])
    first, second = classifiers.get(one), classifiers.get(two)
    assert first is not None
    assert second is not None
    following = asyncio.ensure_future(classifiers.follow([]))
    await asyncio.sleep(0)  # the first is being closed
    second.in_use += 1
    await following
    assert list(classifiers) == [second.classifier]
    await classifiers.close()


async def test_a_detector_is_asked_with_its_key() -> None:
    entry = DetectorEntry(format="openai", url="http://127.0.0.1:9", api_key_env="DETECTOR_KEY")
    classifiers = Classifiers({"DETECTOR_KEY": "k"})
    opened = classifiers.get(scored_policy(entry))
    assert opened is not None
    assert isinstance(opened.classifier, RemoteClassifier)
    await classifiers.close()
