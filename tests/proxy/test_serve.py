"""`guardrail serve` as a program: options, the ready line, records on standard output, errors at start."""

from __future__ import annotations

import json
import signal
import socket
import ssl
from pathlib import Path

import pytest
import trustme

from guardrail.proxy.serve import Options
from guardrail.settings import Admin, Listen
from tests.proxy.program import configure, program, start
from tests.proxy.scripted import says, scripted


def test_an_option_counts_before_the_file() -> None:
    options = Options(host="0.0.0.0", port=1, admin_port=2)
    assert options.listen(Listen(host="h", port=9)) == Listen(host="0.0.0.0", port=1)
    assert options.admin(Admin(host="h", port=9)) == Admin(host="h", port=2)
    assert Options().listen(Listen(host="h", port=9)) == Listen(host="h", port=9)
    assert Options().admin(Admin(host="h", port=9)) == Admin(host="h", port=9)


async def test_with_a_file(tmp_path: Path) -> None:
    async with scripted(says("I like Acme", " Cola.")) as upstream:
        main = configure(tmp_path, upstream.url)
        async with program("--config", str(main)) as running:
            got = await running.ask()
            assert (got.status, got.text) == (200, "I like [X].")
            assert (await running.json("/records"))["records"][0]["removed"] == 9
            running.signal(signal.SIGTERM)
            assert await running.status() == 0
        assert [json.loads(line)["request_id"] for line in running.output] == [got.headers["x-guardrail-request-id"]]
        assert "Acme" not in "".join(running.errors)


async def test_the_key_of_a_detector_that_is_unset_is_told(tmp_path: Path) -> None:
    main = configure(tmp_path, "http://127.0.0.1:1")
    remote = '{format: openai, url: "http://127.0.0.1:1", api_key_env: JUDGE_KEY}'
    section = f"classifier: {{remote: {remote}, categories: {{hate: {{at: 0.5}}}}}}"
    (tmp_path / "policies" / "judged.yaml").write_text(f"policy: judged\n{section}\n")
    async with program("--config", str(main), environ={"JUDGE_KEY": ""}) as running:
        told = (
            "guardrail: warning: JUDGE_KEY is unset: requests to the detector of the policy 'judged' go without a key"
        )
        assert await running.said("JUDGE_KEY") == told + "\n"


async def test_with_no_file_at_all() -> None:
    async with scripted(says("Write to jane.doe", "@example.com.")) as upstream:
        flags = ("--upstream", upstream.url, "--port", "0", "--admin-port", "0")
        async with program(*flags, environ={"GUARDRAIL_ADMIN_TOKEN": ""}) as running:
            assert "jane" not in (await running.ask()).text
            token = (await running.said("admin token")).split()[-1]
            assert len(token) >= 32
            assert (await running.operator("/records")).status == 401


async def test_the_environment_counts_before_the_file_and_a_flag_before_both(tmp_path: Path) -> None:
    async with scripted(says("hi")) as upstream, scripted(says("ho")) as other:
        main = configure(tmp_path, upstream.url)
        environ = {"GUARDRAIL_CONFIG": str(main), "GUARDRAIL_UPSTREAM": other.url, "GUARDRAIL_HOST": "::1"}
        async with program("--host", "127.0.0.1", environ=environ) as running:
            assert running.url.startswith("http://127.0.0.1:")
            assert (await running.ask()).text == "ho"


async def test_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    async with scripted(says("hi")) as upstream:
        both = tmp_path / "both.pem"
        main = configure(tmp_path, upstream.url, tls=f", tls: {{cert: {both}, key: {both}}}")
        async with program("--config", str(main)) as running:
            assert running.url.startswith("https://")
            assert (await running.ask(ssl=context)).text == "hi"


async def ends(*arguments: str) -> tuple[int, str]:
    """Exit status and standard error of a start that fails."""
    process = await start(*arguments)
    _, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, errors.decode()


async def test_a_configuration_that_cannot_be_used(tmp_path: Path) -> None:
    main = configure(tmp_path, "http://127.0.0.1:1")
    main.write_text(main.read_text().replace("version: 1", "version: 2\nsurprise: yes"))
    status, errors = await ends("--config", str(main))
    assert status == 1
    assert "guardrail.yaml:1:" in errors
    assert "surprise" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_port_that_is_taken(workers: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        flags = ("--upstream", "http://127.0.0.1:1", "--port", port, "--admin-port", "0", "--workers", workers)
        status, errors = await ends(*flags)
    assert status == 1
    assert f"guardrail: port {port} on 127.0.0.1 is in use\n" in errors
    assert "Errno" not in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_state_that_can_never_be_opened(workers: str, tmp_path: Path) -> None:
    main = configure(tmp_path, "http://127.0.0.1:1")
    flags = ("--config", str(main), "--workers", workers)
    (tmp_path / "state").write_text("no folder")
    status, errors = await ends(*flags)
    assert status == 1
    assert f"guardrail: the folder {tmp_path / 'state'} cannot be made: " in errors
    main.write_text(main.read_text() + 'state: {store: redis, redis: {url: "redis://127.0.0.1:1"}}\n')
    status, errors = await ends(*flags)
    assert status == 1
    assert "guardrail: the environment variable GUARDRAIL_SECRET is not set: " in errors
    assert "Traceback" not in errors


async def test_wrong_flags() -> None:
    assert (await ends())[0] == 2
    assert (await ends("--upstream", "http://h", "--port", "70000"))[0] == 2
