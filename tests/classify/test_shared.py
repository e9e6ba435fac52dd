"""The classifiers of a process without a proxy: one for each model and event loop, while somebody needs it."""

from __future__ import annotations

import asyncio
import threading

import pytest

from guardrail.classify import shared
from guardrail.classify.classifier import LocalClassifier
from guardrail.classify.detector import DetectorEntry
from guardrail.classify.remote import RemoteClassifier
from guardrail.classify.shared import classifier_of
from tests.classify.waiting import until
from tests.proxy.scored import Gated


def threads() -> int:
    return sum(thread.name == "guardrail-classifier" for thread in threading.enumerate())


async def test_all_who_need_a_model_share_its_classifier() -> None:
    model = Gated()
    async with classifier_of(model) as one, classifier_of(model) as two:  # type: ignore[arg-type]
        assert isinstance(one, LocalClassifier)
        assert one is two
    async with classifier_of(model) as three:  # type: ignore[arg-type]
        assert three is one


async def test_it_goes_when_nobody_comes_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "LINGER", 0.0)
    model, before = Gated(), threads()
    async with classifier_of(model) as one:  # type: ignore[arg-type]
        assert threads() == before + 1
    await until(lambda: threads() == before)
    async with classifier_of(model) as two:  # type: ignore[arg-type]
        assert two is not one


def test_it_goes_with_its_event_loop() -> None:
    before = threads()

    async def use() -> None:
        async with classifier_of(Gated()):  # type: ignore[arg-type]
            assert threads() == before + 1

    for _ in range(2):
        asyncio.run(use())
        assert threads() == before


async def test_a_detector_is_shared_too() -> None:
    entry = DetectorEntry(format="openai", url="http://unset")
    async with classifier_of(entry) as one, classifier_of(entry) as two:
        assert isinstance(one, RemoteClassifier)
        assert one is two
