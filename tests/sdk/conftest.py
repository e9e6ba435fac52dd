"""The simulated model server, for a module's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.servers import listening


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with listening(["simulate", "--port", "0"]) as (found,):
        yield found
