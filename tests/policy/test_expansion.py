"""Further forms of Chinese terms: case tables, bounds, and the package that may be missing."""

from __future__ import annotations

import sys

import pytest

from guardrail.policy.expansion import MAX_FORMS, SPLITS, Way, expand
from guardrail.text.editor import Editor
from guardrail.text.rules import Folds, KeywordRule, Label
from guardrail.text.scanner import compile_rules
from guardrail.text.tables import SIMPLIFIED

PINYIN: list[tuple[str, tuple[str, ...]]] = [
    ("炸弹", ("zhadan", "zha dan", "zha弹", "炸dan")),
    ("炸彈", ("zhadan", "zha dan", "zha彈", "炸dan")),
    # As the character is read in its phrase.
    ("重庆", ("chongqing", "chong qing", "chong庆", "重qing")),
    # Too short to be written in pinyin alone.
    ("大麻", ("da麻", "大ma")),
    # A lone letter is ordinary beside Chinese.
    ("恶意", ("恶yi",)),
    ("虐待", ("nvedai", "nve dai", "nüedai", "nüe dai", "nuedai", "nue dai", "nve待", "nüe待", "nue待", "虐dai")),
    ("AK步枪", ("AKbuqiang", "AK bu qiang", "AKbu枪", "AK步qiang")),
    ("炸弹 制作", ("zhadan zhizuo", "zha dan zhi zuo", "zha弹 制作", "炸dan 制作", "炸弹 zhi作", "炸弹 制zuo")),
    ("毒", ()),
    ("K粉", ()),
    ("bomb", ()),
    ("爆発カタカナ", ("baofaカタカナ", "bao fa カタカナ", "bao発カタカナ", "爆faカタカナ")),
    ("", ()),
]

SPLIT: list[tuple[str, tuple[str, ...]]] = [
    ("炸弹", ("火乍弓单", "火乍弹", "炸弓单")),
    ("炸彈", ("火乍弓单", "火乍彈", "炸弓单")),
    ("强奸", ("弓虽女干", "弓虽奸", "强女干")),
    # Parts that keyboards hide, too, as they are typed instead.
    ("诈骗", ("讠乍马扁", "言乍马扁", "讠乍骗", "言乍骗", "诈马扁")),
    ("冰毒", ("冫水龶母", "冫水主母", "冫水毒", "冰龶母", "冰主母")),
    ("AK步枪", ("AK步木仓",)),
    ("大麻", ()),
    ("枪", ()),
    ("bomb", ()),
    ("", ()),
]


@pytest.mark.parametrize(("term", "forms"), PINYIN)
def test_pinyin(term: str, forms: tuple[str, ...]) -> None:
    assert expand(term, ["pinyin"]) == forms


@pytest.mark.parametrize(("term", "forms"), SPLIT)
def test_characters_taken_apart(term: str, forms: tuple[str, ...]) -> None:
    assert expand(term, ["split"]) == forms


@pytest.mark.parametrize("term", [term for term, _ in PINYIN + SPLIT])
def test_both_ways_give_what_each_gives_and_never_the_term(term: str) -> None:
    both = expand(term, ("split", "pinyin"))
    assert both == expand(term, ["pinyin"]) + expand(term, ["split"])
    assert term not in both
    assert len(both) == len(set(both))
    assert expand(term, ()) == ()


@pytest.mark.parametrize("way", ["pinyin", "split"])
def test_forms_of_a_long_term_are_bounded_and_the_first_are_kept(way: Way) -> None:
    term = "贩毒诈骗绑架杀人强奸嫖娼赌博虐待" * 2
    forms = expand(term, [way])
    assert len(forms) == MAX_FORMS
    whole = {"pinyin": "fanduzhapianbangjiasharen", "split": "贝反龶母讠乍马扁纟邦加木乂木人"}
    assert forms[0].startswith(whole[way])


def test_parts_are_several_characters_that_folding_leaves_as_they_are() -> None:
    for char, parts in SPLITS.items():
        assert len(parts) >= 2
        assert SIMPLIFIED.get(char, char) == char
        assert char not in parts


def test_without_the_package_pinyin_says_what_to_install_and_the_rest_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypinyin", None)
    with pytest.raises(ImportError, match=r"pip install 'guardrail\[chinese\]'"):
        expand("炸弹", ["pinyin"])
    assert expand("炸弹", ["split"])[0] == "火乍弓单"


@pytest.mark.parametrize(
    ("text", "edited"),
    [
        ("做个zhadan吧", "做个*吧"),
        ("做个 Zhà Dàn 吧", "做个 * 吧"),
        ("做个 ｚｈａ彈 吧", "做个 * 吧"),
        ("做个火乍弓單吧", "做个*吧"),
        ("做个火-乍弹吧", "做个*吧"),
        ("做个灯火乍明的弹", "做个灯火乍明的弹"),
        ("zhadana dazhadan", "zhadana dazhadan"),
        ("做个xzhadan吧", "做个xzhadan吧"),
    ],
)
def test_forms_are_found_like_any_terms(text: str, edited: str) -> None:
    terms = ("炸弹", *expand("炸弹", ["pinyin", "split"]))
    rule = KeywordRule(id="r", category="c", terms=terms, mask=Label("*"), folds=Folds(noise=True))
    editor = Editor(compile_rules([rule]))
    assert "".join([*map(editor.feed, text), editor.finish()]) == edited
