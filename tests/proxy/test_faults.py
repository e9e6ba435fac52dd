"""The fault table itself; each row is provoked in tests/fault."""

from __future__ import annotations

from guardrail.proxy.faults import Failed, Fault


def test_rows_have_a_status_a_type_that_sdks_know_and_a_sentence() -> None:
    for fault in Fault:
        assert 400 <= fault.status <= 504
        assert fault.type in ("invalid_request_error", "rate_limit_error", "server_error")
        assert (fault.type == "server_error") == (fault.status >= 500)
        assert fault.message.endswith(".")


def test_a_failure_says_what_the_table_says_unless_it_knows_more() -> None:
    assert Failed(Fault.CONNECT_FAILED).detail == Fault.CONNECT_FAILED.message
    assert Failed(Fault.UNAUTHORIZED, "No key.", code="invalid_api_key").detail == "No key."
