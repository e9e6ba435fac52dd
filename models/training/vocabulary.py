"""A tokenizer for English and Chinese: the encoder's own vocabulary, and behind it the Chinese words of the data.

The encoder's vocabulary knows 488 Chinese characters. Added are the characters of the training data and the dictionary
words that are frequent in it: WordPiece then reads a run of Chinese by the longest word at each place, in about two
thirds of the tokens that single characters would take, and each word begins with a meaning in English (`chinese`).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers

from guardrail.classify.features import normalise

HAN = "[\u3400-\u4dbf\u4e00-\u9fff]"
MIN_CHARACTER, MIN_WORD, MAX_WORDS = 5, 30, 5000
"""Times a character or word must occur in the training texts; and how many words there are at most."""
LONGEST = 4
"""Characters of a dictionary word that may become a token."""
_RUN = re.compile(HAN + "+")


def chinese_tokens(texts: Iterable[str], words: set[str]) -> list[str]:
    """Characters and words to add, most frequent first; a word is counted where the longest one at each place is it."""
    characters: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for text in texts:
        for run in _RUN.findall(normalise(text)):
            characters.update(run)
            at = 0
            while at < len(run):
                length = next((n for n in range(LONGEST, 1, -1) if run[at : at + n] in words), 1)
                if length > 1 and at + length <= len(run):
                    found[run[at : at + length]] += 1
                at += length
    return [c for c, n in characters.most_common() if n >= MIN_CHARACTER] + [
        word for word, n in found.most_common(MAX_WORDS) if n >= MIN_WORD
    ]


def extend(original: Path, tokens: Sequence[str]) -> tuple[Tokenizer, list[int]]:
    """The tokenizer with the Chinese tokens, and for each of its ids the row of the embedding.

    WordPiece has one id for a token that begins a run and another for the same token inside it; both are one row, so
    that the table does not hold them twice."""
    spec = json.loads(original.read_text(encoding="utf-8"))
    vocabulary: dict[str, int] = spec["model"]["vocab"]
    rows = list(range(len(vocabulary)))
    for token, index in vocabulary.items():
        if token.startswith("[unused"):
            rows[index] = vocabulary["[UNK]"]
    next_row = len(vocabulary)
    for token in tokens:
        known = vocabulary.get(token)
        row = next_row if known is None else known
        next_row += known is None
        for written in (token, "##" + token):
            if written not in vocabulary:
                vocabulary[written] = len(rows)
                rows.append(row)
            else:
                rows[vocabulary[written]] = row
    spec["model"]["max_input_chars_per_word"] = 512
    spec["truncation"] = spec["padding"] = None
    tokenizer = Tokenizer.from_str(json.dumps(spec, ensure_ascii=False))
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=False, strip_accents=True, lowercase=True
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.BertPreTokenizer(), pre_tokenizers.Split(Regex(HAN + "+"), "isolated")]
    )
    return tokenizer, rows
