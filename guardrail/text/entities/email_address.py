"""E-mail addresses: `local@domain` with a dotted domain.

The local part can be any word, so a stream holds the word it is in until the character after it: no shorter hold
would keep an address in.

Code multiplies matrices with the same sign (`q@k.transpose`), so the domain must end in one that exists.
"""

import re

from guardrail.text.entities.domains import GENERIC, is_top_level
from guardrail.text.entities.entity import Entity

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_TOP = r"(?:[A-Za-z]{2,24}|xn--[a-z0-9-]{2,20})"

# Methods that are top-level domains too: a call (`w@x.to(device)`) tells them. Proposed with the bracket, so that the
# check rejects them; behind any other domain a bracket is no part of the match.
_CALL = r"(?:to|at|mm|mv|gt|lt|ge|ne|cat|name|int|run)[(\[]"

_RUN_ON = re.compile("([a-z]{3,})[A-Z]", re.ASCII)


def _accept(match: str) -> bool:
    local, _, domain = match.partition("@")
    if match[-1:] in ("(", "["):
        return False
    if local == "git":  # the account of every hosted repository: `git@host:owner/repository`
        return False
    if local.endswith(".") or ".." in local:
        return False
    labels = domain.split(".")
    if len(local) == 1 and len(labels) == 2 and len(labels[0]) == 1:  # `x@w.to`: a product of matrices
        return False
    return is_top_level(labels[-1]) or _runs_on(labels)


def _runs_on(labels: list[str]) -> bool:
    """Whether the next sentence follows without a space: `example.com.Please`, `example.comPlease`."""
    if len(labels) > 2 and is_top_level(labels[-2]) and labels[-1].istitle():
        return True
    run = _RUN_ON.match(labels[-1])
    return run is not None and run[1] in GENERIC


ENTITY = Entity(
    name="email_address",
    label="[EMAIL]",
    category="personal_data",
    severity="medium",
    expressions=(rf"[A-Za-z0-9_][A-Za-z0-9._%+-]{{0,63}}@(?:{_LABEL}\.){{1,5}}(?:{_TOP}|{_CALL})",),
    left="word",
    right="digit",
    accept=_accept,
    hits=(
        "john.doe@example.com",
        "Write to Jane_Roe+news@mail.example.co.uk, please.",
        "我的邮箱是zhangsan@example.cn谢谢",
        "邮箱：wang@example.com.cn。",
        "ｌｉ＠ｅｘａｍｐｌｅ．ｃｏｍ",
        "<a href='mailto:o-neil@sub-domain.example.org'>",
        "_info@example.museum_ is the address",
        "user%dept@xn--bcher-kva.example",
        "Contact: 12345678@example.com.",
        "x@example.io",
        "a@qq.com",
        "J.DOE@EXAMPLE.COM",
        "mail ops@build.corp.internal now",
        "me@sub.example.photography",
        "write to ann@example.to",
        "ann@example.com(Ann)",
        "Mail ann@example.com.Thanks a lot",
        "ann@example.comPhone: none",
    ),
    misses=(
        "icon@2x.png",
        "npm install react@18.2.0",
        "git@github.com:owner/repository.git",
        "user@localhost",
        "Follow @example.com on the site",
        "john..doe@@example.com",
        "see you @ the example.com office",
        "a@b",
        "@app.route('/index.html')",
        "uses: actions/checkout@v4.1",
        "price: 3@1.50",
        "john at example dot com",
        "scores = q@k.transpose(-2, -1)",
        "x@W.shape",
        "b@A.mean()",
        "A@B.inverse()",
        "W@x.sum()",
        "x@w.to",
        "out = attn@value.to(device)",
        "self.w@self.x.at[0].set(1)",
        "y = a@b.T.reshape(-1)",
        "user@example.comm",
        "photo@3x.zip",
    ),
)
