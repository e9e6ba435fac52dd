"""The bench: a real proxy that answers, an operator's command beside it, and nothing left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from guardrail.errors import ConfigError
from guardrail.evidence.bench import bench
from guardrail.policy.load import shipped_config
from guardrail.policy.presets import check_preset, shipped_presets

PRESET = "us-companion-chatbot"
FILE = check_preset(shipped_presets(shipped_config() / "presets")[PRESET])


def test_it_can_be_asked_and_is_gone_afterwards() -> None:
    async def run() -> Path:
        async with bench(None, FILE, PRESET) as asked:
            streamed = await asked.ask("Why is the sky blue?", user=asked.somebody())
            whole = await asked.ask("Why is the sky blue?", stream=False)
            for answer in (streamed, whole):
                assert answer.text.endswith("Air scatters the short blue waves far more than the long red ones.")
            assert (await asked.record(streamed.request_id))["outcome"] == "complete"
            assert (await asked.generation(streamed.generation))["state"] == "finished"
            described = await asked.call("GET", "/.well-known/ai-service.json", key=False)
            assert described.body["service"]["name"] == "An example service"
            signed = await asked.ask("Why is the sky blue?", headers=asked.claims("ana", minor=True))
            assert signed.status == 200
            status, said = await asked.operate("check", str(asked.setting.path))
            assert status == 0, said
            assert f"tenant {asked.tenant.name}" in said
            assert asked.somebody() != asked.somebody()
            return asked.folder

    assert not asyncio.run(run()).exists()


def test_a_configuration_that_cannot_be_used(tmp_path: Path) -> None:
    async def run() -> None:
        async with bench(tmp_path / "none.yaml", FILE, PRESET):
            raise AssertionError("it started")

    with pytest.raises(ConfigError, match="found no file here"):
        asyncio.run(run())
