"""The count of false alarms, over a few texts made up for it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.false_alarms import COUNSELLING, NoData, group_of, measure, shape, texts


def write(data: Path, name: str, *rows: dict[str, Any]) -> None:
    path = data / name / f"{name}.jsonl.gz"
    path.parent.mkdir(parents=True)
    usual = {"labels": [], "role": "response", "split": "dev"}
    with gzip.open(path, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(usual | row) + "\n" for row in rows)


def test_harmless_answers_and_labelled_texts_are_counted_apart(tmp_path: Path) -> None:
    write(
        tmp_path,
        "benign_some",
        {"text": "Write to bob@acme.org or to ann@acme.org."},
        {"text": "Nothing here."},
        {"text": "Only a question: bob@acme.org", "role": "prompt"},
        {"text": "bob@acme.org is not looked at", "split": "train"},
    )
    write(tmp_path, min(COUNSELLING), {"text": "You say that you think: I want to kill myself."})
    write(
        tmp_path, "some_labelled", {"text": "I want to kill myself.", "labels": ["self_harm"]}, {"text": "我不想活了"}
    )
    (tmp_path / "label_scope.json").write_text(json.dumps({"some_labelled": ["self_harm"]}))

    result = measure(tmp_path, ["default"])

    assert (result.ordinary, result.counselling) == (2, 1)
    assert (result.labelled["self_harm"], result.cleared["self_harm"]) == (1, 1)
    counts = {count.rule: count for count in result.counts}
    assert (counts[""].ordinary, counts[""].counselling) == (1, 1)
    crisis = counts["lexicon.crisis"]
    assert (crisis.ordinary, crisis.counselling, crisis.labelled, crisis.cleared) == (0, 1, 1, 1)
    assert crisis.offenders == {"i want to kill myself": 1}
    shapes = [hit for count in result.counts for hit in count.offenders if "@" in hit]
    assert shapes == ["aaa@aaaa.aaa"]


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoData, match="found no set in"):
        measure(tmp_path, ["default"])
    write(tmp_path, "labelled_only", {"text": "Hello.", "labels": ["hate"]})
    with pytest.raises(NoData, match="found no harmless answers"):
        measure(tmp_path, ["default"])
    write(tmp_path, "broken", {"words": "Hello."})
    with pytest.raises(NoData, match=r"broken\.jsonl\.gz:1: expected an object with text"):
        list(texts(tmp_path))


@pytest.mark.parametrize(
    ("hit", "shown"), [("078-05-1120", "ddd-dd-dddd"), ("Bob_1@acme.org", "aaa_d@aaaa.aaa"), ("x" * 99, "a" * 40)]
)
def test_of_personal_data_only_the_shape_is_shown(hit: str, shown: str) -> None:
    assert shape(hit) == shown


@pytest.mark.parametrize(("rule", "group"), [("lexicon.slurs.critical", "lexicon.slurs"), ("brand", "brand")])
def test_a_list_and_its_grades_are_one(rule: str, group: str) -> None:
    assert group_of(rule) == group
