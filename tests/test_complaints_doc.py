"""The commands in docs/complaints.md and docs/removal.md are run as they stand, against a running guardrail."""

from __future__ import annotations

import asyncio
import json
import os
import re
import stat
import sys
from pathlib import Path
from typing import Any

from guardrail.governance.cases import Case
from guardrail.governance.removal import Order, message_of
from tests.proxy.harness import hashed
from tests.proxy.program import configure, program
from tests.proxy.scripted import says, scripted

DOCS = Path(__file__).parents[1] / "docs"
KEY = "sk-doc"

GUARDRAIL = '#!/bin/sh\nexec "{python}" -m guardrail "$@"\n'

CURL = '''#!{python}
"""As much of curl as the documents use: not every machine has one."""
import sys, urllib.request
words, url, headers, data = sys.argv[1:], "", {{}}, None
while words:
    word = words.pop(0)
    if word == "-H":
        name, _, value = words.pop(0).partition(":")
        headers[name] = value.strip()
    elif word == "-d":
        data = words.pop(0).encode()
    elif word != "-s":
        assert not word.startswith("-"), word
        url = word
print(urllib.request.urlopen(urllib.request.Request(url, data, headers)).read().decode())
'''


def commands(page: str) -> str:
    """All blocks of shell commands of a page, in order."""
    return "\n".join(re.findall(r"^```sh\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.M | re.S))


async def run(folder: Path, script: str, **environ: str) -> str:
    """What the commands print; every one must come out well."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    for name, text in (("guardrail", GUARDRAIL), ("curl", CURL)):
        tool = tools / name
        tool.write_text(text.format(python=sys.executable))
        tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    environment = {**os.environ, **environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    process = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", script),
        cwd=folder,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


def configured(folder: Path, url: str) -> Path:
    """`config/` in the folder, with a tenant and a rule as the documents have them."""
    config = folder / "config"
    main = configure(config, url)
    section = re.search(r"^```yaml\n(terms:.*?)^```", (DOCS / "complaints.md").read_text(encoding="utf-8"), re.M | re.S)
    assert section is not None
    main.write_text(main.read_text() + section[1])
    policy = config / "policies" / "default.yaml"
    policy.write_text(policy.read_text().replace("id: word", "id: bombs"))
    (config / "tenants" / "acme.yaml").write_text(f"tenant: acme\nkeys: [sha256:{hashed(KEY)}]\n")
    return main


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


async def test_complaints(tmp_path: Path) -> None:
    async with scripted(says("hi")) as upstream:
        main = configured(tmp_path, upstream.url)
        async with program("--config", str(main)) as running:
            script = commands("complaints.md").replace("http://127.0.0.1:8080", running.url)
            out = await run(tmp_path, script, KEY=KEY)
        filed, shown, data = objects(out)
        assert (filed["kind"], filed["status"], filed["contact"]) == ("complaint", "received", "complaints@example.com")
        assert shown["id"] == filed["id"]
        assert (data["kind"], data["object"]) == ("export", "guardrail.data_request")
        lines = out.splitlines()
        assert "contact: me@example.com" in lines
        assert "It stopped at a bath bomb." in lines
        assert any(filed["id"] in line and "decided" in line and "upheld" in line for line in lines)
        assert any("allow in bombs: bath bomb" in line for line in lines)
        assert lines[-1].startswith(f"{filed['id']}  anonymous  complaint  closed")


async def test_removal(tmp_path: Path) -> None:
    configured(tmp_path, "http://127.0.0.1:9")
    made = await run(tmp_path, commands("removal.md"))
    case, delivery, listed = made.splitlines()
    assert case.split()[1:] == ["acme", "remove", "g-0123456789abcdef"]
    assert delivery.split()[1] == "pending"
    assert listed.split()[0] == delivery.split()[0]


def test_the_example_of_a_message_has_every_field_that_one_has() -> None:
    text = (DOCS / "removal.md").read_text(encoding="utf-8")
    example = re.search(r"^```json\n(.*?)^```", text, re.M | re.S)
    assert example is not None
    plain: dict[str, Any] = {"id": "c-1", "origin": "removal", "tenant": "acme", "at": 1.0, "measure": "remove"}
    said = message_of(Order("So.", ("privacy",)), Case(begun=1.0, **plain))
    assert set(json.loads(example[1])["data"]) == set(said)
