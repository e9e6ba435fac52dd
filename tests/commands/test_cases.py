"""`guardrail cases`: what an operator sees and decides, over a real state."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from time import time

import msgspec
import pytest
from typer.testing import CliRunner

from guardrail.cli import app
from guardrail.governance import ladder
from guardrail.governance.cases import Case, Cases, case_put, conduct_put
from guardrail.governance.desk import open_desk
from guardrail.governance.excerpts import Excerpt
from guardrail.governance.identity import subject_id
from guardrail.governance.keyring import Keyring
from guardrail.governance.ladder import Conduct, ConductTerms, Strike, ladder_of
from guardrail.state.operations import Put
from guardrail.state.store import put

GUARDRAIL = """version: 1
upstreams: {default: {url: 'http://127.0.0.1:1'}}
terms: {conduct: {ground: Section 4}}
"""
TENANT = "tenant: acme\npolicy: acme\n"
POLICY = "policy: acme\nrules:\n  - id: bombs\n    keywords: [bomb]\n    action: halt\n"
SUBJECT = "5b" * 16
WHO = ("--actor", "ann", "--reason", "a quotation")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration in whose state somebody is suspended by the case c-1."""
    for name, text in (("guardrail", GUARDRAIL), ("tenants/acme", TENANT), ("policies/acme", POLICY)):
        path = tmp_path / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    now = time()
    strike = Strike("g-1", now, 12, "illicit", "critical", "bombs", "halt", "prompt", "acme@0123456789ab")
    conduct, measure = ladder.struck(Conduct(tenant="acme"), [strike], ladder_of(ConductTerms()), now, "c-1")
    assert measure is not None
    case = Case(
        id="c-1",
        origin="conduct",
        tenant="acme",
        subject=SUBJECT,
        at=now,
        measure=measure.step,
        begun=now,
        until=measure.until,
        strikes=conduct.strikes,
        request="g-1",
        appeal_until=now + 9,
    )

    async def write() -> None:
        async with open_desk(tmp_path, os.environ) as desk:
            await put(desk.store, case_put(case, now, 0))
            await put(desk.store, conduct_put(SUBJECT, conduct, now, 0))

    asyncio.run(write())
    return tmp_path


