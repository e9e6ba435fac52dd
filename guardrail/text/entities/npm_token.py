"""Access tokens of the npm registry (`npm_` and 36 letters and digits)."""

from guardrail.text.entities.entity import Entity
from guardrail.text.entities.generated import is_generated


def _accept(match: str) -> bool:
    return is_generated(match.rpartition("_")[2])


_BODY = "dLwUx8YY6sKHJ4yJz8oViIA8og5a2zNPSOkQ"

ENTITY = Entity(
    name="npm_token",
    label="[NPM_TOKEN]",
    category="secret",
    severity="critical",
    expressions=("npm_[A-Za-z0-9]{36}",),
    left="word",
    right="word",
    accept=_accept,
    hits=(
        "npm_" + _BODY,
        "NPM_TOKEN=npm_" + _BODY,
        "//registry.example.org/:_authToken=npm_" + _BODY,
        "令牌npm_" + _BODY + "谢谢",
        "ｎｐｍ＿" + _BODY,
        "'npm_" + _BODY + "'",
        "token: npm_" + _BODY + ".",
        "(npm_" + _BODY + ")",
    ),
    misses=(
        "npm_" + _BODY[:-1],
        "npm_" + _BODY + "x",
        "npm_" + "x" * 36,
        "npm_your_token",
        "npm_config_registry",
        "npm_package_version",
        "NPM_" + _BODY,
        "pnpm_" + _BODY,
        "npm-" + _BODY,
        _BODY,
    ),
)
