"""The commands in docs/limits.md are run as they stand, against a running guardrail."""

from __future__ import annotations

import asyncio
import os
import re
import stat
import sys
from pathlib import Path

from tests.proxy.program import configure, program
from tests.proxy.scripted import says, scripted

PAGE = (Path(__file__).parents[1] / "docs" / "limits.md").read_text(encoding="utf-8")

CURL = '''#!{python}
"""As much of curl as the page uses: not every machine has one."""
import sys, urllib.error, urllib.request
words, url, headers, data = sys.argv[1:], "", {{}}, None
while words:
    word = words.pop(0)
    if word == "-H":
        name, _, value = words.pop(0).partition(":")
        headers[name] = value.strip()
    elif word == "-d":
        data = words.pop(0).encode()
    elif word in ("-o", "-w"):
        words.pop(0)
    elif word != "-s":
        url = word
try:
    print(urllib.request.urlopen(urllib.request.Request(url, data, headers)).status)
except urllib.error.HTTPError as error:
    print(error.code)
'''


async def test_the_third_request_of_one_person_is_refused(tmp_path: Path) -> None:
    script = "\n".join(re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S))
    (tmp_path / "tools").mkdir()
    curl = tmp_path / "tools" / "curl"
    curl.write_text(CURL.format(python=sys.executable))
    curl.chmod(curl.stat().st_mode | stat.S_IXUSR)
    async with scripted(says("hi")) as upstream:
        main = configure(tmp_path, upstream.url)
        main.write_text(main.read_text() + "terms: {limits: {user: {requests_per_minute: 2}}}\n")
        async with program("--config", str(main), "--workers", "2") as running:
            process = await asyncio.create_subprocess_exec(
                *("bash", "-euo", "pipefail", "-c", script.replace("http://127.0.0.1:8080", running.url)),
                cwd=tmp_path,
                env={**os.environ, "PATH": f"{tmp_path / 'tools'}:{os.environ['PATH']}"},
                stdout=asyncio.subprocess.PIPE,
            )
            out, _ = await process.communicate()
    assert process.returncode == 0
    assert " ".join(out.decode().split()) in PAGE
    assert out.decode().split() == ["200", "200", "429", "200"]
