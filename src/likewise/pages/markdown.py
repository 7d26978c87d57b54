"""Markdown from data: tables, and text in which nothing is markup."""

import html
import re
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$])")
_SPECIAL_IN_CELL = re.compile(r"([\\`*\[\]|~])")
"""Characters that begin or end markup within a line; ``_`` does not within a word."""

_BREAK = re.compile(
    "\r\n|[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Line breaks, other control characters, and those that change the direction of text."""


class Markup(str):
    """Text that is Markdown already; ``table`` does not escape it."""

    __slots__ = ()


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """The lines of a table in GitHub's Markdown.

    Args:
        columns: the heads.
        rows: the cells of every row. ``None`` is empty, a float has six digits. HTML and
            markup in texts are escaped, except in ``Markup``; control characters become
            spaces.
    """
    lines = [columns, ["---"] * len(columns), *rows]
    return [f"| {' | '.join(map(_cell, line))} |" for line in lines]


def code(text: str) -> Markup:
    """Return ``text`` as inline code in a table, whatever backticks it holds."""
    text = _BREAK.sub(" ", text)
    fence = "`"
    while fence in text:
        fence += "`"
    space = " " if "`" in text else ""
    return Markup(f"{fence}{space}{text}{space}{fence}")


def inline(text: str) -> str:
    """Return ``text`` on one line of a paragraph, without HTML and markup from data."""
    return _SPECIAL_IN_CELL.sub(r"\\\1", html.escape(_BREAK.sub(" ", text), quote=False))


def literal(text: str) -> str:
    """``text`` on one line, with all markup escaped."""
    one_line = " ".join(_BREAK.sub(" ", text).split())
    return _SPECIAL.sub(r"\\\1", html.escape(one_line, quote=False))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Markup):
        return _BREAK.sub(" ", value).replace("|", r"\|")
    return inline(f"{value:.6g}" if isinstance(value, float) else str(value))
