"""What the proxy knows of each protocol."""

from __future__ import annotations

import json

from guardrail.proxy.routes import GUARDED
from guardrail.text.rules import Action, Finding
from guardrail.wire.protocol import Refusal
from guardrail.wire.request import ModelRequest

PROTOCOLS = {protocol.name: protocol for _, protocol in GUARDED}


def test_every_protocol_tells_an_error_in_json_and_has_a_key_that_no_error_has() -> None:
    for name, protocol in PROTOCOLS.items():
        body = protocol.error_body(Refusal(404, "invalid_request_error", "No such path.", "unknown_path"))
        assert "No such path." in json.dumps(json.loads(body)), name
        assert protocol.answer_key.startswith(b'"')
        assert protocol.answer_key not in body, name


def test_a_refused_prompt_is_told_as_an_error_unless_the_protocol_has_another_way() -> None:
    found = Finding(0, 4, "r", "illicit", "high", Action.HALT, "messages[0].content")
    for name, protocol in PROTOCOLS.items():
        reply = protocol.refused(ModelRequest(), "g-1", "Not this.", found)
        said = json.loads(reply.body)
        assert "Not this." in json.dumps(said), name
        assert reply.status == (400 if protocol.refuse_prompt is None else 200), name
        if name.startswith("openai"):
            assert said["error"]["code"] == "content_filter"
            assert said["error"]["param"] == protocol.prompt_field
