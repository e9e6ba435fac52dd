"""What the proxy knows of each protocol."""

from __future__ import annotations

import json

from guardrail.proxy.routes import GUARDED
from guardrail.wire.protocol import Refusal

PROTOCOLS = {protocol.name: protocol for _, protocol in GUARDED}


def test_every_protocol_tells_an_error_in_json_and_has_a_key_that_no_error_has() -> None:
    for name, protocol in PROTOCOLS.items():
        body = protocol.error_body(Refusal(404, "invalid_request_error", "No such path.", "unknown_path"))
        assert "No such path." in json.dumps(json.loads(body)), name
        assert protocol.answer_key.startswith(b'"')
        assert protocol.answer_key not in body, name
