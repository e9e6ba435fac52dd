from guardrail.text.entities.url import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "https://example.com",
    "http://www.example.com/a/b?c=d&e=f#g",
    "https://example.com/path",
    "https://example.com/",
    "https://example.com",
    "ftp://user:secret@files.example.org:2121/pub/",
    "HTTP://EXAMPLE.COM/INDEX.HTML",
    "https://例子.中国/index.html",
    "ｈｔｔｐｓ：／／ｅｘａｍｐｌｅ．ｃｏｍ",
    "https://en.wikipedia.org/wiki/Foo_(bar)",
    "http://localhost:3000/",
    "http://[2001:db8::1]:8080/x",
    "https://example.com",
    "https://example.com/a",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
