"""The page of a report: self-contained, in both languages, with every table, and what is withheld as a dash."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from html.parser import HTMLParser

import pytest

from guardrail.governance.counters import MEANINGS, Kind, count
from guardrail.governance.report import NOT_COUNTED, Waiting, figures
from guardrail.governance.report_page import DETAILS, TITLES, WORDS, Language, page

COUNTS = dict(
    count(
        "<acme>",
        *((kind, *(f"{name}&1" for name in meaning.details), 1234) for kind, meaning in MEANINGS.items()),
        (Kind.STRIKES, "hate", 2),
    ).counts
)
FIGURES = figures(
    COUNTS,
    Waiting(9, 7),
    date(2026, 10, 1),
    date(2026, 10, 31),
    datetime(2026, 11, 1, tzinfo=UTC),
    by_tenant=True,
)
LANGUAGES: tuple[Language, ...] = ("en", "zh")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_holds_every_table(language: Language) -> None:
    text = page(FIGURES, language)
    assert f'<html lang="{language}">' in text
    for kind in Kind:
        if kind not in NOT_COUNTED:
            assert TITLES[kind][language == "zh"] in text
    assert "1,234" in text
    assert "–" in text
    assert "&lt;acme&gt;" in text
    assert "<acme>" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_loaded_and_nothing_runs(language: Language) -> None:
    text = page(FIGURES, language)
    assert not re.search(r"<script|<link|<img|https?://|url\(", text)
    opened: list[str] = []

    class Balance(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag != "meta":
                opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

    Balance().feed(text)
    assert opened == []


def test_both_languages_say_everything() -> None:
    assert WORDS["en"].keys() == WORDS["zh"].keys()
    assert {name for kind in TITLES for name in MEANINGS[kind].details} <= DETAILS.keys()
    assert set(Kind) - NOT_COUNTED == TITLES.keys()


def test_an_empty_report_says_so() -> None:
    empty = figures({}, Waiting(0, 0), date(2026, 10, 1), date(2026, 10, 1), datetime(2026, 11, 1, tzinfo=UTC))
    text = page(empty)
    assert text.count("None.") == len(TITLES)
    assert "<table>" not in text
