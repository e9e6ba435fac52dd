"""The periodic report as one HTML page, in English or Chinese: no script, nothing loaded from elsewhere, made to print.

Pure, and the same page for the same figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Literal

from guardrail.governance.counters import Kind
from guardrail.governance.report import Figures, Table

Language = Literal["en", "zh"]

STYLE = """
:root { color-scheme: light dark; --ink: #1d1f23; --page: #fff; --faint: #d8dbe0; --soft: #666c75; --good: #187a45;
  --bad: #b3261e; --open: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --page: #15171a; --faint: #34383e; --soft: #9aa1ab;
  --good: #6fd39b; --bad: #f2897f; --open: #e5b566; } }
@media print { :root { color-scheme: light; --ink: #000; --page: #fff; --faint: #bbb; --soft: #444; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); margin: 2rem auto;
  max-width: 60rem; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 2.2rem; break-after: avoid; }
.note { color: var(--soft); } .wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; break-inside: avoid; }
th, td { padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--faint); text-align: left; vertical-align: top; }
th.number, td.number { text-align: right; padding-right: 0; } tfoot td { font-weight: 600; border-bottom: none; }
.good { color: var(--good); } .bad { color: var(--bad); } .open { color: var(--open); }
code { overflow-wrap: anywhere; }
"""

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Report on safety and complaints",
        "days": "{first} to {last} (UTC), made {made}.",
        "tenant": "About the tenant {tenant} alone.",
        "withheld": "A dash stands for a number that is withheld: it, or one that it gives away, is below {smallest}.",
        "exact": "Every number is exact.",
        "none": "None.",
        "total": "Together",
        "count": "Number",
        "average": "On average a decision on a {kind} took {days} days.",
        "waiting": "When this report was made {open} complaints waited for a decision; {overdue} of them were late.",
        "tenants": "By tenant",
        "what": "What these numbers are: counts of requests, measures and decisions; never of what a person wrote.",
    },
    "zh": {
        "title": "安全与投诉处理报告",
        "days": "{first} 至 {last}(UTC),生成于 {made}。",
        "tenant": "仅涉及租户 {tenant}。",
        "withheld": "破折号表示该数字不予公布:该数字本身或可由其推算出的数字小于 {smallest}。",
        "exact": "所有数字均为精确值。",
        "none": "无。",
        "total": "合计",
        "count": "数量",
        "average": "处理一件 {kind} 平均用时 {days} 天。",
        "waiting": "生成本报告时,有 {open} 件投诉等待处理,其中 {overdue} 件已逾期。",
        "tenants": "按租户",
        "what": "以上数字统计的是请求、处置和决定的数量,从不涉及个人所写的内容。",
    },
}

TITLES: dict[Kind, tuple[str, str]] = {
    Kind.REQUESTS: ("Requests, by how they ended", "请求及其结果"),
    Kind.FINDINGS: ("What was found, by category and action", "检出内容(按类别和处理方式)"),
    Kind.HALTS: ("Answers ended by a rule", "被规则终止的回答"),
    Kind.RETRACTIONS: ("Answers withdrawn", "被撤回的回答"),
    Kind.RESTRICTIONS: ("Answers and prompts stopped, with reasons kept", "附理由保存的被终止回答与被拒绝提示"),
    Kind.STRIKES: ("Strikes", "违规记录"),
    Kind.MEASURES: ("Measures against users", "对用户采取的处置"),
    Kind.LIFTED: ("Measures taken back", "被撤销的处置"),
    Kind.CASES: ("Cases", "案件"),
    Kind.COMPLAINTS: ("Complaints received", "收到的投诉"),
    Kind.DECISIONS: ("Complaints decided", "已处理的投诉"),
    Kind.LATE: ("Late decisions and answers", "逾期的决定与答复"),
    Kind.REMOVALS: ("Orders to remove output", "删除输出的通知"),
    Kind.DATA_REQUESTS: ("Requests about personal data", "个人信息请求"),
    Kind.DATA_ANSWERS: ("Requests about personal data answered", "已答复的个人信息请求"),
    Kind.LABELS: ("Answers labelled as made by AI", "已标识的人工智能生成内容"),
    Kind.UNLABELLED: ("Answers without a label, under an agreement", "依协议未加标识的回答"),
    Kind.DISCLOSURES: ("Answers that say that this is an AI", "告知对方为人工智能的回答"),
    Kind.REMINDERS: ("Reminders in long sessions", "长时间使用提醒"),
    Kind.QUIET: ("Requests refused in quiet hours", "安静时段拒绝的请求"),
    Kind.MINORS: ("Requests under the policy for minors", "适用未成年人策略的请求"),
    Kind.CRISIS: ("Referrals to crisis services", "危机求助资源转介"),
    Kind.LIMITED: ("Requests refused by a limit", "因限额被拒绝的请求"),
}
DETAILS = {
    "outcome": "结果",
    "side": "方向",
    "category": "类别",
    "action": "处理",
    "measure": "处置",
    "by": "决定者",
    "why": "原因",
    "kind": "种类",
    "state": "状态",
    "how": "方式",
    "what": "内容",
    "limit": "限额",
    "tenant": "租户",
}


def page(figures: Figures, language: Language = "en") -> str:
    """The page."""
    words = WORDS[language]
    days = words["days"].format(first=figures.first, last=figures.last, made=figures.made_at)
    tenant = "" if figures.tenant is None else words["tenant"].format(tenant=figures.tenant)
    kept = words["exact"] if figures.smallest <= 1 else words["withheld"].format(smallest=figures.smallest)
    parts = [
        "<!doctype html>",
        f'<html lang="{language}"><head><meta charset="utf-8"><title>{escape(words["title"])}</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{STYLE}</style></head><body><h1>{escape(words['title'])}</h1>",
        f'<p>{escape(f"{days} {tenant}".strip())}</p><p class="note">{escape(kept)} {escape(words["what"])}</p>',
        *(_table(table, language) for table in figures.tables),
        *_waiting(figures, words),
    ]
    if figures.tenants:
        parts.append(f"<h2>{escape(words['tenants'])}</h2>")
        parts += [_table(table, language, "h3") for table in figures.tenants]
    parts.append(f'<p class="note">{escape(figures.generator)}</p></body></html>')
    return "\n".join(part for part in parts if part) + "\n"


def _table(table: Table, language: Language, tag: str = "h2") -> str:
    words = WORDS[language]
    title = f"<{tag}>{escape(TITLES[Kind(table.kind)][language == 'zh'])}</{tag}>"
    if not table.rows:
        return f'{title}<p class="note">{escape(words["none"])}</p>'
    names = [DETAILS[name] if language == "zh" else name.capitalize() for name in table.details]
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(detail)}</td>' for detail in row.details)}"
        f'<td class="number">{_number(row.count)}</td></tr>'
        for row in table.rows
    )
    foot = ""
    if table.details:
        foot = (
            f'<tfoot><tr><td colspan="{len(names)}">{escape(words["total"])}</td>'
            f'<td class="number">{_number(table.total)}</td></tr></tfoot>'
        )
    head += f'<th class="number">{escape(words["count"])}</th>'
    return f'{title}<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>{foot}</table></div>'


def _waiting(figures: Figures, words: dict[str, str]) -> Iterator[str]:
    for each in figures.decided:
        if each.days is not None:
            yield f"<p>{escape(words['average'].format(kind=each.kind, days=each.days))}</p>"
    said = words["waiting"].format(open=_number(figures.open), overdue=_number(figures.overdue))
    yield f"<p>{escape(said)}</p>"


def _number(count: int | None) -> str:
    return "–" if count is None else f"{count:,}"
