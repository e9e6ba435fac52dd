"""A detector over HTTP, against a real server that answers, fails and hangs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from guardrail.classify.detector import DetectorEntry
from guardrail.classify.remote import MAX_ANSWER, TRIES, RemoteClassifier
from guardrail.text.scores import CATEGORIES, Failure, Verdict
from guardrail.text.units import Window
from tests.classify.waiting import until

LONG = 600.0
BROKEN = Verdict(None, Failure.BROKEN)
DEADLINE = Verdict(None, Failure.DEADLINE)
ENTRY = DetectorEntry(format="openai", url="http://unset", timeout=20.0)


def scored(texts: list[str]) -> web.Response:
    names = ("hate", "harassment", "sexual", "self-harm", "illicit")
    results = [
        {"category_scores": {**dict.fromkeys(names, 0.0), "violence": float(text.split()[-1])}} for text in texts
    ]
    return web.json_response({"results": results})


class Detector:
    """A moderation server; `mode` says how it behaves, `status` with which status it fails. The violence of a text is
    the number that it ends with."""

    def __init__(self) -> None:
        self.mode = "answer"
        self.status = 500
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.under_way = 0
        self.most_under_way = 0
        self.release = asyncio.Event()
        self.release.set()
        self.one_by_one = False
        """Whether a release lets one request through."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append((request.path, dict(request.headers), body))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self.release.wait()
            if self.one_by_one:
                self.release.clear()
        finally:
            self.under_way -= 1
        match self.mode:
            case "answer":
                return scored(body["input"])
            case "status":
                return web.Response(status=self.status, text="{}")
            case "refuse" if all("bad" not in text for text in body["input"]):
                return scored(body["input"])
            case "refuse":
                return web.Response(status=self.status, text="{}")
            case "redirect":
                raise web.HTTPTemporaryRedirect("/elsewhere")
            case "garbage":
                return web.Response(body=b"\xff\x00 no JSON")
            case "endless":
                return web.Response(body=b" " * (MAX_ANSWER + 1))
            case _:
                assert request.transport is not None
                request.transport.close()
                return web.Response()


@asynccontextmanager
async def running(detector: Detector, **options: Any) -> AsyncIterator[RemoteClassifier]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", detector.handle)
    server = TestServer(app)
    await server.start_server()
    entry: DetectorEntry = options.pop("entry", ENTRY)
    base = entry.url.removeprefix("http://unset")
    made = RemoteClassifier(
        msgspec.structs.replace(entry, url=f"http://{server.host}:{server.port}{base}"),
        options.pop("api_key", None),
        **options,
    )
    try:
        yield made
    finally:
        await made.close()
        detector.release.set()
        await server.close()


def submit(classifier: RemoteClassifier, text: str, deadline: float = LONG) -> asyncio.Future[Verdict]:
    future: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
    classifier.submit(Window("said ", text, "asked"), future.set_result, deadline)
    assert not future.done()
    return future


def violence(verdict: Verdict) -> float:
    assert verdict.scores is not None
    return verdict.scores[CATEGORIES.index("violence")]


async def test_a_verdict_comes_of_an_answer() -> None:
    detector = Detector()
    async with running(detector, api_key="secret") as classifier:
        assert classifier.quick(Window("", "a")) is None
        assert violence(await submit(classifier, "a 0.25")) == 0.25
        ((path, headers, body),) = detector.requests
        assert path == "/v1/moderations"
        assert headers["Authorization"] == "Bearer secret"
        assert body == {"input": ["asked\nsaid a 0.25"]}
        assert (classifier.counters.calls, classifier.counters.scored) == (1, 1)


async def test_the_version_in_the_address_is_not_doubled() -> None:
    detector = Detector()
    for base, path in [("", "/v1/moderations"), ("/v1", "/v1/moderations"), ("/proxy/v1/", "/proxy/v1/moderations")]:
        async with running(detector, entry=msgspec.structs.replace(ENTRY, url=f"http://unset{base}")) as classifier:
            await submit(classifier, "a 0.25")
            assert detector.requests[-1][0] == path
            assert "Authorization" not in detector.requests[-1][1]


async def test_requests_are_bounded_and_what_waits_goes_together() -> None:
    detector = Detector()
    detector.release.clear()
    async with running(detector, entry=msgspec.structs.replace(ENTRY, concurrency=2), capacity=9) as classifier:
        verdicts = [submit(classifier, f"a 0.{number}") for number in range(1, 10)]
        await until(lambda: detector.under_way == 2)
        detector.release.set()
        assert [violence(each) for each in await asyncio.gather(*verdicts)] == [n / 10 for n in range(1, 10)]
        assert detector.most_under_way == 2
        assert [len(body["input"]) for _, _, body in detector.requests] == [1, 1, 7]


async def test_a_full_queue_says_so() -> None:
    detector = Detector()
    detector.release.clear()
    async with running(detector, entry=msgspec.structs.replace(ENTRY, concurrency=1), capacity=1) as classifier:
        first, second, third = (submit(classifier, "a 0.5") for _ in range(3))
        assert await third == Verdict(None, Failure.QUEUE_FULL)
        detector.release.set()
        assert violence(await first) == violence(await second) == 0.5


@pytest.mark.parametrize("mode", ["status", "redirect", "garbage", "endless", "close"])
async def test_no_scores_in_any_case_but_an_answer(mode: str) -> None:
    detector = Detector()
    detector.mode = mode
    async with running(detector) as classifier:
        assert await submit(classifier, "a 0.25") == BROKEN
        assert len(detector.requests) == 1  # nothing is asked again, or elsewhere
        detector.mode = "answer"
        assert violence(await submit(classifier, "a 0.25")) == 0.25


