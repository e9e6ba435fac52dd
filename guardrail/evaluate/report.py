"""A report as one HTML page: tables and drawn curves, no script, nothing loaded from elsewhere, light and dark.

Pure, and the same page for the same figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from guardrail.evaluate.plots import Line, legend, plot
from guardrail.evaluate.tables import Report, Table, percent, share, tables

_STYLE = """
:root { color-scheme: light dark; --ink: #1d1f23; --page: #fff; --faint: #d8dbe0; --soft: #666c75;
  --s0: #b4530a; --s1: #1661b8; --s2: #187a45; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --page: #15171a; --faint: #34383e; --soft: #9aa1ab;
  --s0: #f2a35e; --s1: #7ab4f5; --s2: #6fd39b; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); margin: 2rem auto;
  max-width: 75rem; padding: 0 1rem; }
p { overflow-wrap: anywhere; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 2.5rem; }
.note, figcaption { color: var(--soft); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }
th, td { padding: .2rem .6rem; border-bottom: 1px solid var(--faint); text-align: right; white-space: nowrap; }
th.name, td.name { text-align: left; }
.plots { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; width: 360px; max-width: 100%; }
.plot { width: 100%; height: auto; } .plot text { fill: var(--soft); font-size: 11px; }
.grid { stroke: var(--faint); stroke-width: .5; fill: none; } .diagonal { stroke: var(--soft); stroke-dasharray: 2 3; }
.line { fill: none; stroke-width: 1.8; } .dot { stroke: none; }
.s0 { stroke: var(--s0); stroke-dasharray: 6 3; } .s1 { stroke: var(--s1); stroke-dasharray: 2 2; }
.s2 { stroke: var(--s2); }
.dot.s0 { fill: var(--s0); } .dot.s1 { fill: var(--s1); } .dot.s2 { fill: var(--s2); }
.key { margin-right: 1.5rem; }
"""


def page(report: Report) -> str:
    """The page."""
    model = report["model"]
    title = f"Evaluation of {model['name']}"
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>",
        f'<p class="note">Model sha256 {escape(model["digest"])}.</p>',
        _data(report.get("data")),
        f"<p>{report['units']:,} units; the cascade asks the encoder about "
        f"{percent(report['encoder_share'])} of them.</p>",
        *(_table(table) for table in tables(report)),
        *_curves(report),
        "</body></html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _data(data: dict[str, Any] | None) -> str:
    if data is None:
        return ""
    files = ", ".join(f"{escape(file['name'])} (sha256 {escape(file['sha256'][:12])}…)" for file in data["files"])
    return (
        f"<p>{data['rows']:,} rows of the split {escape(data['split'])} from {files}; left out: "
        f"{data['other_splits']:,} rows of other splits, {data['not_drawn']:,} not drawn.</p>"
    )


def _table(table: Table) -> str:
    def row(cells: list[str], tag: str) -> str:
        names = "".join(f'<{tag} class="name">{escape(cell)}</{tag}>' for cell in cells[: table.names])
        return names + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells[table.names :])

    body = "".join(f"<tr>{row(cells, 'td')}</tr>" for cells in table.rows)
    return (
        f'<h2>{escape(table.title)}</h2><p class="note">{escape(table.note)}</p><div class="wide"><table>'
        f"<thead><tr>{row(table.columns, 'th')}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _curves(report: Report) -> Iterator[str]:
    stages: dict[str, Any] = report["stages"]
    styles = {name: index if len(stages) > 1 else 2 for index, name in enumerate(stages)}
    yield "<h2>Curves</h2>" + legend(list(styles.items()))
    yield from _category_curves(stages, styles)
    yield from _early_stop_curves(stages, styles)


def _category_curves(stages: dict[str, Any], styles: dict[str, int]) -> Iterator[str]:
    first = next(iter(stages.values()))["categories"]
    for category, by_language in first.items():
        figures = []
        for language, found in by_language.items():
            if not found["curve"]:
                continue
            here = {name: stage["categories"][category][language] for name, stage in stages.items()}
            areas = ", ".join(f"{name} {share(each['average_precision'])}" for name, each in here.items())
            lines = [Line(name, [(x, y) for x, y in each["curve"]], styles[name]) for name, each in here.items()]
            caption = f"{language}: AUPRC {areas}"
            figures.append(_figure(caption, plot(f"{category}, {caption}", "recall", "precision", lines)))
            lines = [
                Line(name, [(each["predicted"], each["observed"]) for each in found["bins"]], styles[name], dots=True)
                for name, found in here.items()
            ]
            caption = f"{language}: calibration"
            title = f"{category}, {caption}"
            drawn = plot(title, "predicted probability", "share of positives", lines, diagonal=True)
            figures.append(_figure(caption, drawn))
        if figures:
            yield f'<h3>{escape(category)}</h3><div class="plots">{"".join(figures)}</div>'


def _early_stop_curves(stages: dict[str, Any], styles: dict[str, int]) -> Iterator[str]:
    first = next(iter(stages.values()))["early_stop"]
    for language, found in first.items():
        if not found["answers"]:
            continue
        figures = []
        for budget in found["budgets"]:
            lines = []
            for name, stage in stages.items():
                shares = stage["early_stop"][language]["budgets"][budget]["percentiles"]
                steps = [(share, index / (len(shares) - 1)) for index, share in enumerate(shares)]
                lines.append(Line(name, steps, styles[name]))
            caption = f"{language}: lag budget {int(budget):,}"
            drawn = plot(f"early stop, {caption}", "at most this share delivered", "share of harmful answers", lines)
            figures.append(_figure(caption, drawn))
        yield f'<h3>Early stop, {escape(language)}</h3><div class="plots">{"".join(figures)}</div>'


def _figure(caption: str, drawn: str) -> str:
    return f"<figure>{drawn}<figcaption>{escape(caption)}</figcaption></figure>"
