"""Line plots as SVG: no script, no file beside, colours from the page's style sheet.

Pure, and the same text for the same figures. Both axes go from 0 to 1, for everything drawn here is a share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 360, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 14, 40
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_STEP = 1 / 250
"""Points nearer to each other than this look like one; without them a page with dozens of plots stays small."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    points: Sequence[Point]
    style: int
    """Which of the style sheet's line styles: 0, 1, 2."""
    dots: bool = False
    """Also mark the points."""


def plot(title: str, across: str, up: str, lines: Sequence[Line], *, diagonal: bool = False) -> str:
    """An SVG picture. `across`, `up`: what the axes show. `diagonal`: a thin line from corner to corner."""
    shown = [f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">']
    for tick in _TICKS:
        x, y = _x(tick), _y(tick)
        shown.append(f'<path class="grid" d="M{x} {_y(0)}V{_y(1)}M{_x(0)} {y}H{_x(1)}"/>')
        shown.append(f'<text x="{x}" y="{_y(0) + 14}" text-anchor="middle">{tick:g}</text>')
        shown.append(f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{tick:g}</text>')
    middle = round((_x(0) + _x(1)) / 2, 1)
    shown.append(f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{escape(across)}</text>')
    turned = f"rotate(-90 12 {_y(0.5)})"
    shown.append(f'<text x="12" y="{_y(0.5)}" transform="{turned}" text-anchor="middle">{escape(up)}</text>')
    if diagonal:
        shown.append(f'<path class="diagonal" d="M{_x(0)} {_y(0)}L{_x(1)} {_y(1)}"/>')
    for line in lines:
        points = [(_x(x), _y(y)) for x, y in thinned(line.points)]
        if not points:
            continue
        path = "L".join(f"{x} {y}" for x, y in points)
        shown.append(f'<path class="line s{line.style}" d="M{path}"><title>{escape(line.name)}</title></path>')
        if line.dots:
            shown += [f'<circle class="dot s{line.style}" cx="{x}" cy="{y}" r="2.5"/>' for x, y in points]
    shown.append("</svg>")
    return "".join(shown)


def legend(names: Sequence[tuple[str, int]]) -> str:
    """Names with the line style that each has, as HTML."""
    keys = "".join(
        f'<span class="key"><svg viewBox="0 0 24 8" width="24" height="8"><path class="line s{style}" d="M0 4H24"/>'
        f"</svg> {escape(name)}</span>"
        for name, style in names
    )
    return f'<p class="legend">{keys}</p>'


def thinned(points: Sequence[Point], step: float = _STEP) -> list[Point]:
    """The points of a line without those that lie within `step`, either way, of the last one that was kept; the first
    and the last are kept always."""
    kept: list[Point] = []
    for index, point in enumerate(points):
        if (
            not kept
            or max(abs(point[0] - kept[-1][0]), abs(point[1] - kept[-1][1])) >= step
            or index + 1 == len(points)
        ):
            kept.append(point)
    return kept


def _x(share: float) -> float:
    return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT), 1)


def _y(share: float) -> float:
    return round(HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM), 1)
