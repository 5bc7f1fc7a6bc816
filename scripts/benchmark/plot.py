"""Horizontal bars as SVG, readable on light and dark paper, without a library."""

from collections.abc import Sequence
from html import escape

Chart = tuple[str, Sequence[tuple[str, float]]]

_BAR, _GAP, _LEFT, _WIDTH = 18, 6, 90, 420
_COLOURS = {"penstock": "#2f81f7"}


def draw(charts: Sequence[Chart]) -> str:
    """The charts below each other, each with its own scale."""
    parts: list[str] = []
    y = 24
    for title, bars in charts:
        parts.append(f'<text x="8" y="{y}" font-weight="bold">{escape(title)}</text>')
        y += 12
        longest = max((value for _, value in bars), default=1) or 1
        for name, value in bars:
            width = max(1.0, value / longest * _WIDTH)
            colour = _COLOURS.get(name, "#8b949e")
            parts.append(f'<text x="{_LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>')
            parts.append(f'<rect x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR}" fill="{colour}"/>')
            parts.append(f'<text x="{_LEFT + width + 6:.1f}" y="{y + 13}">{value:.1f}</text>')
            y += _BAR + _GAP
        y += 28
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + 70}" height="{y}" '
        f'font-family="sans-serif" font-size="13" fill="#6e7781">\n{body}\n</svg>\n'
    )
