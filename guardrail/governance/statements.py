"""Statements of reasons: a case as the person concerned is told it, as data and as text, in English and Chinese. Pure.

They say what article 17(3) of Regulation (EU) 2022/2065 asks for: the measure with its scope and duration (a), facts
and circumstances (b), automated means (c), the ground (d, e) and redress (f). Never text of a prompt or an answer, and
no name of who decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from guardrail.governance.cases import Case

APPEAL_PATH = "/v1/guardrail/complaints"
"""Where a case is appealed, on the listener that the person's application speaks to."""


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language."""

    title: str
    parts: Mapping[str, str]
    """Headings."""
    measures: Mapping[str, str]
    steps: Mapping[str, str]
    """The same in a word."""
    statuses: Mapping[str, str]
    verdicts: Mapping[str, str]
    sides: Mapping[str, str]
    severities: Mapping[str, str]
    categories: Mapping[str, str]
    """Of the shipped rules; others stand as they are."""
    scope: Mapping[bool, str]
    """By whether it is a removal."""
    from_until: str
    from_on: str
    because: Mapping[str, str]
    strike: str
    by: Mapping[tuple[str, str], str]
    """By who detected and who decided."""
    ground: Mapping[bool, str]
    """By whether it is a law."""
    unnamed: str
    under: str
    appeal: str
    contact: str
    others: str
    decided: str
    told: Mapping[str, str]
    """What a notice or a refusal says of the measure in force."""
    ends: str
    objects: str


_ENGLISH = Words(
    title="Statement of reasons",
    parts={
        "case": "Case",
        "status": "Status",
        "measure": "Measure",
        "facts": "Facts",
        "automated": "Automated means",
        "ground": "Ground",
        "redress": "How to object",
        "decisions": "Decisions since",
    },
    measures={
        "warn": "A warning: the next answer began with a notice.",
        "restrict": "Restriction: requests are answered under a stricter policy, and more slowly.",
        "suspend": "Suspension: requests are refused for a time.",
        "terminate": "Termination: requests are refused.",
        "remove": "Removal: an answer that had been given was withdrawn.",
    },
    steps={
        "warn": "a warning",
        "restrict": "a restriction",
        "suspend": "a suspension",
        "terminate": "termination",
    },
    statuses={
        "open": "not reviewed by a person yet",
        "upheld": "upheld by a person",
        "overridden": "changed by a person",
        "lifted": "lifted: the measure does not hold any more",
    },
    verdicts={"uphold": "upheld", "override": "changed to {to}", "lift": "lifted"},
    sides={"prompt": "what you wrote", "answer": "the answer to it"},
    severities={"low": "low", "medium": "medium", "high": "high", "critical": "critical"},
    categories={
        "illicit": "help with crime, weapons or drugs",
        "hate": "attacks on people for what they are",
        "harassment": "insults, threats or bullying",
        "sexual": "sexual content",
        "violence": "violence",
        "self_harm": "self-harm",
        "profanity": "coarse language",
        "fraud": "fraud",
        "jailbreak": "getting around the rules of the service",
        "prompt_injection": "instructions slipped in to a model",
        "prompt_extraction": "getting at the instructions of a model",
        "unsafe": "harm",
    },
    scope={
        False: "It holds for you alone, in this service, wherever you use it from.",
        True: "It concerns this answer alone, wherever it was shown.",
    },
    from_until="From {begun} until {until}.",
    from_on="From {begun}, without an end that is set.",
    because={
        "conduct": "Requests of yours were stopped. Each adds points that fade with time; with {points} points the "
        "threshold of {threshold} for this step was reached.",
        "manual": "A person working for the service decided on it.",
        "removal": "The answer was found to be unlawful, or against the terms, after it had been given.",
    },
    strike="- {time}, request {request}: {side}; {category} (severity {severity}, rule {rule}, policy {policy}): "
    "{points} points",
    by={
        ("automatic", "automatic"): "Detected and decided automatically. A person looks at it when you ask.",
        ("automatic", "person"): "Detected automatically, decided by a person.",
        ("person", "person"): "Detected and decided by people.",
        ("person", "automatic"): "Detected by a person, decided automatically.",
    },
    ground={
        False: "It goes against the terms of the service: {ground}. The content was stopped by the rules named above.",
        True: "The content is held to be unlawful: {ground}.",
    },
    unnamed="the rules of use",
    under="Policy: {policy} (SHA-256 {digest}).",
    appeal="You may object until {until}, free of charge: in the application, or with a POST to {path} that has the "
    "field case_id {case}. A person decides.",
    contact="Contact: {contact}",
    others="You may also turn to a court, and, where the law provides for one, to a body that settles disputes out of "
    "court.",
    decided="- {time}: {verdict}. Reason: {reason}",
    told={
        "warn": "Please note: requests of yours were stopped by the rules of this service. If that goes on, your "
        "access will be limited.",
        "restrict": "Please note: requests of yours were stopped by the rules of this service. They are now answered "
        "under a stricter policy, and more slowly.",
        "suspend": "Your access to this service is suspended, as requests of yours were stopped by its rules.",
        "terminate": "Your access to this service has ended, as requests of yours were stopped by its rules.",
    },
    ends="Until {until}.",
    objects="Case {case}: you can ask for the reasons and object.",
)

_CHINESE = Words(
    title="处理理由说明",
    parts={
        "case": "案件编号",
        "status": "状态",
        "measure": "措施",
        "facts": "事实",
        "automated": "自动化手段",
        "ground": "依据",
        "redress": "如何申诉",
        "decisions": "后续决定",
    },
    measures={
        "warn": "警告：下一次回答的开头附有提示。",
        "restrict": "限制：请求按更严格的策略处理，且响应较慢。",
        "suspend": "暂停服务：在一段时间内拒绝请求。",
        "terminate": "终止服务：拒绝请求。",
        "remove": "移除：已给出的回答被撤回。",
    },
    steps={"warn": "警告", "restrict": "限制", "suspend": "暂停服务", "terminate": "终止服务"},
    statuses={
        "open": "尚未经人工复核",
        "upheld": "经人工复核，维持",
        "overridden": "经人工复核，已变更",
        "lifted": "已撤销：该措施不再有效",
    },
    verdicts={"uphold": "维持", "override": "变更为“{to}”", "lift": "撤销"},
    sides={"prompt": "您输入的内容", "answer": "对该请求的回答"},
    severities={"low": "低", "medium": "中", "high": "高", "critical": "严重"},
    categories={
        "illicit": "协助犯罪、武器或毒品",
        "hate": "针对群体的仇恨攻击",
        "harassment": "侮辱、威胁或欺凌",
        "sexual": "色情内容",
        "violence": "暴力",
        "self_harm": "自我伤害",
        "profanity": "粗俗用语",
        "fraud": "诈骗",
        "jailbreak": "规避服务规则",
        "prompt_injection": "向模型注入指令",
        "prompt_extraction": "套取模型的指令",
        "unsafe": "有害内容",
    },
    scope={
        False: "仅对您本人在本服务中有效，与您从何处使用无关。",
        True: "仅涉及该条回答，与其在何处展示无关。",
    },
    from_until="自 {begun} 至 {until}。",
    from_on="自 {begun} 起，未设期限。",
    because={
        "conduct": "您的若干请求被拦截。每次拦截计分，分数随时间递减；累计 {points} 分，"
        "达到此项措施的阈值 {threshold} 分。",
        "manual": "由本服务的工作人员作出决定。",
        "removal": "回答给出之后，被认定为违法或违反使用条款。",
    },
    strike="- {time}，请求 {request}：{side}；{category}（严重程度：{severity}，规则 {rule}，策略 {policy}）："
    "{points} 分",
    by={
        ("automatic", "automatic"): "由系统自动检测并自动决定。您提出申诉后，由人工复核。",
        ("automatic", "person"): "由系统自动检测，由人工决定。",
        ("person", "person"): "由人工发现并决定。",
        ("person", "automatic"): "由人工发现，由系统自动决定。",
    },
    ground={
        False: "违反服务条款：{ground}。相关内容由上述规则拦截。",
        True: "相关内容被认定为违法：{ground}。",
    },
    unnamed="使用规则",
    under="策略：{policy}（SHA-256 {digest}）。",
    appeal="您可在 {until} 之前免费申诉：通过所使用的应用，或向 {path} 发送 POST 请求，并填写字段 case_id {case}。"
    "由人工作出决定。",
    contact="联系方式：{contact}",
    others="您也可以依法向法院起诉，或在法律规定的情况下向庭外争议解决机构提出。",
    decided="- {time}：{verdict}。理由：{reason}",
    told={
        "warn": "请注意：您的若干请求被本服务的规则拦截。如继续发生，您的使用将受到限制。",
        "restrict": "请注意：您的若干请求被本服务的规则拦截。您的请求现按更严格的策略处理，且响应较慢。",
        "suspend": "由于您的若干请求被本服务的规则拦截，您对本服务的使用已被暂停。",
        "terminate": "由于您的若干请求被本服务的规则拦截，您对本服务的使用已被终止。",
    },
    ends="至 {until}。",
    objects="案件编号 {case}：您可以查询理由并提出申诉。",
)

LANGUAGES: Mapping[str, Words] = {"en": _ENGLISH, "zh": _CHINESE}


def language_of(locale: str) -> str:
    """The language that is spoken to who asks for `locale` ("zh-Hans-CN"): English, if it is none of ours."""
    language = locale.replace("_", "-").partition("-")[0].lower()
    return language if language in LANGUAGES else "en"


def told_of(measure: str, case: str, until: float | None, locale: str) -> str:
    """What a notice (`warn`, `restrict`) or a refusal (`suspend`, `terminate`) says."""
    words = LANGUAGES[language_of(locale)]
    parts = [words.told[measure]]
    if until is not None and measure != "warn":
        parts.append(words.ends.format(until=_time(until)))
    parts.append(words.objects.format(case=case))
    return ("" if words is _CHINESE else " ").join(parts)


def statement(case: Case, locale: str = "") -> dict[str, Any]:
    """The statement as data: keys and codes in English, sentences in the language."""
    language = language_of(locale or case.locale)
    words = LANGUAGES[language]
    return {
        "case": case.id,
        "language": language,
        "opened": _time(case.at),
        "status": case.status,
        "measure": {
            "code": case.measure,
            "text": words.measures[case.measure],
            "scope": words.scope[case.measure == "remove"],
            "from": _time(case.begun),
            "until": _time(case.until) if case.until is not None else None,
        },
        "facts": {
            "text": _because(case, words),
            "by_hand": case.facts,
            "points": round(case.points, 2),
            "threshold": case.threshold,
            "request_id": case.request,
            "strikes": [
                {
                    "time": _time(strike.at),
                    "request_id": strike.request,
                    "side": strike.side,
                    "category": strike.category,
                    "severity": strike.severity,
                    "rule": strike.rule,
                    "action": strike.action,
                    "policy": strike.policy,
                    "points": round(strike.points, 2),
                }
                for strike in case.strikes
            ],
        },
        "automated": {
            "detection": case.detected_by == "automatic",
            "decision": case.decided_by == "automatic",
            "text": words.by[case.detected_by, case.decided_by],
        },
        "ground": {
            "kind": "law" if case.unlawful else "terms",
            "text": words.ground[case.unlawful].format(ground=case.ground or words.unnamed),
            "policy": case.policy,
            "policy_digest": case.policy_digest,
        },
        "redress": {
            "until": _time(case.appeal_until),
            "path": APPEAL_PATH,
            "contact": case.contact,
            "text": _appeal(case, words),
            "others": words.others,
        },
        "decisions": [
            {
                "time": _time(decision.at),
                "verdict": decision.verdict,
                "to": decision.to,
                "automatic": decision.actor == "system",
                "reason": decision.reason,
            }
            for decision in case.decisions
        ],
    }


def statement_text(case: Case, locale: str = "") -> str:
    """The same as plain text, a heading and a paragraph for each part."""
    words = LANGUAGES[language_of(locale or case.locale)]
    span = words.from_on if case.until is None else words.from_until
    when = span.format(begun=_time(case.begun), until=_time(case.until or 0))
    facts = [_because(case, words), *([case.facts] if case.facts else [])]
    facts += [
        words.strike.format(
            time=_time(strike.at),
            request=strike.request,
            side=words.sides[strike.side],
            category=words.categories.get(strike.category, strike.category),
            severity=words.severities[strike.severity],
            rule=strike.rule,
            policy=strike.policy,
            points=_number(strike.points),
        )
        for strike in case.strikes
    ]
    ground = [words.ground[case.unlawful].format(ground=case.ground or words.unnamed)]
    if case.policy:
        ground.append(words.under.format(policy=case.policy, digest=case.policy_digest))
    redress = [_appeal(case, words), words.others]
    if case.contact:
        redress.insert(1, words.contact.format(contact=case.contact))
    parts = {
        "case": [case.id],
        "status": [words.statuses[case.status]],
        "measure": [words.measures[case.measure], words.scope[case.measure == "remove"], when],
        "facts": facts,
        "automated": [words.by[case.detected_by, case.decided_by]],
        "ground": ground,
        "redress": redress,
        "decisions": [
            words.decided.format(
                time=_time(decision.at),
                verdict=words.verdicts[decision.verdict].format(to=words.steps.get(decision.to, "")),
                reason=decision.reason,
            )
            for decision in case.decisions
        ],
    }
    told = [f"{words.parts[part]}\n" + "\n".join(lines) for part, lines in parts.items() if lines]
    return f"{words.title}\n\n" + "\n\n".join(told) + "\n"


def _because(case: Case, words: Words) -> str:
    return words.because[case.origin].format(points=_number(case.points), threshold=_number(case.threshold))


def _appeal(case: Case, words: Words) -> str:
    return words.appeal.format(until=_time(case.appeal_until), path=APPEAL_PATH, case=case.id)


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _number(points: float) -> str:
    return f"{points:.2f}".rstrip("0").rstrip(".")
