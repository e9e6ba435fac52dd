"""Hugging Face access tokens: of users (`hf_`) and of organisations (`api_org_`)."""

from guardrail.text.entities.entity import Entity
from guardrail.text.entities.generated import is_generated


def _accept(match: str) -> bool:
    return is_generated(match.rpartition("_")[2])


_BODY = "PVWHcdFGVQzKBgJhBgrQWKvhwUNyqTkRsm"

ENTITY = Entity(
    name="huggingface_token",
    label="[HUGGINGFACE_TOKEN]",
    category="secret",
    severity="critical",
    expressions=("(?:hf|api_org)_[A-Za-z0-9]{34}",),
    left="word",
    right="word",
    accept=_accept,
    hits=(
        "hf_" + _BODY,
        "HF_TOKEN=hf_" + _BODY,
        'login(token="hf_' + _BODY + '")',
        "令牌是hf_" + _BODY + "谢谢",
        "ｈｆ＿" + _BODY,
        "api_org_" + _BODY,
        "(hf_" + _BODY + ")",
        "Bearer hf_" + _BODY + ".",
    ),
    misses=(
        "hf_" + _BODY[:-1],
        "hf_" + _BODY + "x",
        "hf_" + "x" * 34,
        "hf_your_token_here",
        "hf_yourHuggingFaceAccessTokenGoesRight",
        "HF_" + _BODY,
        "shf_" + _BODY,
        "hf_hub_download(repo_id)",
        "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH",
        _BODY,
    ),
)
