"""What the engine refuses is told at the piece that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policy.tree import complaints

WRONG = "\u200b"  # folds to nothing


@pytest.mark.parametrize(
    ("entry", "places"),
    [
        ("{id: x, patterns: [ok, 'x*', '('], action: log}", ["3:28", "3:34"]),
        ("{id: x, pattern: 'y+', action: log}", ["3:22"]),
        ("{id: x, keywords: [ok, '_', fine, '_'], action: log, allow: [ok, '_']}", ["3:28", "3:70"]),
        ("{id: x, lexicon: ../l.csv, action: log}", ["l.csv:2", "l.csv:3"]),
        ("{id: x, near: {first: [a, '_'], second_lexicon: ../n.csv}, action: log}", ["n.csv:2", "n.csv:3", "3:31"]),
        ("{entity: url, action: log, allow: [ok, '_']}", ["3:44"]),
    ],
)
def test_places(tmp_path: Path, entry: str, places: list[str]) -> None:
    policy = f"policy: p\nrules:\n  - {entry}\n".replace("'_'", f"'{WRONG}'")
    near = f"term,allow\n{WRONG},\nfine,{WRONG * 2}\n"
    files = {
        "policies/p.yaml": policy,
        "n.csv": near,
        "l.csv": f"term,allow,category\n{WRONG},fine,\nok,{WRONG},c\nfine,,\n",
    }
    found = [line.removeprefix("policies/p.yaml:").split(": ")[0] for line in complaints(tmp_path, files)]
    assert [place if ".csv" not in place else place.rpartition(":")[0] for place in found] == places


def test_the_few_of_a_long_list(tmp_path: Path) -> None:
    terms = [WRONG * (2 + n % 2) if n in (3, 7000) else f"term {n}" for n in range(20_000)]
    files = {
        "policies/p.yaml": "policy: p\nrules:\n  - {id: x, lexicon: ../l.txt, action: log}\n",
        "l.txt": "\n".join(terms),
    }
    assert [line.split(": ")[0] for line in complaints(tmp_path, files)] == ["l.txt:4:1", "l.txt:7001:1"]
