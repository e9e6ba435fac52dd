"""GitHub tokens: personal, OAuth, user, server and refresh (`ghp_` ... `ghr_`), and fine-grained (`github_pat_`)."""

from guardrail.text.entities.entity import Entity
from guardrail.text.entities.generated import is_generated

# Printed in GitHub's manual.
_SAMPLE = "16C7e42F292c6912E7710c838347Ae178B4a"


def _accept(match: str) -> bool:
    return not match.endswith(_SAMPLE) and is_generated(match.removeprefix("github_pat_").removeprefix(match[:4]))


_BODY = "dRv3PSfcnK8EVApZfQxiXfF5A1CZenOkWD9C"
_PAT = "github_pat_" + "87hKBzNmTcpQE87gbHTTsm_" + "C8LfVzDKlpT9VaSJqrhZ0CE3RmScxcOEg2Q6lv6LBRIxg78pKtpIEePdCBm"

ENTITY = Entity(
    name="github_token",
    label="[GITHUB_TOKEN]",
    category="secret",
    severity="critical",
    expressions=("gh[pousr]_[A-Za-z0-9]{36,251}", "github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    left="word",
    right="word",
    accept=_accept,
    hits=(
        "ghp_" + _BODY,
        "token: gho_" + _BODY + ".",
        "ghu_" + _BODY,
        'GITHUB_TOKEN="ghs_' + _BODY + '"',
        "ghr_" + _BODY + _BODY,
        "令牌ghp_" + _BODY + "已泄露",
        "ｇｈｐ＿" + _BODY,
        "https://x-access-token:ghp_" + _BODY + "@github.com/owner/repository",
        _PAT,
    ),
    misses=(
        "ghp_" + _BODY[:-1],
        "ghp_" + "x" * 36,
        "ghp_your_token_here",
        "ghp_" + _SAMPLE,
        "ghp_" + "1234567890abcdefghijklmnopqrstuvwxyz",
        "ghx_" + _BODY,
        "sigh_" + _BODY,
        "GHP_" + _BODY,
        _BODY,
        "github_pat_xxx",
        "ghp_" + _BODY + "_tail",
        "github_pat_" + "a" * 22 + "_" + "b" * 59,
    ),
)
