"""The shape of the project: twins, purity of the engine and the codecs, nothing that only holds on one machine."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted(path.relative_to(ROOT) for path in (ROOT / "guardrail").rglob("*.py") if path.name != "__init__.py")
PURE = [module for module in MODULES if module.parts[1] in ("text", "wire")]

WORLD = {
    *("asyncio", "concurrent", "multiprocessing", "signal", "subprocess", "threading"),
    *("aiohttp", "http", "select", "selectors", "socket", "ssl", "urllib"),
    *("datetime", "random", "secrets", "time", "uuid"),
    *("fileinput", "io", "logging", "os", "pathlib", "shutil", "sys", "tempfile"),
}
"""Modules through which a program waits, or sees anything but its arguments."""
EFFECTS = {"breakpoint", "input", "open", "print"}

BELOW = {"text": {"text", "errors"}, "wire": {"text", "wire", "policy", "errors"}}
"""What the engine and the codecs may know of the rest."""


def twin(module: Path) -> Path:
    return Path("tests", *module.parts[1:-1], f"test_{module.name}")


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_every_module_has_its_twin(module: Path) -> None:
    assert (ROOT / twin(module)).is_file(), f"{module} is tested in {twin(module)}"


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""


@pytest.mark.parametrize("module", PURE, ids=str)
def test_the_engine_and_the_codecs_never_touch_the_world(module: Path) -> None:
    tree = ast.parse((ROOT / module).read_text())
    assert {name.partition(".")[0] for name in imported(tree)} & WORLD == set()
    for node in ast.walk(tree):
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in EFFECTS


@pytest.mark.parametrize("module", PURE, ids=str)
def test_the_engine_and_the_codecs_know_nothing_of_what_stands_on_them(module: Path) -> None:
    names = imported(ast.parse((ROOT / module).read_text()))
    own = {name.split(".")[1] for name in names if name.startswith("guardrail.")}
    assert own <= BELOW[module.parts[1]]


def project_files() -> Iterator[Path]:
    for folder in ("guardrail", "tests", "config", "docs", "benchmarks", ".ci"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and not {"__pycache__", "node_modules"} & set(path.parts):
                yield path
    yield from (path for path in ROOT.iterdir() if path.is_file() and path.name != ".git")


MACHINE = re.compile(r"(?<![\w.:/-])/(?:home|Users|root|tmp|work|workspace|mnt)/")


def test_no_file_names_a_path_of_one_machine() -> None:
    named = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in project_files()
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if MACHINE.search(line)
    ]
    assert named == []


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_every_module_says_what_it_is_for(module: Path) -> None:
    assert ast.get_docstring(ast.parse((ROOT / module).read_text()))


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_wait_with_a_limit_can_be_cancelled(module: Path) -> None:
    """`asyncio.wait_for` of Python 3.11 loses a cancellation that comes as what it waits for is there."""
    assert "asyncio.wait_for(" not in (ROOT / module).read_text(), "use `async with asyncio.timeout(...)`"
