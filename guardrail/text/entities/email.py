"""E-mail addresses: `local@domain` with a dotted domain.

The local part can be any word, so a stream holds the word it is in until the character after it: no shorter hold
would keep an address in.
"""

from guardrail.text.entities.entity import Entity

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_TOP = r"(?:[A-Za-z]{2,24}|xn--[a-z0-9-]{2,20})"

# Names of files (`icon@2x.png`) look like addresses; none of these is a top-level domain.
_FILE_SUFFIXES = frozenset(
    {"png", "jpg", "jpeg", "gif", "svg", "webp", "bmp", "css", "scss", "js", "jsx", "tsx", "json", "html", "htm"}
    | {"xml", "yaml", "yml", "txt", "exe", "dll", "php", "java", "cpp"}
)


def _accept(match: str) -> bool:
    local, _, domain = match.partition("@")
    if local == "git":  # the account of every hosted repository: `git@host:owner/repository`
        return False
    if local.endswith(".") or ".." in local:
        return False
    return domain.rpartition(".")[2].lower() not in _FILE_SUFFIXES


ENTITY = Entity(
    name="email",
    label="[EMAIL]",
    category="personal_data",
    severity="medium",
    expressions=(rf"[A-Za-z0-9_][A-Za-z0-9._%+-]{{0,63}}@(?:{_LABEL}\.){{1,5}}{_TOP}",),
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
        "x@y.io",
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
    ),
)
