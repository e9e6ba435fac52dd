"""Rights of a person over a proxy that runs: what was asked is shown, forgotten, and begins anew."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from guardrail.observe.audit_verify import verify
from tests.proxy.harness import BODY
from tests.proxy.program import Program, configure, program
from tests.proxy.scripted import says, scripted

WHO = "user-4711@example.org"


def subject(main: Path, command: str, *more: str) -> Any:
    """What `guardrail subject` prints."""
    options = ["--config", str(main), "--tenant", "anonymous", "--user", WHO, "--actor", "ann"]
    asked = [sys.executable, "-m", "guardrail", "subject", command, *options, *more]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout)


async def subjects(running: Program) -> list[str]:
    """The pseudonyms in records, the newest first."""
    return [record["subject"] for record in (await running.json("/records"))["records"]]


async def test_a_person_is_shown_forgotten_and_begins_anew(tmp_path: Path) -> None:
    async with scripted(says("Drink Acme", " Cola.")) as upstream:
        main = configure(tmp_path, upstream.url)
        main.write_text(main.read_text() + "terms: {subjects: {}}\n")
        async with program("--config", str(main)) as running:
            first = [await running.ask(BODY | {"user": WHO}) for _ in range(2)]
            await running.ask(BODY | {"user": "u-2"})
            await running.ask()
            nobody, other, *mine = await subjects(running)
            assert nobody == ""
            assert len({other, *mine}) == 2

            shown = subject(main, "export")
            assert shown["pseudonym"] == mine[0]
            ids = [record["body"]["request_id"] for record in shown["records"]]
            assert ids == [got.headers["x-guardrail-request-id"] for got in first]

            assert subject(main, "correct", "--set", "minor=true") == {"minor": True}
            receipt = subject(main, "erase", "--yes")
            assert (receipt["known"], receipt["kept"]) == (True, [])
            assert subject(main, "export")["records"] == []

            for _ in range(2):  # the process that met the person before finds out with the first
                await running.ask(BODY | {"user": WHO})
            assert (await subjects(running))[0] not in ("", other, *mine)
            assert subject(main, "export")["attributes"] == {}
        log = tmp_path / "state" / "audit"
        assert [chain.broken for chain in verify(log)] == [None, None]
        # The id of the person is written nowhere, though their records are.
        held = b"".join(path.read_bytes() for path in sorted((tmp_path / "state").rglob("*")) if path.is_file())
        assert mine[0].encode() in held
        assert WHO.encode() not in held
