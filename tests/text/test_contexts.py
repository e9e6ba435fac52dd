"""Which text a context word reaches, and for how long it is remembered."""

from __future__ import annotations

from guardrail.text.contexts import Contexts
from tests.text.script import pattern, word


def test_how_far_a_word_reaches() -> None:
    contexts = Contexts([word("x"), pattern("1", context=("no",), contextual=True, within=5)])
    assert not contexts
    contexts.add(1, 10)
    assert [at for at in range(30) if contexts.covers(1, at)] == [10, 11, 12, 13, 14, 15]
    contexts.forget(15)
    assert contexts
    contexts.forget(16)
    assert not contexts
    assert not contexts.covers(1, 12)


def test_words_of_several_rules() -> None:
    contexts = Contexts([pattern("1", context=("no",), within=1), pattern("1", context=("no",), within=9)])
    contexts.add(0, 0)
    contexts.add(1, 0)
    assert (contexts.covers(0, 5), contexts.covers(1, 5)) == (False, True)
    contexts.forget(5)
    assert contexts.covers(1, 9)
