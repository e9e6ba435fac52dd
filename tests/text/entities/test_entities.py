"""All entities together: their names, their page, checks that answer about any text, and no twin left out."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.text.entities import ENTITIES, Entity
from guardrail.text.rules import Action
from guardrail.text.scanner import compile_rules
from tests.text.entities.matching import plain, scan

PAGE = Path(__file__).parents[3] / "docs" / "entities.md"
SOURCES = Path(__file__).parents[3] / "guardrail" / "text" / "entities"
EVERY = list(ENTITIES.values())

# Text made of what the checks look at, so that they see more than noise.
alphabets = (
    st.text(max_size=40) | st.text("0123456789+-.() :/@xXaAfF=_", max_size=40) | st.text("٣४五Ⅳ²½０-", max_size=40)
)


def by_name(entity: Entity) -> str:
    return entity.name


def test_each_file_is_collected_under_its_name() -> None:
    files = {path.stem for path in SOURCES.glob("*.py") if "\nENTITY = " in path.read_text("utf-8")}
    assert set(ENTITIES) == files
    assert all(name == entity.name for name, entity in ENTITIES.items())


@pytest.mark.parametrize("entity", EVERY, ids=by_name)
def test_each_is_documented_with_its_label(entity: Entity) -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith(f"| `{entity.name}` |")]
    assert len(rows) == 1
    assert f"`{entity.label}`" in rows[0]


@pytest.mark.parametrize("entity", [e for e in EVERY if e.accept is not None], ids=by_name)
@given(alphabets)
def test_a_check_answers_about_any_text(entity: Entity, text: str) -> None:
    for accept in entity.accept if isinstance(entity.accept, tuple) else (entity.accept,):
        assert accept is None or accept(text) in (True, False)


@given(st.lists(st.sampled_from([text for e in EVERY for text in e.hits + e.misses]), max_size=3))
def test_together_they_find_what_each_finds_alone(texts: list[str]) -> None:
    text = "\n".join(texts)
    found = scan(ALL, text, max(1, len(text)))
    counts = {e.name: sum(f.rule == f"entity.{e.name}" for f in found) for e in EVERY}
    assert counts == {e.name: len(plain(e, text)) for e in EVERY}


ALL = compile_rules([entity.rule(Action.LOG) for entity in EVERY])
