"""Every check, tried twice on real proxies: under a configuration that serves all presets, and under one that serves
nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import yaml

from guardrail.evidence.bench import bench
from guardrail.evidence.checks import Outcome, checks, tried
from guardrail.evidence.setting import EXAMPLE
from guardrail.policy.load import shipped_config
from guardrail.policy.presets import check_preset, shipped_presets

SHIPPED = shipped_presets(shipped_config() / "presets")
PRESET = "eu-ai-act"


def outcomes(config: Path) -> dict[str, Outcome]:
    async def run() -> dict[str, Outcome]:
        async with bench(config, check_preset(SHIPPED[PRESET]), PRESET) as asked:
            return {name: await tried(name, asked) for name in checks()}

    return asyncio.run(run())


def write(folder: Path, **more: object) -> Path:
    data = {"version": 1, "upstreams": {"default": {"url": "http://127.0.0.1:1"}}, **more}
    (folder / "guardrail.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    return folder / "guardrail.yaml"


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Under every shipped preset at once."""
    folder = tmp_path_factory.mktemp("served")
    return outcomes(
        write(
            folder,
            anonymous={"policy": "public-service"},
            presets=[*SHIPPED],
            service=EXAMPLE,
            terms={"removal": {"webhook": "http://127.0.0.1:1/hook"}, "labels": {"provider": "Example Ltd"}},
        ),
    )


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Under a policy that looks for nothing and keeps what passes, without terms, without an audit log."""
    folder = tmp_path_factory.mktemp("bare")
    (folder / "policies").mkdir()
    (folder / "policies" / "nothing.yaml").write_text("policy: nothing\nrules: []\n")
    return outcomes(write(folder, anonymous={"policy": "nothing"}, audit={"enabled": False}))
