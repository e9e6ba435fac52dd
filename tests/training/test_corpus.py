import gzip
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from guardrail.text.scores import CATEGORIES
from models.training.corpus import fairness_rows, foreign_answers, own_rows, public_rows

HATE, UNSAFE = CATEGORIES.index("hate"), CATEGORIES.index("unsafe")
EVERY = [c for c in CATEGORIES if c != "unsafe"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    scope = {"posts": ["hate"], "benign_replies": EVERY, "terms": []}
    (tmp_path / "label_scope.json").write_text(json.dumps(scope))
    rows = {
        "posts": [("a hateful post", ["hate"]), ("a post", [])],
        "benign_replies": [(f"answer number {n}", []) for n in range(200)],
        "terms": [("a term", ["profanity"])],
    }
    for name, texts in rows.items():
        (tmp_path / name).mkdir()
        lines = [
            json.dumps({"text": t, "labels": ls, "role": "response", "lang": "en", "source": name, "split": "train"})
            for t, ls in texts
        ]
        with gzip.open(tmp_path / name / f"{name}.jsonl.gz", "wt") as file:
            file.write("\n".join(lines) + "\n")
    (tmp_path / "noncommercial" / "other").mkdir(parents=True)
    (tmp_path / "noncommercial" / "other" / "other.jsonl.gz").write_bytes(b"never read")
    return tmp_path


def test_a_label_is_believed_and_says_nothing_of_other_categories(data: Path) -> None:
    row = next(row for row in public_rows(data) if row.text == "a hateful post")
    assert [c for c, known in zip(CATEGORIES, row.known, strict=True) if known] == ["hate", "unsafe"]
    assert row.targets[HATE] == row.targets[UNSAFE] == 1.0


def test_an_empty_row_vouches_for_the_scope_of_its_set(data: Path) -> None:
    row = next(row for row in public_rows(data) if row.text == "a post")
    assert not any(row.targets)
    assert [c for c, known in zip(CATEGORIES, row.known, strict=True) if known == 1.0] == ["hate"]
    assert row.known[UNSAFE] == pytest.approx(1 / 7)


def test_some_harmless_answers_are_kept_from_the_training(data: Path) -> None:
    splits = Counter(row.split for row in public_rows(data) if row.name == "benign_replies")
    assert 20 < splits["tune"] < 60
    assert splits["train"] + splits["tune"] == 200


def test_sets_for_comparison_only_are_never_read(data: Path) -> None:
    assert {row.name for row in public_rows(data)} == {"posts", "benign_replies", "terms"}


def test_answers_to_measure_by_are_those_of_the_sets_for_comparison(data: Path) -> None:
    (data / "noncommercial" / "benign_more").mkdir()
    lines = [json.dumps({"text": f"reply {n}", "labels": [], "role": "response", "lang": "en"}) for n in range(9)]
    with gzip.open(data / "noncommercial" / "benign_more" / "benign_more.jsonl.gz", "wt") as file:
        file.write("\n".join(lines))
    assert len(foreign_answers(data, "en", 5)) == 5
    assert foreign_answers(data, "en", 5) == foreign_answers(data, "en", 9)[:5]
    assert foreign_answers(data, "zh", 5) == []


def test_a_folder_without_sets_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "label_scope.json").write_text("{}")
    with pytest.raises(FileNotFoundError):
        list(public_rows(tmp_path))


def test_the_rows_written_for_this_project_are_well_formed() -> None:
    rows = list(own_rows())
    assert len(rows) > 8000
    assert not [text for text, times in Counter(row.text for row in rows).items() if times > 3]
    for lang in ("en", "zh"):
        labels = Counter(label for row in rows if row.lang == lang for label in row.labels)
        assert min(labels[c] for c in ("self_harm", "violence", "sexual", "harassment", "hate", "illicit")) >= 100
        harmless = sum(not row.labels for row in rows if row.lang == lang)
        assert harmless >= sum(bool(row.labels) for row in rows if row.lang == lang)


def test_a_harmful_row_and_its_twin_are_in_the_same_split() -> None:
    rows = list(own_rows())
    for row, after in pairwise(rows):
        if row.labels and not after.labels:
            assert row.split == after.split


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "en-hate.tsv").write_text("# words\nhate\tpost\tfine\nhates\tpost\tunknown label\n")
    with pytest.raises(ValueError, match=r"en-hate\.tsv:3: unknown label or role"):
        list(own_rows(tmp_path))


def test_counterfactual_sentences_have_the_label_of_their_template() -> None:
    rows = list(fairness_rows())
    assert {row.lang for row in rows} == {"en", "zh"}
    assert {bool(row.labels) for row in rows} == {True, False}
    assert all(min(row.known) == 1.0 for row in rows)
