"""The middleware in front of an application: what it guards, by which policy, and what it leaves alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guardrail.asgi import GuardrailMiddleware
from guardrail.asgi_exchange import Message, Receive, Record, Scope, Send
from guardrail.errors import ConfigError
from guardrail.policy.policy import InputSection, Policy
from guardrail.wire.prompt import PromptRecord
from guardrail.wire.record import StreamRecord
from tests.asgi import ASK, CHAT, Client, Says, asked
from tests.proxy.scored import Gated, scored_policy
from tests.wire.chat import chat, halt, policy, redact, says

POLICY = policy(redact("secret"))


async def test_other_paths_and_methods_are_left_alone() -> None:
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope, receive, send))

    guarded = GuardrailMiddleware(app, POLICY)
    for client in (Client("/hello"), Client(CHAT, method="OPTIONS"), Client(CHAT, type="websocket"), Client("/v1")):
        await guarded(client.scope, client.receive, client.send)
        assert seen.pop() == (client.scope, client.receive, client.send)


async def test_the_lifespan_passes() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        raise AssertionError

    await GuardrailMiddleware(app, POLICY)({"type": "lifespan"}, receive, send)
    assert seen == ["lifespan"]


async def test_what_other_methods_get_is_guarded_when_it_is_an_answer() -> None:
    listing = b'{"data": ["a secret"]}'
    got = await Client(method="GET").ask(GuardrailMiddleware(Says(listing, kind="application/json"), POLICY))
    assert got.body == listing
    got = await Client(method="GET").ask(GuardrailMiddleware(Says(*chat(says("a secret"))), POLICY))
    assert got.reply.text() == "a [X]"


async def test_a_policy_for_each_request() -> None:
    other = policy(redact("other", mask="[Y]"))

    def picked(scope: Scope) -> Policy:
        return other if (b"x-tenant", b"two") in scope["headers"] else POLICY

    guarded = GuardrailMiddleware(Says(*chat(says("secret other"))), picked)
    assert (await Client().ask(guarded)).reply.text() == "[X] other"
    assert (await Client(headers=[(b"x-tenant", b"two")]).ask(guarded)).reply.text() == "secret [Y]"


async def test_a_policy_by_its_name() -> None:
    guarded = GuardrailMiddleware(Says(*chat(says("write to jane@example.org"))), "default")
    assert (await Client().ask(guarded)).reply.text() == "write to [EMAIL]"
    with pytest.raises(ConfigError, match="unknown policy 'defualt'"):
        GuardrailMiddleware(Says(), "defualt")


@pytest.mark.parametrize("given", [None, 3, {"policy": "default"}])
def test_what_is_no_policy_is_refused_at_once(given: Any) -> None:
    with pytest.raises(TypeError, match="for `policy`, expected a policy, its name or path"):
        GuardrailMiddleware(Says(), given)


async def test_a_function_that_gives_no_policy_is_told_of() -> None:
    nothing: Any = lambda scope: None  # noqa: E731
    with pytest.raises(TypeError, match="found NoneType from the function `policy`"):
        await Client().ask(GuardrailMiddleware(Says(*chat(says("secret"))), nothing))


async def test_annotations_on_request() -> None:
    guarded = GuardrailMiddleware(Says(*chat(says("a secret"))), POLICY)
    got = await Client(headers=[(b"x-guardrail-annotate", b"1")]).ask(guarded)
    assert [note["action"] for note in got.reply.guardrail] == ["annotate"]


def prompt(text: str) -> dict[str, Any]:
    return {**ASK, "messages": [{"role": "user", "content": text}]}


@pytest.mark.parametrize("length", [1, 5000])
async def test_the_prompt_is_edited_before_the_application_reads_it(length: int) -> None:
    app, records = Says(*chat(says("Hi"))), list[Record]()
    rules = policy(input=InputSection(POLICY))
    await asked(app, rules, body=prompt("secret " * length), on_record=records.append)
    assert json.loads(app.asked)["messages"][0]["content"] == "[X] " * length
    assert dict(app.scope["headers"])[b"content-length"] == b"%d" % len(app.asked)
    assert [type(record) for record in records] == [PromptRecord, StreamRecord]


async def test_a_refused_prompt_never_reaches_the_application() -> None:
    app, records = Says(*chat(says("Hi"))), list[Record]()
    rules = policy(input=InputSection(policy(halt("forbidden")), notice="No. Case {case_id}."))
    got = await asked(app, rules, body=prompt("A forbidden question"), on_record=records.append)
    case = got.headers["x-guardrail-request-id"]
    assert (got.status, got.headers["x-should-retry"]) == (400, "false")
    assert (got.json["error"]["code"], got.json["error"]["message"]) == ("content_filter", f"No. Case {case}.")
    assert app.asked == b""
    (record,) = records
    assert isinstance(record, PromptRecord)
    assert record.refused is not None


async def test_prompts_are_scored() -> None:
    model = Gated()
    rules = policy(input=InputSection(scored_policy(model)))
    got = await asked(Says(*chat(says("Hi"))), rules, body=prompt("An evil question."))
    assert got.status == 400
    assert len(model.seen) == 1


async def test_a_client_that_leaves_before_it_has_asked() -> None:
    client = Client()
    client._pieces = []
    client.gone.set()
    app = Says()
    assert (await client.ask(GuardrailMiddleware(app, POLICY))).status == 0
    assert app.scope == {}


async def test_the_paths_of_an_application() -> None:
    guarded = GuardrailMiddleware(Says(*chat(says("secret"))), POLICY, paths={"/ask": "openai_chat"})
    assert (await Client("/ask").ask(guarded)).reply.text() == "[X]"
    assert (await Client(CHAT).ask(guarded)).reply.text() == "secret"
