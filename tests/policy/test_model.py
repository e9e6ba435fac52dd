"""The schema says what the typed reader takes, and every key of it has a description."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from guardrail.policy.document import read_document
from guardrail.policy.load import shipped_config
from guardrail.policy.model import FILE_KINDS, file_schema, json_schema

DOCS = Path(__file__).parents[2] / "docs"


def keys() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(structure, key, its schema) for every key of the three kinds of file."""
    for name, definition in json_schema()["$defs"].items():
        for key, schema in definition["properties"].items():
            yield name, key, schema


def test_it_is_a_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    for kind in FILE_KINDS:
        jsonschema.Draft202012Validator.check_schema(file_schema(kind))


@pytest.mark.parametrize(
    ("structure", "key", "schema"), [pytest.param(*each, id=".".join(each[:2])) for each in keys()]
)
def test_every_key_is_described(structure: str, key: str, schema: dict[str, Any]) -> None:
    assert schema.get("description", "").endswith(".")


@pytest.mark.parametrize("path", sorted(shipped_config().rglob("*.yaml")), ids=lambda path: path.name)
def test_the_shipped_files_are_valid_under_the_one_document(path: Path) -> None:
    jsonschema.Draft202012Validator(json_schema()).validate(read_document(path)[0].data)


def test_no_key_may_be_null() -> None:
    assert "null" not in str(json_schema()).replace("'nullable'", "")


def test_every_key_is_documented() -> None:
    ours = ("PolicyFile", "InputEntry", "RuleEntry", "FoldEntry", "NearEntry", "MaskEntry", "Examples")
    scored = ("ClassifierEntry", "ClassifierCategories", "LevelEntry")
    pages = dict.fromkeys((*ours, *scored), "policies.md") | {"DetectorEntry": "classifier.md"}
    pages |= dict.fromkeys(("Scenario", "ScenarioFile"), "testing.md")
    pages |= dict.fromkeys(("PresetFile", "DutyEntry", "Source", "Service"), "presets.md")
    pages["AuditSettings"] = "audit.md"
    pages["ExcerptTerms"] = "data-subjects.md"
    pages |= dict.fromkeys(("LimitTerms", "Quota", "SubjectTerms", "ClaimTerms"), "limits.md")
    conduct = ("ConductTerms", "Weights", "Warn", "Restrict", "Suspend", "Terminate", "Redress")
    pages |= dict.fromkeys(conduct, "conduct.md")
    pages |= {"ComplaintTerms": "complaints.md", "RemovalTerms": "removal.md"}
    pages["LabelTerms"] = "labels.md"
    texts = {page: (DOCS / page).read_text(encoding="utf-8") for page in {*pages.values(), "configuration.md"}}
    missing = [
        f"{structure}.{key}"
        for structure, key, _ in keys()
        if f"`{key}`" not in texts[pages.get(structure, "configuration.md")]
    ]
    assert missing == []
