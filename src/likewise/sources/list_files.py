"""Lists that name images, a line each, and what is wrong with them."""

import polars as pl

from likewise.errors import bounded
from likewise.sources.annotation_files import NotesToo, as_text
from likewise.sources.base import findings_frame

LINES: dict[str, type[pl.DataType]] = {"list": pl.String, "line": pl.Int64, "text": pl.String}
"""Columns of ``lines``: the list's path, the line's number from 1, its text."""


def lines(notes: NotesToo, pattern: str) -> pl.DataFrame:
    r"""Every line of the lists whose path matches ``pattern``; empty ones are left out.

    The text has no spaces around it, and ``/`` where somebody wrote ``\``.

    Raises:
        DataError: a list is not UTF-8.
    """
    frames = [pl.DataFrame(schema=LINES)]
    for path, data in notes.read(notes.names(pattern)):
        texts = pl.Series("text", as_text(notes.where(path), data).split("\n"), pl.String)
        numbered = texts.to_frame().with_row_index("line", 1)
        plain = pl.col("text").str.strip_chars().str.replace_all("\\", "/", literal=True)
        frames.append(
            numbered.select(list=pl.lit(path), line=pl.col("line").cast(pl.Int64), text=plain)
        )
    return pl.concat(frames).filter(pl.col("text") != "").sort("list", "line")


def dangling(entries: pl.DataFrame, lost: pl.DataFrame, said: str = "not here") -> pl.DataFrame:
    """One finding a list of which some entries lead nowhere: how many, and which.

    A partial copy keeps the lists of the whole set, so a finding an entry would be too many.

    Args:
        entries: all there are: list, and any columns.
        lost: those that lead nowhere: list, text.
        said: what is wrong with them.
    """
    totals = dict(entries.group_by("list").len().iter_rows())
    faults = []
    for (path,), part in lost.sort("list", "text").group_by("list", maintain_order=True):
        examples = bounded(part["text"], len(part), 3)
        detail = f"{len(part):,} of {totals[path]:,} entries are {said}: {examples}"
        faults.append((str(path), "dangling", detail))
    return findings_frame(faults)


def repeated(entries: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Entries (list, text, ...) each once a list, and a finding a list that repeats some."""
    again = entries.filter(pl.struct("list", "text").is_duplicated())
    faults = []
    for (path,), part in again.sort("list").group_by("list", maintain_order=True):
        texts = part["text"].unique().sort()
        said = f"{len(texts):,} entries stand more than once, and count once"
        detail = f"{said}: {bounded(texts, len(texts), 3)}"
        faults.append((str(path), "listed-twice", detail))
    once = entries.unique(["list", "text"], keep="first", maintain_order=True)
    return once, findings_frame(faults)
