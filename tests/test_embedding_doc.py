"""docs/embedding.md: every block of code runs as a file of its own, and prints what the page says it does."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else litellm fetches its price list when it is imported

import pytest
import yaml
from litellm.proxy.types_utils.utils import get_instance_fn
from litellm.types.guardrails import GuardrailEventHooks

from guardrail.litellm import Guardrail
from tests.conformance.servers import listening

PAGE = Path(__file__).parent.parent / "docs/embedding.md"
BLOCK = re.compile(r"^```(python|yaml|text)\n(.*?)^```$", re.M | re.S)


def blocks(section: str) -> list[tuple[str, str]]:
    """The blocks of a section: language and code."""
    text = PAGE.read_text()
    at = text.index(section)
    end = text.find("\n## ", at + 1)
    return BLOCK.findall(text[at : end if end > 0 else None])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the page's files, and the addresses and keys of the simulated model server for every SDK."""
    for _, code in BLOCK.findall(PAGE.read_text()):
        if named := re.match(r"# (\S+)\n", code):
            (tmp_path / named[1]).write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "app", raising=False)
    with listening(["simulate", "--port", "0"]) as (url,):
        for name, value in (
            ("ANTHROPIC_BASE_URL", url),
            ("ANTHROPIC_API_KEY", "k"),
            ("OPENAI_BASE_URL", f"{url}/v1"),
            ("OPENAI_API_KEY", "k"),
            ("GOOGLE_GEMINI_BASE_URL", url),
            ("GEMINI_API_KEY", "k"),
        ):
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        yield tmp_path


@pytest.mark.parametrize("section", ["## In an ASGI application", "## Around an SDK's stream"])
def test_the_examples_print_what_the_page_says(section: str, folder: Path) -> None:
    printed = io.StringIO()
    checked = 0
    for language, code in blocks(section):
        if language == "python":
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(code, str(PAGE), "exec"), {"__name__": "example"})
        elif language == "text":
            assert printed.getvalue().rstrip("\n") == code.rstrip("\n")
            checked += 1
    assert checked


def test_the_configuration_of_litellm(folder: Path) -> None:
    ((_, code),) = blocks("## In the LiteLLM proxy")
    (folder / "config.yaml").write_text(code)
    (entry,) = yaml.safe_load(code)["guardrails"]
    params = entry["litellm_params"]
    # As LiteLLM finds and makes it (`initialize_custom_guardrail`).
    made = get_instance_fn(params.pop("guardrail"), config_file_path=str(folder / "config.yaml"))
    assert made is Guardrail
    guard = made(guardrail_name=entry["guardrail_name"], event_hook=params.pop("mode"), **params)
    assert guard.policy.name == "shop"
    for event in (GuardrailEventHooks.pre_call, GuardrailEventHooks.post_call):
        assert guard.should_run_guardrail(data={}, event_type=event) is True
