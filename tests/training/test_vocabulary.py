import json
from pathlib import Path

import pytest

from models.training.vocabulary import chinese_tokens, extend

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused0]", "i", "love", "##ly", ",", "我"]


@pytest.fixture
def original(tmp_path: Path) -> Path:
    spec = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {word: at for at, word in enumerate(WORDS)},
        },
    }
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(spec))
    return path


def test_chinese_is_read_by_the_longest_word_at_each_place(original: Path) -> None:
    tokenizer, _ = extend(original, ["我", "今", "天", "今天", "天气"])
    assert tokenizer.encode("i love 我今天天气,lovely今", add_special_tokens=False).tokens == [
        "i", "love", "我", "##今天", "##天气", ",", "love", "##ly", "今",
    ]  # fmt: skip


def test_a_token_is_one_row_wherever_it_stands(original: Path) -> None:
    tokenizer, rows = extend(original, ["我", "今天"])
    for token in ("我", "今天"):
        assert rows[tokenizer.token_to_id(token)] == rows[tokenizer.token_to_id("##" + token)]
    assert rows[tokenizer.token_to_id("我")] == WORDS.index("我")
    assert max(rows) == len(WORDS)
    assert rows[tokenizer.token_to_id("[unused0]")] == WORDS.index("[UNK]")


def test_tokens_are_the_characters_and_the_words_that_are_frequent() -> None:
    texts = ["今天天气很好"] * 40 + ["罕"]
    assert set(chinese_tokens(texts, {"今天", "天气", "罕见"})) == {"今", "天", "气", "很", "好", "今天", "天气"}
