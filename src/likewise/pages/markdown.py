"""Markdown from data: tables, and text in which nothing is markup."""

import html
import re
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$])")
_BREAK = re.compile(r"\r\n|[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Line breaks and other control characters."""


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """The lines of a table in GitHub's Markdown.

    Args:
        columns: the heads.
        rows: the cells of every row. ``None`` is empty, a float has six digits. Text may
            hold inline markup. Pipes are escaped, control characters become spaces.
    """
    lines = [columns, ["---"] * len(columns), *rows]
    return [f"| {' | '.join(map(_cell, line))} |" for line in lines]


def code(text: str) -> str:
    """``text`` as inline code, whatever backticks it holds."""
    fence = "`"
    while fence in text:
        fence += "`"
    space = " " if "`" in text else ""
    return f"{fence}{space}{text}{space}{fence}"


def literal(text: str) -> str:
    """``text`` on one line, with all markup escaped."""
    one_line = " ".join(_BREAK.sub(" ", text).split())
    return _SPECIAL.sub(r"\\\1", html.escape(one_line, quote=False))


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return _BREAK.sub(" ", text).replace("|", r"\|")
