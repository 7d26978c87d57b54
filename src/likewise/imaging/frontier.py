"""Recall, speed and size of many indexes as one SVG; the same points, the same bytes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT = 860, 520
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 250, 54, 60
_COLOURS = (
    "#3b6fb6",
    "#c2512e",
    "#2f8f5b",
    "#8a56ac",
    "#b98a18",
    "#5b6470",
    "#c43b7a",
    "#2a8c9c",
)
_INK, _SOFT, _LINE = "#1c1d20", "#6a6d75", "#dfdfdc"


@dataclass(frozen=True)
class Point:
    """One index: its family, recall (0 to 1), queries a second, and bytes in memory."""

    family: str
    recall: float
    queries_per_s: float
    nbytes: int
    chosen: bool = False


def frontier(title: str, points: Sequence[Point], recall: float | None = None) -> str:
    """The picture: recall to the right, queries a second upwards (logarithmic), size as area.

    Args:
        title: what was measured.
        points: the indexes; those of a family are joined in the order of their recall.
        recall: what was asked for, as a line.
    """
    axes = _Axes(points)
    families = list(dict.fromkeys(point.family for point in points))
    parts = [_frame(title), axes.drawn(recall)]
    for number, family in enumerate(families):
        own = sorted(
            (p for p in points if p.family == family),
            key=lambda p: (p.recall, -p.queries_per_s),
        )
        parts.append(_series(axes, own, _COLOURS[number % len(_COLOURS)]))
        parts.append(_legend(number, family, own, _COLOURS[number % len(_COLOURS)]))
    return "\n".join([*parts, "</svg>"]) + "\n"


class _Axes:
    """Where a point lies."""

    def __init__(self, points: Sequence[Point]) -> None:
        least = min((p.recall for p in points), default=0.0)
        self.low = max(0.0, math.floor(least * 20) / 20 - 0.05)
        speeds = [math.log10(max(p.queries_per_s, 1e-3)) for p in points] or [0.0]
        self.slow, self.fast = math.floor(min(speeds)), math.ceil(max(speeds) + 1e-9)
        self.fast = max(self.fast, self.slow + 1)
        self.most = max((p.nbytes for p in points), default=1) or 1

    def x(self, recall: float) -> float:
        share = (recall - self.low) / max(1 - self.low, 1e-9)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(self, speed: float) -> float:
        share = (math.log10(max(speed, 1e-3)) - self.slow) / (self.fast - self.slow)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)

    def radius(self, nbytes: int) -> float:
        return 3 + 11 * math.sqrt(nbytes / self.most)

    def drawn(self, recall: float | None) -> str:
        bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
        lines = []
        for power in range(self.slow, self.fast + 1):
            y = self.y(10.0**power)
            lines.append(_stroke(_LEFT, y, right, y, _LINE))
            lines.append(_text(_LEFT - 8, y + 4, f"{10.0**power:,g}", "end"))
        for step in range(6):
            value = self.low + (1 - self.low) * step / 5
            lines.append(_text(self.x(value), bottom + 18, f"{value:.2f}", "middle"))
        if recall is not None and recall >= self.low:
            lines.append(_stroke(self.x(recall), _TOP, self.x(recall), bottom, _SOFT))
        lines.append(_text((_LEFT + right) / 2, _HEIGHT - 18, "recall@10", "middle"))
        lines.append(
            _text(
                _LEFT,
                _TOP - 8,
                "queries a second; the larger the circle, the more bytes",
                "start",
            )
        )
        return "\n".join(lines)


def size(nbytes: float) -> str:
    """A number of bytes, for people."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6)):
        if nbytes >= scale:
            return f"{nbytes / scale:.3g} {unit}"
    return f"{nbytes / 1e3:.3g} kB"


def _frame(title: str) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    style = "font-family: system-ui, sans-serif; font-size: 12px; background: #fff"
    name = f'<text x="{_LEFT}" y="26" font-size="16" fill="{_INK}">{escape(title)}</text>'
    return f'{head} style="{style}">\n{name}'


def _series(axes: _Axes, points: Sequence[Point], colour: str) -> str:
    places = [(axes.x(p.recall), axes.y(p.queries_per_s), p) for p in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places)
    parts = [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-opacity="0.5"/>']
    for x, y, point in places:
        told = f"{point.family}: recall {point.recall:.4f}, {size(point.nbytes)}"
        ring = f' stroke="{_INK}" stroke-width="2.5"' if point.chosen else ""
        circle = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{axes.radius(point.nbytes):.1f}"'
        parts.append(
            f'{circle} fill="{colour}" fill-opacity="0.7"{ring}>'
            f"<title>{escape(told)}</title></circle>"
        )
    return "\n".join(parts)


def _legend(number: int, family: str, points: Sequence[Point], colour: str) -> str:
    y = _TOP + 10 + 22 * number
    x = _WIDTH - _RIGHT + 22
    held = size(min(p.nbytes for p in points))
    chosen = ", chosen" if any(p.chosen for p in points) else ""
    dot = f'<circle cx="{x}" cy="{y - 4}" r="5" fill="{colour}"/>'
    return f"{dot}\n{_text(x + 12, y, f'{family} ({held}{chosen})', 'start')}"


def _text(x: float, y: float, text: str, anchor: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} fill="{_SOFT}">{escape(text)}</text>'


def _stroke(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}"/>'
