"""Web addresses: http, https and ftp, with user, host (also of other scripts), port, path, query and fragment.

A path is ASCII, so that Chinese text right after an address stays outside it, and it ends before the punctuation of
the sentence around it. A closing parenthesis belongs to it only with its opening one.
"""

from guardrail.text.entities.entity import Entity

_LATIN = r"A-Za-z0-9\x{c0}-\x{24f}\x{370}-\x{52f}"
_CJK = r"\x{3040}-\x{30ff}\x{4e00}-\x{9fff}\x{ac00}-\x{d7a3}"
# A label is of one kind of script: in "https://example.com和www..." the host ends at the Chinese word.
_LABEL = rf"(?:[{_LATIN}_][{_LATIN}_-]{{0,62}}|[{_CJK}]{{1,24}})"
_LAST_LABEL = (
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?|中[国國]|公司|网[络站址店]|網路|商城|香港|台[湾灣]|рф|한국)"
)
_HOST = rf"(?:(?:{_LABEL}\.){{0,8}}{_LAST_LABEL}|\[[0-9A-Fa-f:.]{{2,45}}\])"
_USER = r"(?:[A-Za-z0-9._~%!$&*+,;=:-]{1,128}@)?"
_PATH = "[A-Za-z0-9._~:/?#@!$&*+,;=%-]"
_PATH_LAST = "[A-Za-z0-9_~/#@$&+=%-]"
_TAIL = rf"(?:{_PATH_LAST}|\({_PATH}{{1,64}}\)(?:{_PATH}{{0,64}}{_PATH_LAST})?)"

ENTITY = Entity(
    name="url",
    label="[URL]",
    category="personal_data",
    severity="low",
    expressions=(rf"(?i:https?|ftp)://{_USER}{_HOST}(?::\d{{1,5}})?(?:/|[/?#]{_PATH}{{0,500}}{_TAIL})?",),
    hits=(
        "https://example.com",
        "See http://www.example.com/a/b?c=d&e=f#g.",
        "(https://example.com/path)",
        "访问https://example.com/路径",
        "请看https://example.com谢谢",
        "ftp://user:secret@files.example.org:2121/pub/",
        "HTTP://EXAMPLE.COM/INDEX.HTML!",
        "https://例子.中国/index.html",
        "ｈｔｔｐｓ：／／ｅｘａｍｐｌｅ．ｃｏｍ",
        "[link](https://en.wikipedia.org/wiki/Foo_(bar))",
        "http://localhost:3000/,",
        "http://[2001:db8::1]:8080/x",
        "have you seen https://example.com?",
        "**https://example.com/a**",
    ),
    misses=(
        "example.com",
        "www.example.com",
        "http:/example.com",
        "https://",
        "http is a protocol",
        "mailto:a@example.com",
        "std::string",
        "file:///etc/hosts",
        "https:// example.com",
        "the ratio is 3://4",
        "ftp: see below",
        "shttp:x//y",
    ),
)
