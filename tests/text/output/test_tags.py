"""Start tags, as the HTML Standard's tokeniser reads them."""

import pytest

from guardrail.text.output.tags import Tag, read_tag, tag_name

CASES = [
    ("plain", "<b>", ("b", {}, "closed")),
    ("case", "<IMG SRC=A.png>", ("img", {"src": "A.png"}, "closed")),
    ("quotes", """<a href="x y" title='a>b'>""", ("a", {"href": "x y", "title": "a>b"}, "closed")),
    ("blanks around the sign", "<a href\n = \t'x'\n>", ("a", {"href": "x"}, "closed")),
    ("slashes between", "<img/src=a/alt=b/>", ("img", {"src": "a/alt=b/"}, "closed")),
    ("slash after quotes", "<img src='a'/alt='b'/>", ("img", {"src": "a", "alt": "b"}, "closed")),
    ("no blank after quotes", "<img src='a'onerror='b'>", ("img", {"src": "a", "onerror": "b"}, "closed")),
    ("no value", "<input disabled checked>", ("input", {}, "closed")),
    ("empty values", "<x a='' b=>", ("x", {"a": "", "b": ""}, "closed")),
    ("a quote in a name", """<x y" onclick=a z">""", ("x", {"onclick": "a"}, "closed")),
    ("a quote in an unquoted value", """<x y=a"b c="d">""", ("x", {"y": 'a"b', "c": "d"}, "closed")),
    ("a sign that begins a name", "<x =onclick=a>", ("x", {"=onclick": "a"}, "closed")),
    ("two signs", "<x a==b>", ("x", {"a": "=b"}, "closed")),
    ("another tag inside", "<img < <b src=a>", ("img", {"src": "a"}, "closed")),
    ("strange names", "<x; [y]=z>", ("x;", {"[y]": "z"}, "closed")),
    ("a name that lower case makes longer", "<xİ a=b>", ("xi\u0307", {"a": "b"}, "closed")),
    ("cut in the name", "<im", ("im", {}, "open")),
    ("cut between", "<img src=a ", ("img", {"src": "a"}, "open")),
    ("cut in a value", "<img src=a", ("img", {"src": "a"}, "open")),
    ("cut before a value", "<img src=", ("img", {"src": ""}, "open")),
    ("cut inside quotes", "<img alt='a' src=\"b>", ("img", {"alt": "a", "src": "b>"}, "quoted")),
]


@pytest.mark.parametrize(("name", "text", "expected"), CASES, ids=[case[0] for case in CASES])
def test_tags(name: str, text: str, expected: tuple[str, dict[str, str], str]) -> None:
    tag, attributes, end = expected
    assert tag_name(text) == tag
    assert read_tag(text) == Tag(tag, tuple(attributes.items()), end)


def test_equal_attributes_are_all_there() -> None:
    assert read_tag("<a href=1 HREF=2>").attributes == (("href", "1"), ("href", "2"))
