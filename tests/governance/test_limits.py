"""A tenant, and each of its end users, within limits: what passes, what is told, what is given back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai.errors import ClientError

from guardrail.governance.identity import SubjectTerms
from guardrail.governance.limits import Limits, LimitTerms, Quota
from guardrail.governance.terms import Terms
from guardrail.state.operations import Meter, Seats, Take
from guardrail.state.sqlite import SqliteStore
from tests.proxy.harness import BODY, KEY, Guarded, guarding, raw_client
from tests.proxy.scripted import Connection, Script, Seen, answer, delta, event, plays, replies, response, says, until

ALL = {"anthropic": "/v1/messages", "gemini": "/v1beta/models/m:generateContent", "ollama": "/api/chat"}


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def limited(script: Script, clock: Clock | None = None, **quotas: Quota) -> AsyncIterator[Guarded]:
    """A guardrail with limits, whose state has a clock that tests move."""
    store = SqliteStore(None, clock=clock or Clock())
    terms = Terms(limits=LimitTerms(**quotas))
    async with guarding(script, duties=[Limits()], store=store, terms=terms) as guarded:
        yield guarded
    await store.close()


async def settled(guarded: Guarded) -> None:
    assert guarded.proxy.governor is not None
    await guarded.proxy.governor.settle(5)


async def used(guarded: Guarded, key: str, window: float, group: str = "anonymous") -> int:
    """What counts in a window now."""
    assert guarded.proxy.governor is not None
    (taken,) = await guarded.proxy.governor.store.run([Take(group, (Meter(key, 10**9, window, 0),))])
    return int(taken.levels[0].used)


async def streams(guarded: Guarded, key: str = "streams") -> int:
    assert guarded.proxy.governor is not None
    (taken,) = await guarded.proxy.governor.store.run([Take("anonymous", (), (Seats(key, 0),), "probe")])
    return int(taken.levels[0].used)


async def test_requests_in_a_sliding_minute() -> None:
    clock = Clock()
    async with limited(says("hi"), clock, tenant=Quota(requests_per_minute=3)) as guarded:
        remaining = []
        for _ in range(3):
            got = await guarded.ask()
            assert got.status == 200
            assert got.headers["x-ratelimit-limit-requests"] == "3"
            remaining.append(got.headers["x-ratelimit-remaining-requests"])
            clock.now += 10
        assert remaining == ["2", "1", "0"]
        got = await guarded.ask()
        assert got.status == 429
        assert (got.error["code"], got.error["type"]) == ("rate_limit_exceeded", "rate_limit_error")
        assert got.error["message"].startswith(
            "Rate limit of this tenant reached: requests per minute. Limit 3, used 3. Try again in 3"
        )
        assert 28 <= int(got.headers["retry-after"]) <= 33
        assert got.headers["x-ratelimit-remaining-requests"] == "0"
        record = await guarded.record(4)
        assert (record.outcome, record.status, record.fault) == ("refused", 429, "")
        assert guarded.metric("guardrail_limited_total", tenant="anonymous", limit="requests_per_minute") == 1
        clock.now += int(got.headers["retry-after"])
        assert (await guarded.ask()).status == 200
        assert (await guarded.ask()).status == 429
        assert len(guarded.upstream.requests) == 4


async def test_each_end_user_has_an_allowance_and_those_that_tell_none_share_one() -> None:
    async with limited(says("hi"), user=Quota(requests_per_day=1)) as guarded:

        async def ask(user: str = "", **headers: str) -> int:
            sent = {f"x-guardrail-{name}": value for name, value in headers.items()}
            return (await guarded.ask({**BODY, "user": user} if user else BODY, headers=sent)).status

        assert [await ask("ann"), await ask("ann"), await ask("bob"), await ask(), await ask()] == [
            *(200, 429, 200, 200, 429)
        ]
        assert [await ask(user="eve"), await ask("eve"), await ask("ann")] == [200, 429, 429]
        assert guarded.metric("guardrail_limited_total", tenant="anonymous", limit="user_requests_per_day") == 4


async def test_tenants_do_not_share() -> None:
    async with limited(says("hi"), tenant=Quota(requests_per_minute=1)) as guarded:
        assert [(await guarded.ask(key=key)).status for key in (KEY, KEY, None, None)] == [200, 429, 200, 429]


async def test_a_request_takes_from_all_limits_or_from_none() -> None:
    async with limited(says("hi"), tenant=Quota(requests_per_minute=9), user=Quota(requests_per_minute=1)) as guarded:
        for _ in range(5):
            await guarded.ask({**BODY, "user": "ann"})
        assert await used(guarded, "requests/60", 60) == 1


USAGE = {"prompt_tokens": 30, "completion_tokens": 12, "total_tokens": 42}
WITH_USAGE = [*answer("a", "b")[:-1], event({"id": "chatcmpl-7", "choices": [], "usage": USAGE}), answer()[-1]]


REFUSED = response(b'{"error":"no"}', status="400 Bad Request")


@pytest.mark.parametrize(
    ("script", "more", "taken"),
    [
        pytest.param(plays(*WITH_USAGE), {}, 42, id="usage"),
        pytest.param(plays(*WITH_USAGE), {"max_tokens": 500}, 42, id="less than reserved"),
        pytest.param(says("one", " two", " three"), {"max_tokens": 500}, 1 + 3, id="counted: prompt 1, answer 3"),
        pytest.param(says("a forbidden recipe ", "b"), {"max_tokens": 500}, 1 + 2, id="halted"),
        pytest.param(
            replies(response(b'{"error":"no"}', status="400 Bad Request")), {"max_tokens": 500}, 0, id="refused"
        ),
    ],
)
async def test_tokens_are_those_that_were_used(script: Script, more: dict[str, Any], taken: int) -> None:
    async with limited(script, tenant=Quota(tokens_per_minute=1000, tokens_per_day=1000)) as guarded:
        await guarded.ask({**BODY, **more})
        await settled(guarded)
        assert await used(guarded, "tokens/60", 60) == taken
        assert await used(guarded, "tokens/86400", 86400) == taken


async def test_what_is_asked_for_is_taken_until_it_is_known() -> None:
    gate = asyncio.Event()

    async def script(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        await conn.stream(delta("a"))
        await gate.wait()
        await conn.stream(*answer()[1:])
        await conn.end()

    async with limited(script, tenant=Quota(tokens_per_minute=100)) as guarded:
        first = asyncio.create_task(guarded.ask({**BODY, "max_tokens": 60, "n": 1}))
        await until(lambda: len(guarded.upstream.requests) == 1)
        got = await guarded.ask({**BODY, "max_completion_tokens": 60})
        assert (got.status, got.headers["x-ratelimit-remaining-tokens"]) == (429, "39")
        assert "tokens per minute. Limit 100, used 61." in got.error["message"]
        gate.set()
        assert (await first).status == 200
        await settled(guarded)
        assert (await guarded.ask({**BODY, "max_completion_tokens": 60})).status == 200


async def test_a_request_above_the_limit_passes_an_empty_window_only() -> None:
    async with limited(says("hi"), tenant=Quota(tokens_per_minute=10)) as guarded:
        large = {**BODY, "max_tokens": 5000}
        assert (await guarded.ask(large)).status == 200
        await settled(guarded)
        assert (await guarded.ask(large)).status == 429
        assert (await guarded.ask({**BODY, "max_tokens": 1})).status == 200


@pytest.mark.parametrize("ends", ["whole", "halted", "gone", "broken"])
async def test_a_stream_has_a_seat_for_as_long_as_it_runs(ends: str) -> None:
    gate = asyncio.Event()

    async def script(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        await conn.stream(delta("a"))
        await gate.wait()
        if ends == "halted":
            await conn.stream(delta("the forbidden recipe"))
        if ends == "broken":
            conn.reset()
            return
        await conn.stream(*answer()[1:])
        await conn.end()

    async with limited(script, tenant=Quota(streams=2), user=Quota(streams=1)) as guarded:
        tasks = []
        for user in ("ann", "bob"):
            tasks.append(asyncio.create_task(guarded.ask({**BODY, "user": user})))
        await until(lambda: len(guarded.upstream.requests) == 2)
        got = await guarded.ask({**BODY, "user": "ann"})
        assert got.status == 429
        assert "streams. Limit" in got.error["message"]
        assert got.headers["retry-after"] == "1"
        assert await streams(guarded) == 2
        if ends == "gone":
            for task in tasks:
                task.cancel()
        gate.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        await guarded.record(3)
        await settled(guarded)
        assert await streams(guarded) == 0
        guarded.upstream.script = says("hi")
        assert (await guarded.ask({**BODY, "user": "ann"})).status == 200


async def test_a_prompt_that_is_refused_uses_no_tokens_and_keeps_no_seat() -> None:
    async with limited(says("hi"), tenant=Quota(streams=1, tokens_per_minute=50)) as guarded:
        assert (await guarded.ask({"messages": []})).status == 400
        async with raw_client(guarded, {**BODY, "max_tokens": 40}) as (reader, _):
            await reader.read(1)
        await guarded.record(2)
        await settled(guarded)
        assert await streams(guarded) == 0
        assert await used(guarded, "tokens/60", 60) <= 2


async def test_leases_of_what_runs_are_renewed() -> None:
    clock, gate = Clock(), asyncio.Event()

    async def script(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        await conn.stream(delta("a"))
        await gate.wait()
        await conn.stream(*answer()[1:])
        await conn.end()

    async with limited(script, clock, tenant=Quota(streams=1)) as guarded:
        governor = guarded.proxy.governor
        assert governor is not None
        running = asyncio.create_task(guarded.ask())
        await until(lambda: len(guarded.upstream.requests) == 1)
        for _ in range(5):
            clock.now += 10
            await governor._beat()
        assert (await guarded.ask()).status == 429
        clock.now += 16  # nobody renewed it: its replica was killed
        assert await streams(guarded) == 0
        await governor._beat()  # it was not
        assert (await guarded.ask()).status == 429
        gate.set()
        await running
        await settled(guarded)
        assert await streams(guarded) == 0


async def test_what_is_asked_of_guardrail_itself_counts_as_a_request() -> None:
    quota = Quota(requests_per_minute=2, tokens_per_minute=5, streams=1)
    async with limited(says("hi"), tenant=quota) as guarded:
        checked = await guarded.ask({"text": "all is well"}, path="/v1/guardrail/check")
        assert (checked.status, checked.headers["x-ratelimit-remaining-requests"]) == (200, "1")
        assert "x-ratelimit-limit-tokens" not in checked.headers
        assert (await guarded.ask({"input": "all is well"}, path="/v1/moderations")).status == 200
        assert (await guarded.ask({"input": "all is well"}, path="/v1/moderations")).status == 429
        assert await streams(guarded) == 0


async def test_an_upstreams_own_headers_are_not_mixed_with_ours() -> None:
    theirs = ("x-ratelimit-limit-tokens: 7", "X-RateLimit-Reset: 9", "x-other: 1")
    raw = response(b'{"choices":[]}', headers=theirs)
    body = {**BODY, "stream": False}
    async with limited(replies(raw), tenant=Quota(requests_per_minute=2)) as guarded:
        got = await guarded.ask(body)
        assert got.status == 200
        assert {name: value for name, value in got.headers.items() if name.lower().startswith("x-ratelimit")} == {
            "x-ratelimit-limit-requests": "2",
            "x-ratelimit-remaining-requests": "1",
            "x-ratelimit-reset-requests": got.headers["x-ratelimit-reset-requests"],
        }
        assert got.headers["x-other"] == "1"
    async with guarding(replies(raw)) as guarded:
        assert (await guarded.ask(body)).headers["x-ratelimit-reset"] == "9"


async def test_the_shape_of_each_protocol() -> None:
    bodies = {
        "anthropic": {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]},
        "gemini": {"contents": [{"parts": [{"text": "Hi"}]}]},
        "ollama": {"model": "m", "messages": [{"role": "user", "content": "Hi"}]},
    }
    async with limited(replies(response(b"{}")), tenant=Quota(requests_per_minute=1)) as guarded:
        await guarded.ask()
        told = {name: await guarded.ask(bodies[name], path=path) for name, path in ALL.items()}
        assert {got.status for got in told.values()} == {429}
        assert all(int(got.headers["retry-after"]) > 50 for got in told.values())
        error = json.loads(told["anthropic"].body)
        assert (error["type"], error["error"]["type"]) == ("error", "rate_limit_error")
        assert told["anthropic"].headers["anthropic-ratelimit-requests-remaining"] == "0"
        error = json.loads(told["gemini"].body)["error"]
        assert (error["code"], error["status"]) == (429, "RESOURCE_EXHAUSTED")
        details = {each["@type"].rpartition(".")[2]: each for each in error["details"]}
        assert details["RetryInfo"]["retryDelay"] == told["gemini"].headers["retry-after"] + "s"
        assert details["QuotaFailure"]["violations"][0]["description"] == error["message"]
        assert json.loads(told["ollama"].body)["error"].startswith("Rate limit of this tenant reached")


async def test_official_clients_raise_their_own_error() -> None:
    async with limited(says("hi"), tenant=Quota(requests_per_minute=1)) as guarded:
        await guarded.ask()
        messages: Any = [{"role": "user", "content": "Hi"}]
        async with openai.AsyncOpenAI(base_url=f"{guarded.url}/v1", api_key="k", max_retries=0) as client:
            with pytest.raises(openai.RateLimitError) as limit:
                await client.chat.completions.create(model="m", messages=messages)
            assert limit.value.code == "rate_limit_exceeded"
        async with anthropic.AsyncAnthropic(base_url=guarded.url, api_key="k", max_retries=0) as other:
            with pytest.raises(anthropic.RateLimitError):
                await other.messages.create(model="m", max_tokens=5, messages=messages)
        google = genai.Client(api_key="k", http_options={"base_url": guarded.url})
        with pytest.raises(ClientError) as exhausted:
            await google.aio.models.generate_content(model="m", contents="Hi")
        assert (exhausted.value.code, exhausted.value.status) == (429, "RESOURCE_EXHAUSTED")


async def test_without_limits_nothing_is_asked() -> None:
    async with guarding(says("hi"), duties=[Limits()], terms=Terms(subjects=SubjectTerms())) as guarded:
        assert (await guarded.ask()).status == 200
        assert guarded.metric("guardrail_state_asked_total") == 0
