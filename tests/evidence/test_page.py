"""The report as a page and as Markdown: every duty with what was seen, escaped, with nothing loaded from elsewhere."""

from __future__ import annotations

import re

from guardrail.evidence.page import markdown, page, summary
from guardrail.evidence.run import DutyResult, Evidence, Tried

EVIDENCE = Evidence(
    version=1,
    generator="guardrail 0",
    made_at="2026-11-01T00:00:00Z",
    preset="house",
    title="House <rules>",
    as_of="2026-01-01",
    notice="This is no legal advice.",
    named=False,
    policy="default@0123456789ab",
    configuration="ab" * 32,
    changes=("A simulated model server answered.",),
    duties=[
        DutyResult(
            "stop", ("Law, article 1",), "Harm is stopped.", ("policies",), "holds",
            [Tried("harm-is-stopped", "It is stopped.", "holds", "Stopped: <all>.")], "To say what harm is.",
        ),
        DutyResult(
            "tell", ("Law, article 2",), "People are told.", ("service",), "fails",
            [Tried("told", "They are told.", "fails", "`service` serves")], "To tell them.",
        ),
        DutyResult("train", ("Law, article 3",), "Training is lawful.", (), "operator", [], "All of it."),
    ],
    not_covered=("Everything else.",),
)  # fmt: skip


def test_the_summary_counts() -> None:
    assert summary(EVIDENCE) == "house: 3 duties; 1 holds, 1 does not hold, 1 the operator's"
    assert not EVIDENCE.holds


def test_the_page() -> None:
    text = page(EVIDENCE)
    for said in (
        "This is no legal advice.",
        "Law, article 3",
        "does not hold",
        "Stopped: &lt;all&gt;.",
        "Everything else.",
    ):
        assert said in text
    assert "<all>" not in text
    assert "does not name this preset" in text
    assert not re.search(r"<script|<link|<img|https?://|url\(", text)


def test_markdown() -> None:
    text = markdown(EVIDENCE)
    assert text.startswith("# Evidence: House <rules>\n\n**This is no legal advice.**\n")
    assert "## tell: does not hold\n\nPeople are told.\n" in text
    assert "- does not hold: They are told. `service` serves\n" in text
    assert text.endswith("## Not covered by this preset\n\n- Everything else.\n")
