from guardrail.text.entities.email_address import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "john.doe@example.com",
    "Jane_Roe+news@mail.example.co.uk",
    "zhangsan@example.cn",
    "wang@example.com.cn",
    "ｌｉ＠ｅｘａｍｐｌｅ．ｃｏｍ",
    "o-neil@sub-domain.example.org",
    "_info@example.museum",
    "user%dept@xn--bcher-kva.example",
    "12345678@example.com",
    "x@example.io",
    "a@qq.com",
    "J.DOE@EXAMPLE.COM",
    "ops@build.corp.internal",
    "me@sub.example.photography",
    "ann@example.to",
    "ann@example.com",
    "ann@example.com.Thanks",
    "ann@example.comPhone",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
