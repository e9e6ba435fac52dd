"""A process has each duty once."""

from __future__ import annotations

import os
from pathlib import Path

from guardrail.governance.desk import open_desk
from guardrail.governance.duties import duties_of

CONFIG = """\
version: 1
upstreams: {default: {url: "http://127.0.0.1:1"}}
state: {store: memory}
"""


async def test_each_duty_is_there_once(tmp_path: Path) -> None:
    (tmp_path / "guardrail.yaml").write_text(CONFIG)
    async with open_desk(tmp_path, os.environ) as desk:
        kinds = [type(duty).__name__ for duty in duties_of(desk)]
    assert len(kinds) == len(set(kinds))
    assert "Tally" in kinds
