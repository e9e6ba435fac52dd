"""Pictures: well formed, in their frame, nothing of a name taken for markup, small."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from guardrail.evaluate.plots import HEIGHT, WIDTH, Line, legend, plot, thinned


def test_a_picture() -> None:
    lines = [Line("a <b> & c", [(0.0, 0.0), (0.5, 1.0), (1.0, 0.25)], 1, dots=True), Line("none", [], 2)]
    drawn = plot('of "x"', "across", "up", lines, diagonal=True)
    root = ElementTree.fromstring(drawn)
    assert root.get("aria-label") == 'of "x"'
    assert [title.text for title in root.iter("title")] == ["a <b> & c"]
    assert {text.text for text in root.iter("text")} == {"0", "0.25", "0.5", "0.75", "1", "across", "up"}
    assert [(dot.get("cx"), dot.get("cy")) for dot in root.iter("circle")] == [
        ("44.0", "260.0"),
        ("196.0", "14.0"),
        ("348.0", "198.5"),
    ]
    (line,) = (path for path in root.iter("path") if "line" in path.get("class", ""))
    numbers = [float(number) for number in re.findall(r"[\d.]+", line.get("d", ""))]
    assert all(0 <= x <= WIDTH for x in numbers[::2])
    assert all(0 <= y <= HEIGHT for y in numbers[1::2])
    assert "<script" not in drawn


def test_a_legend() -> None:
    root = ElementTree.fromstring(legend([("gate", 0), ("<b>", 1)]))
    assert "".join(root.itertext()).split() == ["gate", "<b>"]


def test_thinning_keeps_the_ends_and_every_turn() -> None:
    dense = [(index / 10000, 0.5) for index in range(10001)]
    kept = thinned(dense)
    assert (kept[0], kept[-1]) == (dense[0], dense[-1])
    assert len(kept) <= 252
    jump = [(0.1, 1.0), (0.1001, 0.2), (0.1002, 0.2), (0.1003, 0.2)]
    assert thinned(jump) == [(0.1, 1.0), (0.1001, 0.2), (0.1003, 0.2)]
    assert thinned([]) == []
