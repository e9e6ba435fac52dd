"""`guardrail complaints`: the reviewers' queue, over a real state."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from guardrail.cli import app
from guardrail.governance.cases import Case, Cases
from guardrail.governance.complaint_terms import ComplaintTerms, rules_of
from guardrail.governance.complaints import Complaints, Filer
from guardrail.governance.desk import open_desk
from guardrail.governance.filing import Filing

GUARDRAIL = "version: 1\nupstreams: {default: {url: 'http://127.0.0.1:1'}}\n"
TENANT = "tenant: acme\npolicy: acme\n"
POLICY = "policy: acme\nrules:\n  - id: bombs\n    keywords: [bomb]\n    action: halt\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    for name, text in (("guardrail", GUARDRAIL), ("tenants/acme", TENANT), ("policies/acme", POLICY)):
        path = tmp_path / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def filed(config: Path, filing: Filing, now: float | None = None) -> str:
    """The number of what was filed."""

    async def write() -> str:
        rules = rules_of(ComplaintTerms())
        assert rules is not None
        async with open_desk(config, os.environ) as desk:
            complaints = Complaints(desk.store, desk.audit, desk.secret)
            return (await complaints.file(filing, Filer("acme", vouched=True), rules, now=now)).complaint.id

    return asyncio.run(write())


def with_case(config: Path) -> None:
    async def write() -> None:
        async with open_desk(config, os.environ) as desk:
            case = Case(id="c-1", origin="manual", tenant="acme", at=1.0, measure="remove", begun=1.0)
            await Cases(desk.store, desk.audit).open(case)

    asyncio.run(write())


def run(config: Path, *arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["complaints", *arguments, "--config", str(config)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout, result.stderr


def test_the_queue_has_what_is_most_overdue_at_its_head(config: Path) -> None:
    late, open_ = filed(config, Filing("other", "x"), now=1.0), filed(config, Filing("other", "x"))
    status, out, _ = run(config, "list")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == [late, open_]
    assert ["OVERDUE" in line for line in out.splitlines()] == [True, False]
    assert [each["id"] for each in json.loads(run(config, "list", "--overdue", "--format", "json")[1])] == [late]
    assert run(config, "list", "--status", "decided")[1] == ""
    assert run(config, "list", "--tenant", "globex")[1] == ""
    assert len(run(config, "list", "--status", "all", "--kind", "other", "--limit", "1")[1].splitlines()) == 1


def test_from_the_queue_to_the_decision(config: Path) -> None:
    with_case(config)
    id = filed(config, Filing("appeal", "I meant\nbath bombs.", "c-1", contact="me@example.com"))
    status, out, _ = run(config, "show", id, "--actor", "ann")
    assert status == 0
    assert "contact: me@example.com" in out
    assert out.endswith("I meant\nbath bombs.\n")
    assert json.loads(run(config, "show", id, "--actor", "ann", "--format", "json")[1])["words"]["text"]
    assert "in_review" in run(config, "take", id, "--actor", "ann")[1]
    effects = ("--effect", "lift", "--effect", "allow=bath bomb", "--rule", "bombs")
    status, out, _ = run(config, "decide", id, "--actor", "ann", "--upheld", "--reason", "Right.", *effects)
    assert status == 0
    lines = [line.strip() for line in out.splitlines()]
    assert lines[1:3] == ["lift c-1", "allow in bombs: bath bomb"]
    assert lines[3].endswith("policies/acme.yaml:3 (rules):")
    assert "bath bomb" in lines[4]
    assert "closed" in run(config, "close", id, "--actor", "ann")[1]
    out = run(config, "show", id, "--actor", "bob")[1]
    assert "reasons: Right." in out
    assert "outcome: upheld" in out


WRONG = {
    "no outcome": ((), 2, "one of --upheld"),
    "two outcomes": (("--upheld", "--rejected"), 2, "one of --upheld"),
    "no such effect": (("--upheld", "--effect", "praise"), 2, "is lift, or allow=PHRASE"),
    "a phrase for no rule": (("--upheld", "--effect", "allow=x"), 2, "needs --rule"),
    "no such rule": (("--upheld", "--effect", "allow=x", "--rule", "none"), 1, "no rule 'none'"),
    "no case": (("--upheld", "--effect", "lift"), 1, "about no case"),
}


@pytest.mark.parametrize(("arguments", "status", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_decided(config: Path, arguments: tuple[str, ...], status: int, message: str) -> None:
    id = filed(config, Filing("other", "x"))
    code, out, err = run(config, "decide", id, "--actor", "ann", "--reason", "So.", *arguments)
    assert (code, out) == (status, "")
    assert message in err
    assert "received" in run(config, "list")[1]


def test_a_number_that_nobody_has(config: Path) -> None:
    for command in ("show", "take", "close"):
        status, _, err = run(config, command, "f-none", "--actor", "ann")
        assert (status, err) == (1, "guardrail complaints: there is no complaint f-none\n")
