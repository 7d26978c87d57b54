"""Results as HTML that a notebook shows: every text is escaped, nothing is fetched."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape as escape_markup
from typing import TYPE_CHECKING

from likewise.pages.rendering import visible

if TYPE_CHECKING:
    from likewise.pages.gallery import Tile

_CELL = "padding:2px 12px 2px 0;vertical-align:top;text-align:"
_FIGURE = (
    "display:inline-block;width:104px;margin:0 8px 8px 0;vertical-align:top;font-size:11px"
)
_BLOCK = "display:inline-block;vertical-align:top;margin:0 24px 8px 0"


def heading(text: str) -> str:
    """A line in bold."""
    return f"<p><strong>{escape(text)}</strong></p>"


def paragraph(text: str) -> str:
    """Format a line of text."""
    return f"<p>{escape(text)}</p>"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Format a table; numbers are right-aligned, and None is an empty cell."""
    heads = "".join(f'<th style="{_CELL}left">{escape(name)}</th>' for name in columns)
    lines = ("".join(map(_cell, row)) for row in rows)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def facts(values: Mapping[str, object]) -> str:
    """A table of names and values, without those that are empty."""
    rows = "".join(
        f'<tr><th style="{_CELL}left">{escape(name)}</th>{_cell(value, "left")}</tr>'
        for name, value in values.items()
        if value not in (None, "")
    )
    return f"<table><tbody>{rows}</tbody></table>"


def gallery(tiles: "Sequence[Tile]", title: str, first: int = 1) -> str:
    """Small pictures with their rank (from ``first``), score and label."""
    figures = "".join(_figure(rank, tile) for rank, tile in enumerate(tiles, start=first))
    return heading(title) + f"<div>{figures}</div>"


def grid(tiles: "Sequence[Tile]", title: str) -> str:
    """Small pictures with their label and name, in rows."""
    figures = "".join(_captioned(tile, [tile.label or "", tile.name]) for tile in tiles)
    return heading(title) + f"<div>{figures}</div>"


def in_a_row(parts: Iterable[str]) -> str:
    """Parts of a result next to each other, where the width allows it."""
    blocks = (f'<div style="{_BLOCK}">{part}</div>' for part in parts)
    return f"<div>{''.join(blocks)}</div>"


def escape(text: str) -> str:
    """Escape markup, and replace the characters that HTML cannot show."""
    return escape_markup(visible(text))


def _figure(rank: int, tile: "Tile") -> str:
    score = "" if tile.score is None else f" · {tile.score:.4f}"
    return _captioned(tile, [f"{rank}{score}", tile.label or "", tile.name])


def _captioned(tile: "Tile", lines: Sequence[str]) -> str:
    """Format a picture and the lines below it."""
    picture = "no picture"
    if tile.picture:
        style = "max-width:104px;max-height:104px"
        picture = (
            f'<img src="{escape(tile.picture)}" alt="{escape(tile.name)}" style="{style}">'
        )
    caption = "<br>".join(escape(line) for line in lines if line)
    return f'<div style="{_FIGURE}">{picture}<br>{caption}</div>'


def _cell(value: object, side: str = "") -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        text, default = "" if value is None else str(value), "left"
    else:
        text = f"{value:,}" if isinstance(value, int) else f"{value:.6g}"
        default = "right;white-space:nowrap"
    return f'<td style="{_CELL}{side or default}">{escape(text)}</td>'
