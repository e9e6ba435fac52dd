"""The report of a trial as an HTML page or as Markdown. Pure; no script, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from guardrail.evidence.run import DutyResult, Evidence, Verdict
from guardrail.governance.report_page import STYLE

SAID = {
    Verdict.HOLDS: "holds",
    Verdict.FAILS: "does not hold",
    Verdict.UNTRIED: "not tried",
    Verdict.OPERATOR: "the operator's",
}
MEANT = (
    "A duty “holds” when every check of it did, under this configuration, on the day that this report was made. A "
    "check shows what it says and no more: that a law is met is for the operator to judge."
)
_CLASS = {"holds": "good", "fails": "bad", "untried": "open", "operator": "note"}


def summary(evidence: Evidence) -> str:
    """One line: how many duties came out how."""
    counts = [f"{evidence.count(verdict)} {said}" for verdict, said in SAID.items() if evidence.count(verdict)]
    return f"{evidence.preset}: {len(evidence.duties)} duties; {', '.join(counts)}"


def page(evidence: Evidence) -> str:
    """The page."""
    title = f"Evidence: {evidence.title}"
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{STYLE}</style></head><body><h1>{escape(title)}</h1>",
        f"<p><strong>{escape(evidence.notice)}</strong></p><p>{escape(MEANT)}</p>",
        f"<p>{escape(summary(evidence))}.</p>",
        f'<p class="note">{escape(_about(evidence))}</p>',
        _list("In this trial", evidence.changes),
        *(_duty(duty) for duty in evidence.duties),
        _list("Not covered by this preset", evidence.not_covered),
        "</body></html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _about(evidence: Evidence) -> str:
    named = "" if evidence.named else " The configuration does not name this preset."
    return (
        f"Made {evidence.made_at} by {evidence.generator}. Preset {evidence.preset} as of {evidence.as_of}. Policy "
        f"{evidence.policy}. Configuration sha256 {evidence.configuration}.{named}"
    )


def _list(title: str, items: tuple[str, ...]) -> str:
    if not items:
        return ""
    return f"<h2>{escape(title)}</h2><ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>"


def _duty(duty: DutyResult) -> str:
    said = SAID[Verdict(duty.verdict)]
    rows = "".join(
        f'<tr><td class="{_CLASS[tried.state]}">{escape(SAID[Verdict(tried.state)])}</td>'
        f"<td>{escape(tried.shows or tried.check)}<br>{escape(tried.said)}</td></tr>"
        for tried in duty.checks
    )
    settings = ", ".join(f"<code>{escape(each)}</code>" for each in duty.settings)
    return (
        f'<h2>{escape(duty.id)}: <span class="{_CLASS[duty.verdict]}">{escape(said)}</span></h2>'
        f"<p>{escape(duty.asks)}</p>"
        f'<p class="note">{escape("; ".join(duty.articles))}</p>'
        + (f"<p>Served by {settings}.</p>" if settings else "")
        + (f'<div class="wide"><table>{rows}</table></div>' if rows else "")
        + f"<p>Left to the operator: {escape(duty.operator)}</p>"
    )


def markdown(evidence: Evidence) -> str:
    """The same as Markdown."""
    return "\n".join(_lines(evidence)) + "\n"


def _lines(evidence: Evidence) -> Iterator[str]:
    yield from (
        f"# Evidence: {evidence.title}",
        "",
        f"**{evidence.notice}**",
        "",
        MEANT,
        "",
        f"{summary(evidence)}.",
        "",
    )
    yield from (_about(evidence), "", *(f"- {change}" for change in evidence.changes))
    for duty in evidence.duties:
        yield from ("", f"## {duty.id}: {SAID[Verdict(duty.verdict)]}", "", duty.asks, "", "; ".join(duty.articles), "")
        if duty.settings:
            yield from (f"Served by {', '.join(f'`{each}`' for each in duty.settings)}.", "")
        for tried in duty.checks:
            yield f"- {SAID[Verdict(tried.state)]}: {tried.shows or tried.check} {tried.said}"
        yield from (*([""] if duty.checks else []), f"Left to the operator: {duty.operator}")
    if evidence.not_covered:
        yield from ("", "## Not covered by this preset", "", *(f"- {each}" for each in evidence.not_covered))
