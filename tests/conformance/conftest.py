"""The clients and the simulated model server, which the modules here share within a process of pytest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from tests.conformance.cases import SCRIPT
from tests.conformance.drive import Driver
from tests.conformance.servers import listening


@pytest.fixture(scope="session")
def driver() -> Iterator[Driver]:
    driver = Driver()
    yield driver
    driver.close()


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    script = tmp_path_factory.mktemp("script") / "script.yaml"
    script.write_text(yaml.safe_dump(SCRIPT, allow_unicode=True), encoding="utf-8")
    with listening(["simulate", "--port", "0", "--script", str(script)]) as (url,):
        yield url
