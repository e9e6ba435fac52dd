"""Signatures as Standard Webhooks has them, by its own example; secrets that are none."""

from __future__ import annotations

import base64

import pytest

from guardrail.governance.webhooks import SecretUnfit, secrets_in, signed

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_example_of_the_standard() -> None:
    """From the tests of the reference libraries of Standard Webhooks."""
    headers = signed(secrets_in(SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_two_secrets_sign_while_one_replaces_the_other() -> None:
    other = base64.b64encode(b"n" * 32).decode()
    both = signed(secrets_in(f" {SECRET}  {other}\n"), "msg_1", 1, b"{}")["webhook-signature"]
    assert both.split(" ") == [
        signed(secrets_in(one), "msg_1", 1, b"{}")["webhook-signature"] for one in (SECRET, other)
    ]


@pytest.mark.parametrize(
    "value",
    ["whsec_", "hunter2", "whsec_c2hvcnQ=", base64.b64encode(b"x" * 65).decode(), f"{SECRET} x", "whsec_é" * 8],
)
def test_what_is_no_secret_is_told_without_it(value: str) -> None:
    with pytest.raises(SecretUnfit) as raised:
        secrets_in(value)
    assert "hunter2" not in str(raised.value)


def test_nothing_is_no_secret() -> None:
    assert secrets_in(" ") == ()
