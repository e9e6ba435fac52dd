"""DigitalOcean tokens: personal (`dop_v1_`), OAuth (`doo_v1_`) and refresh (`dor_v1_`), of 64 hexadecimal digits."""

from guardrail.text.entities.entity import Entity
from guardrail.text.entities.generated import is_generated


def _accept(match: str) -> bool:
    return is_generated(match.rpartition("_")[2])


_BODY = "3151349eb6686504f28ad34367fdd00be7906eddf3128afbac780c3ea424ab11"

ENTITY = Entity(
    name="digitalocean_token",
    label="[DIGITALOCEAN_TOKEN]",
    category="secret",
    severity="critical",
    expressions=("do[opr]_v1_[0-9a-f]{64}",),
    left="word",
    right="word",
    accept=_accept,
    hits=(
        "dop_v1_" + _BODY,
        "doo_v1_" + _BODY,
        "dor_v1_" + _BODY,
        "DIGITALOCEAN_TOKEN=dop_v1_" + _BODY,
        "令牌dop_v1_" + _BODY + "谢谢",
        "ｄｏｐ＿ｖ１＿" + _BODY,
        'token = "dop_v1_' + _BODY + '"',
        "Bearer dop_v1_" + _BODY + ".",
    ),
    misses=(
        "dop_v1_" + _BODY[:-1],
        "dop_v1_" + _BODY + "0",
        "dop_v1_" + "x" * 64,
        "dop_v1_" + "0123456789abcdef" * 4,
        "dop_v1_your_token",
        "DOP_V1_" + _BODY,
        "xdop_v1_" + _BODY,
        "dos_v1_" + _BODY,
        _BODY,
    ),
)