async def test_a_server_that_is_not_there() -> None:
    classifier = RemoteClassifier(msgspec.structs.replace(ENTRY, url="http://127.0.0.1:1"), None)
    assert await submit(classifier, "a 0.25") == BROKEN
    await classifier.close()


async def test_a_server_that_hangs_is_given_up_at_the_deadline_or_the_timeout() -> None:
    detector = Detector()
    detector.release.clear()
    async with running(detector) as classifier:
        assert await submit(classifier, "a 0.5", 0.01) == DEADLINE
    detector = Detector()
    detector.release.clear()
    async with running(detector, entry=msgspec.structs.replace(ENTRY, timeout=0.05)) as classifier:
        assert await submit(classifier, "a 0.5") == DEADLINE


async def test_a_detector_that_goes_on_failing_is_left_alone_until_a_trial_succeeds() -> None:
    detector = Detector()
    detector.mode = "status"
    async with running(detector, pause=0.05) as classifier:
        for _ in range(TRIES):
            assert not classifier.broken
            assert await submit(classifier, "a 0.5") == BROKEN
        asked = len(detector.requests)
        assert classifier.broken
        assert await submit(classifier, "a 0.5") == BROKEN
        assert len(detector.requests) == asked
        assert classifier.counters.replaced == 1
        await until(lambda: not classifier.broken)
        assert await submit(classifier, "a 0.5") == BROKEN  # the trial fails, and it is left alone again
        assert classifier.broken
        await until(lambda: not classifier.broken)
        detector.mode = "answer"
        detector.release.clear()
        trials = [submit(classifier, "a 0.5") for _ in range(3)]
        await until(lambda: detector.under_way > 0)
        assert detector.under_way == 1
        detector.release.set()
        assert [violence(each) for each in await asyncio.gather(*trials)] == [0.5] * 3


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_text_that_is_refused_fails_alone_and_is_nothing_of_the_detectors(status: int) -> None:
    detector = Detector()
    detector.mode, detector.status = "refuse", status
    async with running(detector, entry=msgspec.structs.replace(ENTRY, concurrency=1)) as classifier:
        for _ in range(TRIES + 1):
            assert await submit(classifier, "bad 0.5") == BROKEN
        assert not classifier.broken
        detector.requests.clear()
        detector.release.clear()
        first = submit(classifier, "a 0.1")
        await until(lambda: detector.under_way == 1)
        rest = [submit(classifier, text) for text in ("a 0.2", "bad 0.3", "a 0.4")]
        detector.release.set()
        assert violence(await first) == 0.1
        found = await asyncio.gather(*rest)
        assert (violence(found[0]), found[1], violence(found[2])) == (0.2, BROKEN, 0.4)
        assert [len(body["input"]) for _, _, body in detector.requests] == [1, 3, 1, 1, 1]
        assert (detector.most_under_way, classifier.counters.calls) == (1, TRIES + 1 + 5)
        assert (classifier.broken, classifier.counters.replaced) == (False, 0)


async def test_of_a_refused_batch_what_has_had_its_answer_is_not_asked_again() -> None:
    detector = Detector()
    detector.release.clear()
    async with running(detector, entry=msgspec.structs.replace(ENTRY, concurrency=1)) as classifier:
        first = submit(classifier, "a 0.1")
        await until(lambda: detector.under_way == 1)
        late, patient = submit(classifier, "bad 0.2", 0.2), submit(classifier, "a 0.3")
        detector.mode, detector.status, detector.one_by_one = "refuse", 400, True
        detector.release.set()
        await first
        assert await late == DEADLINE
        detector.one_by_one = False
        detector.release.set()
        assert violence(await patient) == 0.3
        assert [body["input"] for _, _, body in detector.requests if len(body["input"]) == 1] == [
            ["asked\nsaid a 0.1"],
            ["asked\nsaid a 0.3"],
        ]


@pytest.mark.parametrize("status", [401, 403, 404, 405, 408, 429, 500, 503])
async def test_other_statuses_count(status: int) -> None:
    detector = Detector()
    detector.mode, detector.status = "status", status
    async with running(detector) as classifier:
        for _ in range(TRIES):
            assert await submit(classifier, "a 0.5") == BROKEN
        assert classifier.broken


async def test_closing_answers_what_is_open() -> None:
    detector = Detector()
    detector.release.clear()
    async with running(detector) as classifier:
        under_way = submit(classifier, "a 0.5")
        await asyncio.sleep(0.01)
        await classifier.close()
        assert await under_way == BROKEN
        assert await submit(classifier, "a 0.5") == BROKEN


async def test_the_fms_api() -> None:
    async def contents(request: web.Request) -> web.Response:
        assert request.headers["detector-id"] == "hap"
        found = [
            [{"start": 0, "end": 1, "detection_type": "toxic", "score": 0.75}] if "x" in t else []
            for t in (await request.json())["contents"]
        ]
        return web.Response(body=json.dumps(found).encode(), content_type="application/json")

    app = web.Application()
    app.router.add_post("/api/v1/text/contents", contents)
    server = TestServer(app)
    await server.start_server()
    entry = DetectorEntry(
        format="fms", url=f"http://{server.host}:{server.port}", detector="hap", labels={"toxic": "harassment"}
    )
    classifier = RemoteClassifier(entry, None)
    assert classifier.labels == ("harassment",)
    scores = [(await submit(classifier, text)).scores for text in ("x", "y")]
    await classifier.close()
    await server.close()
    at = CATEGORIES.index("harassment")
    assert [each[at] for each in scores if each is not None] == [0.75, 0.0]
