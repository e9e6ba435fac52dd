"""Statements of reasons: everything that they must say, in each language, and nothing that they must not."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest

from guardrail.governance.cases import Case, Decision, Status, Verdict
from guardrail.governance.ladder import STEPS, Strike
from guardrail.governance.statements import LANGUAGES, Words, language_of, statement, statement_text, told_of

NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z
STRIKES = (
    Strike("g-1", NOW - 60, 4, "illicit", "critical", "weapons-drugs", "halt", "prompt", "default@0123456789ab", "c-1"),
    Strike("g-2", NOW, 8.5, "of_our_own", "high", "own", "halt", "answer", "default@0123456789ab", "c-1"),
)


def case(**changes: Any) -> Case:
    fields: dict[str, Any] = {
        "id": "c-1",
        "origin": "conduct",
        "tenant": "acme",
        "subject": "5b" * 16,
        "at": NOW,
        "measure": "suspend",
        "begun": NOW,
        "until": NOW + 86400,
        "points": 12.5,
        "threshold": 10.0,
        "strikes": STRIKES,
        "request": "g-2",
        "policy": "default@0123456789ab",
        "policy_digest": "0123456789ab" + "0" * 52,
        "ground": "Terms of use, section 4",
        "appeal_until": NOW + 183 * 86400,
        "contact": "support@example.com",
    }
    return Case(**(fields | changes))


DECIDED = case(
    status="lifted",
    decisions=(
        Decision(at=NOW + 60, verdict="override", actor="ann", reason="too long", was="suspend", to="warn"),
        Decision(at=NOW + 90, verdict="lift", actor="bob", reason="a quotation", was="warn"),
    ),
)


def test_in_english() -> None:
    assert statement_text(DECIDED) == (
        """Statement of reasons

Case
c-1

Status
lifted: the measure does not hold any more

Measure
Suspension: requests are refused for a time.
It holds for you alone, in this service, wherever you use it from.
From 2027-01-15T08:00:00Z until 2027-01-16T08:00:00Z.

Facts
Requests of yours were stopped. Each adds points that fade with time; with 12.5 points the threshold of 10 for this """
        """step was reached.
- 2027-01-15T07:59:00Z, request g-1: what you wrote; help with crime, weapons or drugs (severity critical, rule """
        """weapons-drugs, policy default@0123456789ab): 4 points
- 2027-01-15T08:00:00Z, request g-2: the answer to it; of_our_own (severity high, rule own, policy """
        """default@0123456789ab): 8.5 points

Automated means
Detected and decided automatically. A person looks at it when you ask.

Ground
It goes against the terms of the service: Terms of use, section 4. The content was stopped by the rules named above.
Policy: default@0123456789ab (SHA-256 0123456789ab0000000000000000000000000000000000000000000000000000).

How to object
You may object until 2027-07-17T08:00:00Z, free of charge: in the application, or with a POST to """
        """/v1/guardrail/complaints that has the field case_id c-1. A person decides.
Contact: support@example.com
You may also turn to a court, and, where the law provides for one, to a body that settles disputes out of court.

Decisions since
- 2027-01-15T08:01:00Z: changed to a warning. Reason: too long
- 2027-01-15T08:01:30Z: lifted. Reason: a quotation
"""
    )


@pytest.mark.parametrize("locale", LANGUAGES)
def test_everything_that_must_be_said_is_said_in_each_language(locale: str) -> None:
    text = statement_text(DECIDED, locale)
    words = LANGUAGES[locale]
    assert all(heading in text for heading in words.parts.values())
    for fact in (
        *("c-1", "2027-01-15T08:00:00Z", "2027-01-16T08:00:00Z", "g-1", "g-2", "weapons-drugs", "12.5", "8.5"),
        *("Terms of use, section 4", DECIDED.policy, DECIDED.policy_digest, "2027-07-17T08:00:00Z"),
        *("/v1/guardrail/complaints", "support@example.com", "too long", "a quotation", words.others),
    ):
        assert fact in text
    assert not {"ann", "bob"} & set(re.findall(r"\w+", text))
    assert "{" not in text


@pytest.mark.parametrize("locale", LANGUAGES)
def test_as_data(locale: str) -> None:
    told = statement(DECIDED, locale)
    assert (told["case"], told["language"], told["status"]) == ("c-1", locale, "lifted")
    assert told["measure"]["code"] == "suspend"
    assert (told["measure"]["from"], told["measure"]["until"]) == ("2027-01-15T08:00:00Z", "2027-01-16T08:00:00Z")
    assert [strike["rule"] for strike in told["facts"]["strikes"]] == ["weapons-drugs", "own"]
    assert (told["automated"]["detection"], told["automated"]["decision"]) == (True, True)
    assert (told["ground"]["kind"], told["ground"]["policy_digest"]) == ("terms", DECIDED.policy_digest)
    assert told["redress"]["until"] == "2027-07-17T08:00:00Z"
    assert [decision["verdict"] for decision in told["decisions"]] == ["override", "lift"]
    assert "ann" not in str(told["decisions"])


def test_without_an_end_by_hand_and_against_the_law() -> None:
    by_hand = case(
        origin="manual",
        measure="terminate",
        until=None,
        strikes=(),
        facts="A threat by letter.",
        unlawful=True,
        ground="Penal Code, section 241",
        detected_by="person",
        decided_by="person",
        contact="",
        policy="",
    )
    text = statement_text(by_hand)
    assert "without an end that is set" in text
    assert "A threat by letter." in text
    assert "held to be unlawful: Penal Code, section 241" in text
    assert "Detected and decided by people." in text
    assert "Contact" not in text
    assert statement(by_hand)["measure"]["until"] is None


def test_a_removal_concerns_an_answer() -> None:
    text = statement_text(case(origin="removal", measure="remove", until=None, strikes=(), subject=""))
    assert "It concerns this answer alone" in text
    assert "unlawful, or against the terms, after it had been given" in text


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_every_language_has_a_word_for_everything(words: Words) -> None:
    assert set(words.measures) == {*STEPS, "remove"}
    assert set(words.told) == set(words.steps) == set(STEPS)
    assert set(words.statuses) == set(get_args(Status))
    assert set(words.verdicts) == set(get_args(Verdict))
    assert set(words.categories) == set(LANGUAGES["en"].categories)
    assert set(words.because) == {"conduct", "removal", "manual"}


@pytest.mark.parametrize(
    ("locale", "language"),
    [("en", "en"), ("zh", "zh"), ("zh-Hans-CN", "zh"), ("zh_TW", "zh"), ("ZH", "zh"), ("de-AT", "en"), ("", "en")],
)
def test_who_speaks_none_of_the_languages_is_spoken_to_in_english(locale: str, language: str) -> None:
    assert language_of(locale) == language


def test_what_a_notice_and_a_refusal_say() -> None:
    assert told_of("suspend", "c-1", NOW, "en") == (
        "Your access to this service is suspended, as requests of yours were stopped by its rules. "
        "Until 2027-01-15T08:00:00Z. Case c-1: you can ask for the reasons and object."
    )
    assert told_of("terminate", "c-1", None, "zh") == (
        "由于您的若干请求被本服务的规则拦截，您对本服务的使用已被终止。案件编号 c-1：您可以查询理由并提出申诉。"
    )
    assert "Until" not in told_of("warn", "c-1", NOW, "en")
