"""Stripe credentials: secret and restricted keys, live and test, and webhook signing secrets; no publishable keys."""

from guardrail.text.entities.entity import Entity
from guardrail.text.entities.generated import is_generated

# Printed in Stripe's manual, test mode.
_SAMPLES = frozenset({"4eC39HqLyjWDarjtT1zdp7dc", "BQokikJOvBiI2HlWgH4olfQ2", "26PHem9AhJZvU623DfE1x4sd"})


def _accept(match: str) -> bool:
    body = match.rpartition("_")[2]
    return body not in _SAMPLES and is_generated(body)


_BODY = "qj2XZl9Y2tn82Hlr79mX1m6g"

ENTITY = Entity(
    name="stripe_key",
    label="[STRIPE_KEY]",
    category="secret",
    severity="critical",
    expressions=("[rs]k_(?:live|test)_[A-Za-z0-9]{16,128}", "whsec_[A-Za-z0-9]{32,64}"),
    left="word",
    right="word",
    accept=_accept,
    hits=(
        "sk_live_" + _BODY,
        "sk_test_" + _BODY,
        "rk_live_" + _BODY,
        f"stripe.api_key = 'sk_live_{_BODY}'",
        "密钥sk_live_" + _BODY + "谢谢",
        "ｓｋ＿ｌｉｖｅ＿" + _BODY,
        "curl -u sk_test_" + _BODY + ":",
        "sk_live_51" + _BODY * 4 + ".",
        "whsec_" + _BODY + _BODY[:8],
    ),
    misses=(
        "pk_live_" + _BODY,
        "pk_test_" + _BODY,
        "sk_live_" + "x" * 24,
        "sk_live_your_secret_key",
        "sk_live_short1",
        *("sk_test_" + sample for sample in sorted(_SAMPLES)),
        "sk_test_" + "51ABCDEFGHIJKLMNOPQRSTUVWX",
        "task_test_" + _BODY,
        "SK_LIVE_" + _BODY,
        "sk_prod_" + _BODY,
        "sk_test_something_else_entirely",
        _BODY,
    ),
)
