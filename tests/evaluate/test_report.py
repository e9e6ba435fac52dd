"""The page: well formed, whole in itself, nothing of a name taken for markup."""

from __future__ import annotations

from html.parser import HTMLParser

from guardrail.evaluate.figures import measure
from guardrail.evaluate.report import page
from guardrail.evaluate.tables import tables
from tests.evaluate.fake import FakeModel
from tests.evaluate.test_figures import ROWS, SCOPE

VOID = {"meta", "path", "circle", "br"}


class Reader(HTMLParser):
    """Raises for what is not closed as it was opened; keeps tags, addresses and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.addresses: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.addresses += [str(value) for name, value in attrs if name in ("href", "src", "xlink:href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


def test_the_page() -> None:
    report = measure(FakeModel(), ROWS, SCOPE, limit=1)
    file = {"name": "<rows>.jsonl", "sha256": "a" * 64}
    report["data"] = {"files": [file], "rows": 9, "split": "dev", "other_splits": 4, "not_drawn": 0}
    html = page(report)
    found = read(html)
    assert "9 rows of the split dev from <rows>.jsonl (sha256 aaaaaaaaaaaa…)" in found.text
    assert "the cascade asks the encoder about 54.5% of them" in found.text
    for table in tables(report):
        assert table.title in found.text
    assert {"script", "link", "img", "iframe"} & set(found.seen) == set()
    assert found.addresses == []
    assert "url(" not in html
    assert "prefers-color-scheme: dark" in html
    assert found.seen.count("table") == 6
    # hate and unsafe have both kinds of rows in both languages; harassment, by one row, in English and so in all.
    assert found.seen.count("figure") == (2 * 3 + 2 * 3 + 2 * 2) + 3 * 3
    assert 'aria-label="hate, en: AUPRC gate ' in html
    assert 'aria-label="early stop, en: lag budget 100"' in html
    assert 'aria-label=""' not in html
    assert page(report) == html


def test_a_model_of_one_stage_and_no_thresholds() -> None:
    model = FakeModel(gate=False)
    model.thresholds = {}
    model.name = "<script>"
    found = read(page(measure(model, ROWS, None, limit=1)))
    assert "Evaluation of <script>" in found.text
    assert "Early stop" not in found.text
    assert "script" not in found.seen
