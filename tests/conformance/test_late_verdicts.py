"""Verdicts that come when the text is already delivered: the answer is withdrawn, and every client takes it as a halt.

The policy lets text go ahead of its classifier, which is a detector that answers when the model server has finished.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.conformance.cases import BY_NAME, NOTICE, PASS, REFUSAL
from tests.conformance.clients import CLIENTS, Client
from tests.conformance.drive import Driver
from tests.conformance.servers import KEY, configure, last_generation, listening

POLICY: dict[str, Any] = {
    "policy": "acme",
    "notice": {"en": NOTICE},
    "classifier": {
        "lag_budget": 1000,
        "deadline": 60,
        "categories": {"harassment": {"at": 0.5, "action": "halt", "severity": "high"}},
    },
}


@contextlib.contextmanager
def detector(simulator: str) -> Iterator[str]:
    """A detector of the FMS Guardrails API. It looks at a text once the model server has generated its last token."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            last_generation(simulator)
            found = [
                {"start": 0, "end": len(text), "text": text, "detection": "bad", "detection_type": "bad", "score": 0.99}
                for text in asked["contents"]
            ]
            said = json.dumps([[hit] if PASS in hit["text"] else [] for hit in found]).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def guardrail(simulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with detector(simulator) as url:
        remote = {"format": "fms", "url": url, "detector": "bad", "labels": {"bad": "harassment"}}
        policy = {**POLICY, "classifier": {**POLICY["classifier"], "remote": remote}}
        config = configure(tmp_path_factory.mktemp("late"), simulator, policy)
        with listening(["serve", "--config", str(config)]) as (served,):
            yield served


@pytest.mark.parametrize("client", CLIENTS, ids=[f"{client.runs_on}-{client.key}" for client in CLIENTS])
def test_a_late_verdict_is_a_halt_to_every_client(client: Client, driver: Driver, guardrail: str) -> None:
    heard = driver.ask(client, base=guardrail, key=KEY, prompt=BY_NAME["middle"].prompt)
    assert heard["error"] == "", heard["message"]
    (streamed,), finish = heard["streamed"], heard["finish"]
    assert PASS in streamed, "it was delivered before it was judged"
    said = {"text": streamed, "refusal": heard["refusal"], "refusal as text": streamed}[client.notice]
    assert said.endswith(NOTICE if client.notice == "text" else REFUSAL)
    word = client.words["halt"]
    assert finish == ["SAFETY" if word == "BLOCKLIST" else word]  # Gemini's reasons go by what was found
    if client.told:
        assert heard["note"]["action"] == "retract"
