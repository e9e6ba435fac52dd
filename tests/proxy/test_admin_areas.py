"""What holds for every area of the operator's listener."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proxy.operated import operated

PATHS = ["/cases", "/cases/c-1", "/deliveries", "/complaints", "/complaints/f-1", "/data-requests", "/keys", "/report"]


@pytest.mark.parametrize("path", [*PATHS, "/policies/versions"])
async def test_a_token_is_needed(tmp_path: Path, path: str) -> None:
    async with operated(tmp_path) as operator:
        assert (await operator.ask(path, token="no"))[0] == 401
        assert (await operator.ask(path))[0] in (200, 404)


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/cases?limit=0", None, "limit must be a whole number from 1 to 1000"),
        ("/complaints?limit=x", None, "limit must be a whole number from 1 to 1000"),
        ("/complaints?limit=1001", None, "limit must be a whole number from 1 to 1000"),
        ("/cases?status=none", None, "status must be one of open, upheld, overridden, lifted"),
        ("/complaints?overdue=yes", None, "overdue must be one of true, false"),
        ("/deliveries?status=x", None, "status must be one of pending, acknowledged"),
        ("/report?first=yesterday", None, "first must be a day, such as 2026-03-01"),
        ("/report?first=2026-03-02&last=2026-03-01", None, "last must not be before first"),
        ("/removals", b"[", "the body does not fit: "),
        ("/removals", {"actor": "ann"}, "the body does not fit: Object missing required field `reason`"),
    ],
)
async def test_what_cannot_be_asked(tmp_path: Path, path: str, body: object, message: str) -> None:
    async with operated(tmp_path) as operator:
        status, said = await operator.ask(path, body)
        assert status == 400
        assert said["error"].startswith(message)


async def test_without_the_state(tmp_path: Path) -> None:
    async with operated(tmp_path) as operator:
        await operator.desk.store.close()
        status, said = await operator.ask("/cases")
        assert status == 503
        assert "closed" in said["error"]
