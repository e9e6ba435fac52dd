"""Every client of `clients.py` in every case of `cases.py`: the real, pinned packages, in front of `guardrail serve`.

Only the address and the key are set, as docs/clients.md shows. What is asserted is what the client's own helper gives
its user: the whole text, reasoning, tool calls, the ending in the client's own words, or what it raises.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.cases import BY_NAME, CASES, NOTICE, POLICY, REFUSAL, REFUSED, Case
from tests.conformance.clients import CLIENTS, Client
from tests.conformance.drive import Driver
from tests.conformance.servers import KEY, configure, last_generation, listening

CELLS = [(client, case) for client in CLIENTS for case in CASES if case.name not in client.absent]
ROWS = [f"{client.runs_on}-{client.key}" for client in CLIENTS]
NAMES = [f"{client.runs_on}-{client.key}-{case.name}" for client, case in CELLS]


@pytest.fixture(scope="session")
def guardrail(simulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    config = configure(tmp_path_factory.mktemp("config"), simulator, POLICY)
    with contextlib.ExitStack() as stack:
        (url,) = stack.enter_context(listening(["serve", "--config", str(config)]))
        yield url


def expected(client: Client, case: Case) -> dict[str, Any]:
    """What the client's user must get, field by field."""
    return {**_expected(client, case), **client.odd.get(case.name, ({}, ""))[0]}


def _expected(client: Client, case: Case) -> dict[str, Any]:
    if case.fails == "json":
        return {"error": client.unparsed, "parsed": None}
    if case.fails:
        return {"error": client.fault if case.fails == "fault" else client.refusal, "streamed": case.text}
    if case.parsed:
        return {"error": "", "parsed": case.parsed}
    text, refusal = case.text, ""
    if "halt" in case.endings and client.notice != "text":
        kept = [said.removesuffix(NOTICE) for said in case.text]
        as_text = client.notice == "refusal as text"
        text, refusal = ([said + REFUSAL for said in kept], "") if as_text else (kept, REFUSAL)
    found = {
        "error": "",
        "text": text,
        "refusal": refusal,
        "reasoning": case.reasoning,
        "calls": case.calls,
        "finish": [client.words[ending] for ending in case.endings],
    }
    if case.ask.get("stream", True):
        found |= {"streamed": text, "helper_error": client.final if "halt" in case.endings else ""}
    return found


def check(client: Client, case: Case, heard: dict[str, Any]) -> None:
    """`heard`: what the client's user got."""
    wanted = expected(client, case)
    assert {name: heard[name] for name in wanted} == wanted, heard["message"]
    said = json.dumps(heard, ensure_ascii=False)
    assert [secret for secret in case.never if secret in said] == []
    if case.fails == "refusal":
        assert not heard["error"] or REFUSED in heard["message"], "the client says why"
    elif not case.fails and not case.parsed:
        assert heard["tokens"], "usage reaches the client"
    if client.told and "halt" in case.endings and not case.fails:
        assert heard["note"]["action"] == "halt"


@pytest.mark.parametrize(("client", "case"), CELLS, ids=NAMES)
def test_what_the_user_of_a_client_gets(client: Client, case: Case, driver: Driver, guardrail: str) -> None:
    check(client, case, driver.ask(client, base=guardrail, key=KEY, prompt=case.prompt, **case.ask))


@pytest.mark.parametrize("size", ["1", "1000"])
@pytest.mark.parametrize("client", CLIENTS, ids=ROWS)
def test_how_the_model_server_cuts_its_answer_makes_no_difference(
    client: Client, size: str, driver: Driver, guardrail: str
) -> None:
    headers = {"x-simulate-token-size": size}
    for case in CASES:
        if case.name not in client.absent and case.fails != "fault" and case.ask.get("stream", True):
            ask = {**case.ask, "headers": headers}
            check(client, case, driver.ask(client, base=guardrail, key=KEY, prompt=case.prompt, **ask))


@pytest.mark.parametrize(
    "client", [client for client in CLIENTS if client.runs_on == "python"], ids=lambda client: client.key
)
def test_the_asynchronous_twin_of_a_client_gives_the_same(client: Client, driver: Driver, guardrail: str) -> None:
    for case in CASES:
        if case.name not in client.absent:
            ask = {"prompt": case.prompt, **case.ask, "asynchronous": True}
            check(client, case, driver.ask(client, base=guardrail, key=KEY, **ask))


@pytest.mark.parametrize("client", CLIENTS, ids=ROWS)
def test_a_halt_stops_the_model_server(client: Client, driver: Driver, guardrail: str, simulator: str) -> None:
    case = BY_NAME["middle"]
    headers = {"x-simulate-delay": "5"}
    check(client, case, driver.ask(client, base=guardrail, key=KEY, prompt=case.prompt, headers=headers))
    last = last_generation(simulator)
    assert last["state"] == "aborted"
    assert last["generated"] < last["planned"]


@pytest.mark.parametrize("client", CLIENTS, ids=ROWS)
def test_annotations_disturb_no_client(client: Client, driver: Driver, guardrail: str) -> None:
    for name in ("clean", "redact", "middle"):
        case = BY_NAME[name]
        ask = {**case.ask, "headers": {"x-guardrail-annotate": "1"}}
        check(client, case, driver.ask(client, base=guardrail, key=KEY, prompt=case.prompt, **ask))


@pytest.mark.parametrize("name", ["clean", "thoughts", "calls"])
@pytest.mark.parametrize("client", CLIENTS, ids=ROWS)
def test_a_clean_answer_is_what_it_is_without_guardrail(
    client: Client, name: str, driver: Driver, guardrail: str, simulator: str
) -> None:
    case = BY_NAME[name]
    direct, guarded = (
        driver.ask(client, base=base, key=KEY, prompt=case.prompt, **case.ask) for base in (simulator, guardrail)
    )
    assert direct == guarded


@pytest.mark.parametrize("api", ["openai", "anthropic", "ollama", "google"])
def test_models_embeddings_and_counts_pass(api: str, driver: Driver, guardrail: str, simulator: str) -> None:
    direct, guarded = (
        driver.run("python", "passing", base=base, key=KEY, prompt="How long is this?", provider=api)
        for base in (simulator, guardrail)
    )
    assert guarded["error"] == "", guarded["message"]
    assert "sim" in guarded["text"][0]
    assert direct == guarded


@pytest.mark.parametrize("client", CLIENTS, ids=ROWS)
def test_every_case_that_a_client_lacks_is_one_of_the_cases_and_says_why(client: Client) -> None:
    assert set(client.absent) | set(client.odd) <= set(BY_NAME)
    assert all(client.absent.values())
    assert all(reason for _, reason in client.odd.values())
