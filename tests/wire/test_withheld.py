"""A part that is withheld: kept events when nothing changed, the account when something did."""

from __future__ import annotations

import json
from typing import Any

from guardrail.text.scanner import compile_rules
from guardrail.wire.whole_text import Verdicts
from guardrail.wire.withheld import KEPT_BYTES, Part, Text, Withheld
from tests.wire.chat import halt, redact

RULES = compile_rules([redact("secret"), halt("forbidden")])


class Search(Part):
    """A part of the tests' own: one query, in pieces."""

    def __init__(self) -> None:
        super().__init__()
        self.query: list[str] = []

    def take(self, raw: bytes, value: Any, said: Any) -> None:
        self.query.append(said)
        self.keep(raw, len(said))

    def texts(self) -> list[Text]:
        return [Text("search.query", "".join(self.query)), Text("search.name", "find", json=False)]

    def say(self, texts: list[Text]) -> list[bytes]:
        return [text.now.encode() for text in texts]


def search(*pieces: str) -> Search:
    made = Search()
    for piece in pieces:
        made.take(piece.encode(), None, piece)
    made.scan(RULES, "x.", Verdicts())
    return made


def test_a_clean_part_goes_as_it_came() -> None:
    it: Withheld = search('{"q":', "1}")
    assert (it.withheld, it.release(), it.withheld) == (7, [b'{"q":', b"1}"], 0)


def test_an_edited_part_is_said_again() -> None:
    it = search('{"q":"a sec', 'ret"}')
    said, name = it.release()
    assert (json.loads(said), name) == ({"q": "a [X]"}, b"find")
    assert [(finding.channel, finding.start) for finding in it.findings] == [("x.search.query", 8)]
    assert (it.removed, it.dropped) == (6, 0)


def test_a_part_too_long_to_keep_is_said_again() -> None:
    it = search('"', "x" * KEPT_BYTES, '"')
    assert len(it.release()) == 2


def test_a_part_that_halts_is_not_delivered() -> None:
    it = search('"forbidden"')
    assert it.halted is not None
    assert (it.release(), it.removed) == ([], it.received)
    other = search('"fine"')
    other.drop()
    assert (other.dropped, other.withheld) == (6, 0)
