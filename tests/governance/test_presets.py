"""Presets: the stricter bound holds, disagreements are told, and what somebody wrote is never changed in silence."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from guardrail.governance.complaint_terms import ComplaintTerms
from guardrail.governance.presets import (
    PresetFile,
    beyond,
    joined,
    limits_of,
    repeated_duties,
    under,
    unknown_bounds,
)
from guardrail.settings import Settings


def preset(name: str, **fields: Any) -> PresetFile:
    duty = {"id": "d", "articles": ["Law, article 1"], "asks": "Something.", "operator": "The rest."}
    whole = {
        **{"preset": name, "title": name, "as_of": "2026-01-01", "notice": "No legal advice.", "sources": []},
        **{"duties": [duty], "not_covered": [], **fields},
    }
    return msgspec.convert(whole, PresetFile)


def settings(**fields: Any) -> Settings:
    return msgspec.convert({"version": 1, "upstreams": {"default": {"url": "http://127.0.0.1:1"}}, **fields}, Settings)


def given(*places: tuple[str, ...]) -> Any:
    return set(places).__contains__


def test_the_stricter_of_two_bounds_holds() -> None:
    presets = [
        preset("a", minimum={"audit.retention_days": 184}, maximum={"limits.drain": 60}),
        preset("b", minimum={"audit.retention_days": 730}, maximum={"limits.drain": 10}),
        preset("c", minimum={"audit.retention_days": 365}, maximum={"limits.drain": 30}),
    ]
    assert [(limit.place, limit.value, limit.preset) for limit in limits_of(presets)] == [
        (("audit", "retention_days"), 730, "b"),
        (("limits", "drain"), 10, "b"),
    ]


def test_what_nobody_wrote_is_raised_to_the_bound() -> None:
    changed, problems = under(settings(), [preset("a", minimum={"audit.retention_days": 2000})], given())
    assert (changed.audit.retention_days, problems) == (2000, [])
    assert isinstance(changed.audit.retention_days, int)


def test_what_is_within_the_bound_stays() -> None:
    mine = settings(audit={"retention_days": 3000})
    changed, problems = under(
        mine, [preset("a", minimum={"audit.retention_days": 2000})], given(("audit", "retention_days"))
    )
    assert (changed, problems) == (mine, [])


def test_what_somebody_wrote_beyond_the_bound_is_a_problem() -> None:
    mine = settings(audit={"retention_days": 30})
    changed, problems = under(
        mine, [preset("a", minimum={"audit.retention_days": 184})], given(("audit", "retention_days"))
    )
    assert changed == mine
    assert problems == [(("audit", "retention_days"), "found 30, expected at least 184: preset 'a'")]


def test_the_terms_lie_beneath_those_of_the_configuration() -> None:
    presets = [preset("a", terms={"complaints": {"due_days": 20, "contact": "desk"}})]
    changed, problems = under(settings(terms={"complaints": {"due_days": 9}}), presets, given())
    complaints = changed.terms.complaints
    assert isinstance(complaints, ComplaintTerms)
    assert (complaints.due_days, complaints.contact, problems) == (9, "desk", [])


DISAGREE = [
    preset("a", terms={"complaints": {"due_days": 20, "timezone": "UTC"}, "labels": {"explicit": "start"}}),
    preset("b", terms={"complaints": {"due_days": 10, "timezone": "UTC"}, "labels": {"explicit": "end"}}),
]


def test_where_two_presets_disagree_the_configuration_has_to_say_what_holds() -> None:
    _, problems = joined(DISAGREE)
    assert problems == [
        (
            1,
            "found 20 for terms.complaints.due_days in the preset 'a' and 10 in 'b', expected "
            "terms.complaints.due_days in this file to say which holds",
        ),
        (
            1,
            "found 'start' for terms.labels.explicit in the preset 'a' and 'end' in 'b', expected "
            "terms.labels.explicit in this file to say which holds",
        ),
    ]
    settled = given(("terms", "complaints", "due_days"), ("terms", "labels", "explicit"))
    mine = settings(terms={"complaints": {"due_days": 12}, "labels": {"explicit": "end"}})
    assert under(mine, DISAGREE, settled)[1] == []


def test_a_bound_decides_between_presets() -> None:
    bounded = [
        *DISAGREE[:1],
        preset("b", terms={"complaints": {"due_days": 10}}, maximum={"terms.complaints.due_days": 15}),
    ]
    for presets in (bounded, bounded[::-1]):
        terms, problems = joined(presets)
        assert isinstance(terms.complaints, ComplaintTerms)
        assert (terms.complaints.due_days, problems) == (10, [])


def test_a_tenants_own_terms_are_within_the_bounds_too() -> None:
    presets = [preset("a", maximum={"terms.complaints.due_days": 15})]
    terms = settings(terms={"complaints": {"due_days": 20}}).terms
    assert list(beyond(terms, presets, given(("terms", "complaints", "due_days")))) == [
        (("terms", "complaints", "due_days"), "found 20, expected at most 15: preset 'a'")
    ]
    assert list(beyond(terms, presets, given())) == []  # it is not the tenant's


def test_no_preset_changes_nothing() -> None:
    mine = settings()
    assert under(mine, [], given()) == (mine, [])
    assert joined([])[1] == []
    assert list(beyond(mine.terms, [], given())) == []


def test_a_bound_of_what_is_no_number_is_told() -> None:
    wrong = preset("a", minimum={"audit.retention_dais": 1, "audit.enabled": 1, "audit.retention_days": 1})
    assert [place for place, _ in unknown_bounds(wrong)] == [
        ("minimum", "audit.retention_dais"),
        ("minimum", "audit.enabled"),
    ]


def test_a_duty_given_twice_is_told() -> None:
    duty = {"id": "d", "articles": ["Law, article 1"], "asks": "Something.", "operator": "The rest."}
    assert [place for place, _ in repeated_duties(preset("a", duties=[duty, duty]))] == [("duties", 1, "id")]


@pytest.mark.parametrize("wrong", [{"as_of": "soon"}, {"duties": []}, {"notice": ""}])
def test_what_a_preset_must_say(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        preset("a", **wrong)
