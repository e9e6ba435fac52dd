"""What kind of file a file is; the rest is tested through the command, in test_check."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardrail.policy.single import Kind, kind_of


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("guardrail.yaml", "version: 1\n", None),
        ("other.yaml", "version: 1\npolicies: p\n", None),
        ("p.yaml", "policy: p\n", "policy"),
        ("p.yaml", "policy: p\nrules: [{id: x}]\n", "policy"),
        ("t.yaml", "policy: p\ntenant: t\n", "tenant"),
        ("h.yaml", "preset: h\nterms: {}\n", "preset"),
        ("l.TXT", "policy: p\n", "lexicon"),
        ("l.csv", "", "lexicon"),
        ("x.yaml", "[]\n", None),
        ("x.yaml", "rules: []\n", None),
    ],
)
def test_kinds(tmp_path: Path, name: str, content: str, kind: Kind | None) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert kind_of(tmp_path / name) == kind
    assert kind_of(tmp_path) is None
