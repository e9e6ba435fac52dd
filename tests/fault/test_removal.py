"""An order to remove an answer outlives the proxy: it is killed between two tries, and the next one goes on."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

from tests.governance.test_deliveries import KEY, SECRET, receiving, verified
from tests.proxy.program import configure, program
from tests.proxy.scripted import says, scripted, until

TERMS = """
terms:
  removal: {{webhook: "{url}/hook", secret_env: HOOK}}
"""


async def cases(*arguments: str) -> str:
    """Run `guardrail cases`; what it prints."""
    import sys

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "guardrail", "cases", *arguments), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


async def test_a_message_outlives_a_kill(tmp_path: Path) -> None:
    async with scripted(says("hi")) as upstream, receiving(500, 503, 204) as receiver:
        main = configure(tmp_path, upstream.url)
        main.write_text(main.read_text() + TERMS.format(url=receiver.url))
        arguments, environ = ("--config", str(main)), {"HOOK": SECRET}
        async with program(*arguments, environ=environ) as first:
            request = (await first.ask()).headers["x-guardrail-request-id"]
            said = ("--reason", "So.", "--category", "privacy", "--actor", "ann")  # the audit log knows the rest
            case = (await cases("remove", request, *said, *arguments)).split()[0]
            await until(lambda: len(receiver.got) >= 1, 30)

            async def marked() -> bool:
                (record,) = (await first.json(f"/records?id={request}"))["records"]
                return bool(record["removed_by"] == case)

            await first.until(marked)
            first.signal(signal.SIGKILL)
            await first.status()
        async with program(*arguments, environ=environ):
            await until(lambda: len(receiver.got) >= 3, 60)
            listed = ""
            async with asyncio.timeout(30):
                while "acknowledged" not in listed:
                    listed = await cases("deliveries", *arguments)
        assert len({headers["webhook-id"] for _, headers, _ in receiver.got}) == 1
        assert all(verified(KEY, headers, body) for _, headers, body in receiver.got)
        data: dict[str, Any] = json.loads(receiver.got[0][2])["data"]
        assert (data["case_id"], data["request_id"], data["message_id"]) == (case, request, "chatcmpl-7")
