"""Labels in every client of `clients.py`: its own helper gives the text that it gives without, and the label around it.

Calls of tools, structured output, refusals and endings are what they are without labels. The same for what stands in
front and what stands behind, streamed or not.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from guardrail.governance.label_terms import TEXTS
from tests.conformance.cases import BY_NAME, POLICY, Case
from tests.conformance.clients import CLIENTS, Client
from tests.conformance.drive import Driver
from tests.conformance.servers import KEY, configure, listening

NAMES = ("clean", "thoughts", "redact", "start", "middle", "tool", "parallel", "two", "body", "halted", "calls")
UNTOUCHED = ("json", "cut", "refused")
ROWS = [f"{client.runs_on}-{client.key}" for client in CLIENTS]


@pytest.fixture(scope="session")
def guardrails(simulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Guardrails in front of the same model server, by where they say their label; "": nowhere."""
    with contextlib.ExitStack() as stack:
        urls = {}
        for placed in ("", "start", "end"):
            folder = tmp_path_factory.mktemp("labels")
            config = configure(folder, simulator, POLICY)
            if placed:
                _label(config, placed)
            (urls[placed],) = stack.enter_context(listening(["serve", "--config", str(config)]))
        yield urls


def _label(config: Path, placed: str) -> None:
    settings = yaml.safe_load(config.read_text(encoding="utf-8"))
    settings["terms"] = {"labels": {"explicit": placed, "provider": "Example"}}
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")


def labelled(heard: dict[str, Any], placed: str) -> list[str]:
    """The texts of the choices, with what stands around those that have words."""
    out = []
    for text, finish in zip(heard["text"], heard["finish"], strict=True):
        words = text
        if not text:
            pass  # the client leaves it out
        elif placed == "start":
            words = f"{TEXTS['en']}\n\n{text}"
        elif not heard["calls"] or finish in ("content_filter", "content-filter", "refusal", "SAFETY"):
            words = f"{text}\n\n{TEXTS['en']}"
        out.append(words)
    return out


@pytest.mark.parametrize("placed", ["start", "end"])
@pytest.mark.parametrize("client", CLIENTS, ids=ROWS)
def test_clients_add_up_the_label_and_the_answer(
    client: Client, placed: str, driver: Driver, guardrails: dict[str, str]
) -> None:
    for name in NAMES:
        case = BY_NAME[name]
        if name in client.absent:
            continue
        plain, heard = (_ask(driver, client, guardrails[where], case) for where in ("", placed))
        whole = [f"{text}{plain['refusal']}" for text in plain["text"]]
        said = [f"{text}{heard['refusal']}" for text in heard["text"]]
        assert said == labelled({**plain, "text": whole}, placed), name
        for key in ("calls", "finish", "reasoning", "error", "helper_error"):
            assert heard.get(key) == plain.get(key), (name, key)


@pytest.mark.parametrize("client", CLIENTS, ids=ROWS)
def test_structured_output_and_refusals_are_untouched(
    client: Client, driver: Driver, guardrails: dict[str, str]
) -> None:
    for name in UNTOUCHED:
        if name not in client.absent:
            plain, *others = (_ask(driver, client, url, BY_NAME[name]) for url in guardrails.values())
            for heard in others:
                assert {**heard, "message": "", "note": None} == {**plain, "message": "", "note": None}, name


def _ask(driver: Driver, client: Client, url: str, case: Case) -> dict[str, Any]:
    return driver.ask(client, base=url, key=KEY, prompt=case.prompt, **case.ask)
