"""Texts in CSV files for spreadsheets, which run a cell that begins like a formula.

An apostrophe before such a text makes it plain text. An apostrophe is also put before a text
that begins with an apostrophe, so that removing the first apostrophe always restores the text.
"""

import re

import polars as pl

_BEGINS = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20"
"""Characters at the beginning of a formula, with their full-width forms."""

_TO_MARK = rf"\A['{_BEGINS}]"
_MARKED = re.compile(rf"\A'(?=['{_BEGINS}])")


def mark_texts(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Return ``frame`` with an apostrophe before texts and names of columns that need one."""
    names = frame.collect_schema()
    texts = [pl.col(name) for name, kind in names.items() if kind == pl.String]
    mark = pl.lit("'")
    marked = (
        pl.when(text.str.contains(_TO_MARK)).then(mark + text).otherwise(text).name.keep()
        for text in texts
    )
    heads = {name: f"'{name}" for name in names if re.match(_TO_MARK, name)}
    return frame.with_columns(marked).rename(heads)


def unmarked(text: str) -> str:
    """Return ``text`` without the apostrophe of ``mark_texts``."""
    return _MARKED.sub("", text)
