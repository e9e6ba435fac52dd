"""Terms as a file gives them: every section is off until it is given, and what it does not say comes from beneath."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import UNSET

from guardrail.governance.terms import Terms, merged, policy_names


def test_every_section_is_off_until_it_is_given() -> None:
    assert {getattr(Terms(), name) for name in Terms.__struct_fields__} <= {UNSET}


def test_a_section_lies_on_the_one_beneath() -> None:
    beneath = msgspec.convert({"conduct": {"half_life": 60, "restrict": {"policy": "strict"}}}, Terms)
    above = msgspec.convert({"conduct": {"restrict": {"delay": 3}}}, Terms)
    both = merged(beneath, above)
    assert both == msgspec.convert({"conduct": {"half_life": 60, "restrict": {"policy": "strict", "delay": 3}}}, Terms)
    assert list(policy_names(both)) == [(("conduct", "restrict", "policy"), "strict")]


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert({"conducts": {}}, Terms)
