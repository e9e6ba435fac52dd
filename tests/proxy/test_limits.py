"""Admission: places are taken, refused and given back."""

from __future__ import annotations

import contextlib

import pytest

from guardrail.proxy.limits import Admission, ProxyFull, TenantBusy


def test_a_place_comes_back_however_the_response_ends() -> None:
    admission = Admission()
    with contextlib.suppress(ZeroDivisionError), admission.place("a", total=1, per_tenant=1):
        assert (admission.in_flight, admission.of("a")) == (1, 1)
        raise ZeroDivisionError
    assert (admission.in_flight, admission.of("a")) == (0, 0)
    with admission.place("a", total=1, per_tenant=1):
        pass


def test_a_tenant_at_its_cap_does_not_hold_up_another() -> None:
    admission = Admission()
    with admission.place("a", total=10, per_tenant=1):
        with pytest.raises(TenantBusy) as refused, admission.place("a", total=10, per_tenant=1):
            pass
        assert refused.value.retry_after >= 1
        with admission.place("b", total=10, per_tenant=1):
            assert admission.in_flight == 2
    assert admission.in_flight == 0


def test_a_full_process_refuses_everybody() -> None:
    admission = Admission()
    with (
        admission.place("a", total=1, per_tenant=5),
        pytest.raises(ProxyFull),
        admission.place("b", total=1, per_tenant=5),
    ):
        pass
    assert admission.of("b") == 0
