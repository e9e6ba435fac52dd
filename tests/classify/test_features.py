import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.classify.features import hashed, is_chinese, normalise

BITS = 12


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("plain ASCII, Case kept", "plain ASCII, Case kept"),
        ("ｆｕｌｌ width", "full width"),
        ("b\u200bo\u00admb", "bomb"),
        ("bоmb with a Cyrillic о", "bomb with a Cyrillic о"),
        ("слово stays a word", "слово stays a word"),
        ("臺灣與漢字", "台湾与汉字"),
        ("café", "café"),
        ("half a pair \ud83d", "half a pair \ufffd"),
    ],
)
def test_the_normal_form_drops_disguises_and_keeps_the_words(written: str, seen: str) -> None:
    assert normalise(written) == seen


@given(st.text())
def test_the_normal_form_is_total_and_encodable(text: str) -> None:
    normalise(text).encode()


@given(st.text(max_size=60), st.text(max_size=60))
def test_features_are_rows_of_the_table(context: str, unit: str) -> None:
    bags = hashed(context, unit, BITS)
    for bag in (bags.unit, bags.context):
        assert len(bag) >= 1
        assert bag.dtype == np.int32
        assert bag.min() >= 0
        assert bag.max() < 1 << BITS


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        ("", False),
        ("plain English", False),
        ("今天天气很好。", True),
        ("我用 Python 写代码", True),
        ("the word 中文 here", False),
    ],
)
def test_a_text_is_chinese_for_the_most_part(text: str, chinese: bool) -> None:
    assert is_chinese(text) is chinese


def rows(context: str, unit: str) -> tuple[list[int], list[int]]:
    bags = hashed(context, unit, 18)
    return sorted(bags.unit.tolist()), sorted(bags.context.tolist())


def test_case_digits_and_blanks_do_not_matter() -> None:
    assert rows("Before  this", "We\twere 17") == rows("before this", "we were 45")


def test_words_and_pairs_of_words_count_beside_characters() -> None:
    one, _ = rows("", "abc def")
    other, _ = rows("", "abc  def")
    assert one == other
    turned, _ = rows("", "def abc")
    assert turned != one


def test_what_stands_before_is_a_bag_of_its_own() -> None:
    alone, _ = rows("", "the unit")
    behind, context = rows("something else", "the unit")
    assert alone == behind
    assert context != rows("", "the unit")[1]


def test_hashes_are_the_ones_that_models_were_trained_with() -> None:
    """A change here makes every trained first stage worthless."""
    bags = hashed("in 2026", "a 小 cat", 18)
    assert (int(bags.unit.sum()), len(bags.unit)) == (4727611, 32)
