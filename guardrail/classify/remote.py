"""A detector over HTTP in the place of a local model: the same interface, the same verdicts.

Windows that wait while requests are under way go together in the next one. A *circuit breaker* leaves a detector that
fails alone: after `TRIES` failed requests in a row everything fails at once for `PAUSE` seconds, then single requests
try it until one succeeds. A request that is *refused*, by a status that speaks of the request and not of the detector,
says nothing of how the detector is: of several texts each is then asked about alone, so that one that is refused takes
no others with it.

Promises: only the host that the policy names is contacted, redirects are not followed; no request is made twice, and
no text is in more than two; no answer of more than `MAX_ANSWER` bytes is read; every window gets one verdict by its
deadline. The key and the texts are in no message.
"""

from __future__ import annotations

import asyncio

import aiohttp
from yarl import URL

from guardrail.classify.batcher import Job
from guardrail.classify.classifier import CAPACITY, MAX_BATCH
from guardrail.classify.detector import DetectorEntry, request_of, scores_of
from guardrail.classify.intake import Done, Intake, verdict_of
from guardrail.classify.model import Scores, text_of
from guardrail.errors import ModelFault
from guardrail.text.scores import Failure, Verdict
from guardrail.text.units import Window

TRIES = 5
"""Failed requests in a row after which a detector is left alone."""
PAUSE = 10.0
"""Seconds that it is left alone."""
MAX_ANSWER = 1 << 20
"""Bytes of one answer; eight texts with a hundred labels take a twentieth of it."""
_PIECE = 1 << 16
_OF_THE_DETECTOR = frozenset({401, 403, 404, 405, 408, 429})
"""Statuses from 400 to 499 that are about keys, addresses, time and load, whatever the text says."""


class _Refused(ModelFault):
    """The detector does not take this request."""


class RemoteClassifier:
    """A detector over HTTP. Made, used and closed on one event loop."""

    def __init__(
        self, entry: DetectorEntry, api_key: str | None, *, capacity: int = CAPACITY, pause: float = PAUSE
    ) -> None:
        """`api_key`: sent as a bearer token."""
        self.name = entry.name
        self.digest = entry.digest
        self.labels = entry.categories
        self._intake = Intake(capacity)
        self.counters = self._intake.counters
        self._entry = entry
        self._pause = pause
        self._loop = asyncio.get_running_loop()
        self._requests: set[asyncio.Task[None]] = set()
        self._failed = 0
        """Requests in a row."""
        self._alone_until = 0.0
        self._closed = False
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=entry.concurrency),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=entry.timeout),
            headers={"Authorization": f"Bearer {api_key}"} if api_key is not None else None,
            skip_auto_headers=("User-Agent",),
            trust_env=False,
        )

    @property
    def broken(self) -> bool:
        return self._closed or self._loop.time() < self._alone_until

    @property
    def waiting(self) -> int:
        return self._intake.waiting

    def quick(self, window: Window) -> Verdict | None:
        """None: a detector over HTTP tells nothing at once."""
        return None

    def submit(self, window: Window, done: Done, deadline: float) -> None:
        if self._intake.take(window, done, deadline, refuse=self.broken):
            self._dispatch()

    async def close(self) -> None:
        self._closed = True
        self._intake.close()
        for request in self._requests:
            request.cancel()
        await asyncio.gather(*self._requests, return_exceptions=True)
        await self._session.close()

    def _dispatch(self) -> None:
        # One that failed so often is tried with one request at a time.
        most = 1 if self._failed >= TRIES else self._entry.concurrency
        while len(self._requests) < most and (batch := self._intake.next(MAX_BATCH)):
            request = self._loop.create_task(self._score(batch))
            self._requests.add(request)
            request.add_done_callback(self._ended)

    def _ended(self, request: asyncio.Task[None]) -> None:
        self._requests.discard(request)
        if not self._closed:
            self._dispatch()

    async def _score(self, batch: list[Job]) -> None:
        self.counters.calls += 1
        try:
            found = await self._ask([text_of(job.window) for job in batch])
        except TimeoutError:
            self._failure(batch, Failure.DEADLINE)
        except _Refused:
            await self._refused(batch)
        except Exception:  # of the network, of HTTP, of the answer: no scores in any case
            self._failure(batch, Failure.BROKEN)
        else:
            self._failed = 0
            for job, scores in zip(batch, found, strict=True):
                self._intake.answer(job, verdict_of(scores, self.labels))

    async def _refused(self, batch: list[Job]) -> None:
        if len(batch) == 1:
            self._intake.fail(batch, Failure.BROKEN)
            return
        for job in batch:
            if self._intake.open(job):
                await self._score([job])

    async def _ask(self, texts: list[str]) -> list[Scores]:
        """Raises TimeoutError, aiohttp.ClientError, OSError, ModelFault."""
        path, headers, body = request_of(self._entry, texts)
        async with self._session.post(self._url(path), data=body, headers=headers, allow_redirects=False) as response:
            if 400 <= response.status < 500 and response.status not in _OF_THE_DETECTOR:
                raise _Refused(f"the detector refused with the status {response.status}")
            if response.status != 200:
                raise ModelFault(f"the detector answered with the status {response.status}")
            answer = bytearray()
            async for piece in response.content.iter_chunked(_PIECE):
                answer += piece
                if len(answer) > MAX_ANSWER:
                    raise ModelFault(f"the detector answered more than {MAX_ANSWER} bytes")
        return scores_of(self._entry, bytes(answer), len(texts))

    def _url(self, path: str) -> URL:
        """The detector's address; `/v1` never twice."""
        base = self._entry.url.rstrip("/")
        return URL(base + (path[3:] if base.endswith("/v1") and path.startswith("/v1/") else path), encoded=True)

    def _failure(self, batch: list[Job], failure: Failure) -> None:
        self._intake.fail(batch, failure)
        self._failed += 1
        if self._failed >= TRIES:
            self._alone_until = self._loop.time() + self._pause
            self.counters.replaced += 1
            self._intake.fail_all()
