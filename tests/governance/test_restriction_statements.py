"""Statements of reasons about a request: all that is asked for, in both languages, as data and as text."""

from __future__ import annotations

import pytest

from guardrail.governance.restriction_statements import statement, statement_text
from guardrail.governance.restrictions import Found, Restriction

PLAIN = Restriction(
    id="g-1",
    tenant="acme",
    at=0.0,
    what="halted",
    side="answer",
    found=(Found("weapons", "illicit", "high", "halt", "content", 3, 9),),
    policy="p@1",
    policy_digest="ab",
    contact="help@example.com",
    appeal_until=86400.0,
)


@pytest.mark.parametrize(("locale", "title"), [("en", "Statement of reasons"), ("zh-CN", "处理理由说明"), ("fr", "S")])
def test_in_words(locale: str, title: str) -> None:
    text = statement_text(PLAIN, locale)
    assert text.startswith(title)
    for part in ("g-1", "weapons", "p@1", "1970-01-02T00:00:00Z", "help@example.com", "/v1/guardrail/complaints"):
        assert part in text


def test_as_data() -> None:
    said = statement(PLAIN)
    assert said["measure"]["code"] == "halted"
    assert said["facts"]["found"][0]["rule"] == "weapons"
    assert said["automated"]["detection"] is said["automated"]["decision"] is True
    assert said["redress"]["until"] == "1970-01-02T00:00:00Z"
