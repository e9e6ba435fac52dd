"""What is left of a file with faults: everything but what is wrong, at the places it was written at."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from guardrail.policy.document import read_document
from guardrail.policy.model import PolicyFile, TenantFile
from guardrail.policy.salvage import Salvage, salvaged
from guardrail.settings import Settings

File = TypeVar("File", bound=msgspec.Struct)


def left(folder: Path, kind: type[File], text: str) -> Salvage[File] | None:
    (folder / "f.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
    return salvaged(read_document(folder / "f.yaml")[0], kind)


def test_a_rule_goes_as_a_whole_and_the_others_keep_their_places(tmp_path: Path) -> None:
    text = """\
        policy: p
        haalt: choice
        rules:
          - {id: a, keywords: [1]}
          - {id: b, keywords: [x]}
          - 3
          - {id: c, mask: {style: chr}}
          - {id: d, keywords: [y]}
        """
    part = left(tmp_path, PolicyFile, text)
    assert part is not None
    assert [rule.id for rule in part.file.rules] == ["b", "d"]
    assert part.cut == {("haalt",), ("rules", 0), ("rules", 2), ("rules", 3)}
    at = part.document.problem(("rules", 1, "keywords", 0), "")
    assert (at.line, at.column) == (8, 24)


def test_what_lacks_a_key_that_it_needs_goes_with_it(tmp_path: Path) -> None:
    text = """\
        version: 1
        upstreams:
          a: {url: http://a, retries: 99}
          b: {url: "ftp://b"}
        """
    part = left(tmp_path, Settings, text)
    assert part is not None
    assert list(part.file.upstreams) == ["a"]
    assert part.file.upstreams["a"].retries == 1


def test_what_is_sound_is_left_alone(tmp_path: Path) -> None:
    part = left(tmp_path, TenantFile, "tenant: t\npolicy: p\n")
    assert part is not None
    assert (part.file, part.cut) == (TenantFile("t", policy="p"), frozenset())


@pytest.mark.parametrize("text", ["tenant: 3\n", "policy: p\n", "[tenant, t]\n", "3\n"])
def test_too_little_is_left(tmp_path: Path, text: str) -> None:
    assert left(tmp_path, TenantFile, text) is None
