"""Statements of reasons about one request: why an answer was halted or withdrawn, or a prompt refused. Pure.

They say what article 17(3) of Regulation (EU) 2022/2065 asks for, as those about cases do (`statements`), as data and
as text, in English and Chinese: what was restricted, the facts, automated means, the ground and redress. Never text of
a prompt or an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from guardrail.governance.complaint_terms import told
from guardrail.governance.restrictions import Restriction
from guardrail.governance.statements import APPEAL_PATH, LANGUAGES, language_of


@dataclass(frozen=True, slots=True)
class _Words:
    """What the statements about cases do not say."""

    measures: Mapping[str, str]
    scope: Mapping[str, str]
    """By side."""
    rule: str
    unjudged: str
    when: str
    version: str


_SPOKEN: Mapping[str, _Words] = {
    "en": _Words(
        measures={
            "halted": "The answer was stopped before its end.",
            "retracted": "Text of the answer that had been shown was withdrawn.",
            "refused": "The request was refused: no model answered it.",
        },
        scope={"prompt": "It concerns this request alone.", "answer": "It concerns this answer alone."},
        rule="- {side}; {category} (severity {severity}, rule {rule}), characters {start} to {end} of {channel}",
        unjudged="No rule is named: what was to be judged could not be, and the policy lets nothing pass unjudged.",
        when="On {at}.",
        version="Version {version} of it.",
    ),
    "zh": _Words(
        measures={
            "halted": "回答在结束之前被停止。",
            "retracted": "回答中已显示的文字被撤回。",
            "refused": "请求被拒绝，未由模型作答。",
        },
        scope={"prompt": "仅涉及该条请求。", "answer": "仅涉及该条回答。"},
        rule="- {side}；{category}（严重程度：{severity}，规则 {rule}），位于 {channel} 第 {start} 至 {end} 个字符",
        unjudged="未列出规则：相关内容未能完成检测，而策略不允许未经检测的内容通过。",
        when="时间：{at}。",
        version="版本：{version}。",
    ),
}


def statement(restriction: Restriction, locale: str = "") -> dict[str, Any]:
    """The statement as data: keys and codes in English, sentences in the language."""
    language = language_of(locale or restriction.locale)
    words, spoken = LANGUAGES[language], _SPOKEN[language]
    return {
        "case": restriction.id,
        "language": language,
        "measure": {
            "code": restriction.what,
            "text": spoken.measures[restriction.what],
            "scope": spoken.scope[restriction.side],
            "from": told(restriction.at),
            "until": None,
        },
        "facts": {
            "request_id": restriction.id,
            "side": restriction.side,
            "text": "" if restriction.found else spoken.unjudged,
            "found": [
                {
                    "rule": found.rule,
                    "category": found.category,
                    "severity": found.severity,
                    "action": found.action,
                    "channel": found.channel,
                    "start": found.start,
                    "end": found.end,
                }
                for found in restriction.found
            ],
        },
        "automated": {
            "detection": restriction.automated,
            "decision": restriction.automated,
            "text": words.by["automatic", "automatic"],
        },
        "ground": {
            "kind": "terms",
            "text": words.ground[False].format(ground=restriction.ground or words.unnamed),
            "policy": restriction.policy,
            "policy_digest": restriction.policy_digest,
            "policy_version": restriction.policy_version or None,
        },
        "redress": {
            "until": told(restriction.appeal_until),
            "path": APPEAL_PATH,
            "contact": restriction.contact,
            "text": _appeal(restriction, language),
            "others": words.others,
        },
    }


def statement_text(restriction: Restriction, locale: str = "") -> str:
    """The same as plain text, a heading and a paragraph for each part."""
    language = language_of(locale or restriction.locale)
    words, spoken = LANGUAGES[language], _SPOKEN[language]
    facts = [
        spoken.rule.format(
            side=words.sides[restriction.side],
            category=words.categories.get(found.category, found.category),
            severity=words.severities[found.severity],
            rule=found.rule,
            channel=found.channel,
            start=found.start,
            end=found.end,
        )
        for found in restriction.found
    ]
    ground = [
        words.ground[False].format(ground=restriction.ground or words.unnamed),
        words.under.format(policy=restriction.policy, digest=restriction.policy_digest),
    ]
    if restriction.policy_version:
        ground.append(spoken.version.format(version=restriction.policy_version))
    redress = [_appeal(restriction, language), words.others]
    if restriction.contact:
        redress.insert(1, words.contact.format(contact=restriction.contact))
    parts = {
        "case": [restriction.id],
        "measure": [
            spoken.measures[restriction.what],
            spoken.scope[restriction.side],
            spoken.when.format(at=told(restriction.at)),
        ],
        "facts": facts or [spoken.unjudged],
        "automated": [words.by["automatic", "automatic"]],
        "ground": ground,
        "redress": redress,
    }
    said = [f"{words.parts[part]}\n" + "\n".join(lines) for part, lines in parts.items()]
    return f"{words.title}\n\n" + "\n\n".join(said) + "\n"


def _appeal(restriction: Restriction, language: str) -> str:
    until = told(restriction.appeal_until)
    return LANGUAGES[language].appeal.format(until=until, path=APPEAL_PATH, case=restriction.id)
