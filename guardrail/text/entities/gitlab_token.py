"""GitLab tokens: personal (`glpat-`), deploy, runner, trigger, job, feed, mail, agent, SCIM and feature-flag."""

from guardrail.text.entities.entity import Entity
from guardrail.text.entities.generated import is_generated


def _accept(match: str) -> bool:
    return is_generated(match.partition("-")[2])


_BODY = "QEYHMCZsMSrennQuk3i2"

ENTITY = Entity(
    name="gitlab_token",
    label="[GITLAB_TOKEN]",
    category="secret",
    severity="critical",
    expressions=(
        r"gl(?:pat|dt|rt|rtr|ptt|cbt|ft|imt|agent|soat|ffct)-[A-Za-z0-9_-]{20,128}(?:\.[0-9a-z]{2}\.[0-9a-z]{9})?",
    ),
    left="word",
    right="word",
    accept=_accept,
    hits=(
        "glpat-" + _BODY,
        "GITLAB_TOKEN=glpat-" + _BODY,
        "deploy token: gldt-" + _BODY + ".",
        "glrt-" + _BODY,
        "令牌是glpat-" + _BODY + "谢谢",
        "ｇｌｐａｔ－" + _BODY,
        "glptt-" + _BODY + _BODY,
        "glpat-" + _BODY + "pR7kVx0.01.0z1q7w3h4",
        "'PRIVATE-TOKEN: glpat-" + _BODY[:10] + "_" + _BODY[10:] + "'",
    ),
    misses=(
        "glpat-" + _BODY[:-1],
        "glpat-your-token-here",
        "glpat-your-personal-access-token",
        "glpat-" + "x" * 20,
        "glpat-" + "abcdefghij1234567890",
        "glpat-<token>",
        "GLPAT-" + _BODY,
        "eglpat-" + _BODY,
        "glpat_" + _BODY,
        "glxyz-" + _BODY,
        _BODY,
    ),
)