def run(config: Path, *arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["cases", *arguments, "--config", str(config)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout, result.stderr


def holding(config: Path, subject: str = SUBJECT) -> str:
    """The measure in force."""

    async def look() -> Conduct | None:
        async with open_desk(config, os.environ) as desk:
            return await Cases(desk.store, desk.audit).conduct(subject)

    conduct = asyncio.run(look())
    measure = ladder.in_force(conduct, time()) if conduct is not None else None
    return "" if measure is None else measure.step


def audited(config: Path) -> list[str]:
    result = CliRunner().invoke(app, ["audit", "export", "--config", str(config), "--kind", "case.decided"])
    return result.stdout.splitlines()


def test_listed_and_shown(config: Path) -> None:
    status, out, _ = run(config, "list")
    assert status == 0
    assert out.startswith("c-1  ")
    assert "acme  suspend  open  until " in out
    assert out.rstrip().endswith("bombs")
    assert run(config, "list", "--status", "lifted")[1] == ""
    (told,) = json.loads(run(config, "list", "--subject", SUBJECT, "--format", "json")[1])
    assert told["id"] == "c-1"
    assert "Statement of reasons" in run(config, "show", "c-1")[1]
    assert json.loads(run(config, "show", "c-1", "--format", "json")[1])["subject"] == SUBJECT


def test_the_statement_in_both_languages(config: Path) -> None:
    assert run(config, "statement", "c-1")[1].startswith("Statement of reasons\n")
    assert run(config, "statement", "c-1", "--locale", "zh")[1].startswith("处理理由说明\n")
    assert json.loads(run(config, "statement", "c-1", "--format", "json")[1])["measure"]["code"] == "suspend"


def test_lifted(config: Path) -> None:
    assert holding(config) == "suspend"
    status, out, _ = run(config, "lift", "c-1", *WHO)
    assert (status, out.split()[:3]) == (0, ["c-1", "suspend", "lifted"])
    assert holding(config) == ""
    (line,) = audited(config)
    assert all(word in line for word in ("c-1", "ann", "a quotation", "lift"))
    status, _, err = run(config, "uphold", "c-1", *WHO)
    assert (status, err) == (1, "guardrail cases: the case 'c-1' is lifted: what can be decided is lift\n")


def test_lifted_with_a_phrase_that_the_rule_is_to_let_pass(config: Path) -> None:
    status, out, _ = run(config, "lift", "c-1", *WHO, "--allow", "bath bomb", "--rule", "bombs")
    assert status == 0
    assert f"in the rule bombs ({config / 'policies' / 'acme.yaml'}:3):" in out
    assert '  allow: ["bath bomb"]' in out
    assert "allow in bombs: bath bomb" in run(config, "show", "c-1")[1]


def test_a_rule_that_is_not_there_leaves_the_case_as_it_is(config: Path) -> None:
    status, _, err = run(config, "lift", "c-1", *WHO, "--allow", "bath bomb", "--rule", "bomb")
    assert (status, err) == (1, "guardrail cases: the policy 'acme' has no rule 'bomb'\n")
    assert holding(config) == "suspend"
    assert run(config, "lift", "c-1", *WHO, "--allow", "bath bomb")[0] == 2


def test_overridden(config: Path) -> None:
    status, out, _ = run(config, "override", "c-1", *WHO, "--to", "restrict", "--until", "2999-01-01")
    assert (status, out) == (0, "c-1  restrict  overridden  until 2999-01-01T00:00:00Z\n")
    assert holding(config) == "restrict"
    status, out, _ = run(config, "override", "c-1", *WHO, "--to", "terminate")
    assert (status, out) == (0, "c-1  terminate  overridden  no end\n")
    assert holding(config) == "terminate"
    assert run(config, "override", "c-1", *WHO, "--to", "warn", "--until", "soon")[0] == 2


def test_opened_by_hand(config: Path) -> None:
    arguments = ("open", "--tenant", "acme", "--user", "u-7", "--measure", "suspend", *WHO)
    status, out, _ = run(config, *arguments)
    assert status == 0

    async def whose() -> str:
        async with open_desk(config, os.environ) as desk:
            return subject_id(desk.secret, "acme", "u-7")

    subject = asyncio.run(whose())
    assert holding(config, subject) == "suspend"
    case = json.loads(run(config, "show", out.split()[0], "--format", "json")[1])
    assert (case["origin"], case["facts"], case["ground"]) == ("manual", "a quotation", "Section 4")
    assert (case["actor"], case["decided_by"]) == ("ann", "person")
    assert "u-7" not in json.dumps(case)
    assert run(config, *arguments, "--subject", SUBJECT)[0] == 2


def test_not_where_no_measure_would_hold(config: Path) -> None:
    (config / "guardrail.yaml").write_text(GUARDRAIL.replace("terms: {conduct: {ground: Section 4}}\n", ""))
    status, _, err = run(config, "open", "--tenant", "acme", "--user", "u", "--measure", "warn", *WHO)
    assert (status, "no section 'conduct'" in err) == (1, True)


@pytest.mark.parametrize("command", ["show", "statement", "lift", "uphold"])
def test_a_case_that_is_not_there(config: Path, command: str) -> None:
    status, _, err = run(config, command, "c-2", *(WHO if command in ("lift", "uphold") else ()))
    assert (status, err) == (1, "guardrail cases: there is no case 'c-2'\n")


def test_an_excerpt(config: Path) -> None:
    async def write() -> None:
        async with open_desk(config, os.environ) as desk:
            sealed = Keyring(desk.secret).seal_alone("a quotation of bombs", "excerpt:x-1")
            found = ("bombs", "illicit", "high", "content", 15, 20)
            excerpt = Excerpt("x-1", "acme", "", "g-1", *found, 0, time(), time() + 99, sealed)
            await put(desk.store, Put("excerpt", "x-1", msgspec.json.encode(excerpt), frozenset(("request:g-1",))))

    asyncio.run(write())
    for named in ("c-1", "g-1"):
        status, out, _ = run(config, "excerpt", named, "--actor", "ann")
        assert (status, out) == (0, "bombs  illicit  content[15:20]\na quotation of bombs\n\n")
    assert run(config, "excerpt", "g-2", "--actor", "ann")[::2] == (1, "no excerpt is kept\n")
    assert run(config, "excerpt", "g-1")[0] == 2
