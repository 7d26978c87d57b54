"""Text files that list images, one per line, and findings about them."""

import polars as pl

from likewise.errors import bounded
from likewise.formats.counted_nouns import counted
from likewise.sources.annotation_files import AnnotationFilesWithFallback, decode_text
from likewise.sources.base import findings_from_rows

LINE_COLUMNS: dict[str, type[pl.DataType]] = {
    "list": pl.String,
    "line": pl.Int64,
    "text": pl.String,
}
"""Columns of ``read_lines``: path of the list, line number from 1, text of the line."""


def read_lines(annotation_files: AnnotationFilesWithFallback, pattern: str) -> pl.DataFrame:
    r"""Read all lines of the lists whose path matches ``pattern``, without empty lines.

    Surrounding white space is removed, and ``\`` becomes ``/``. Sorted by list and line.

    Raises:
        DataError: a list is not UTF-8.
    """
    frames = [pl.DataFrame(schema=LINE_COLUMNS)]
    for path, data in annotation_files.read(annotation_files.find(pattern)):
        lines = numbered_lines(decode_text(annotation_files.location(path), data))
        plain = pl.col("text").str.replace_all("\\", "/", literal=True)
        frames.append(lines.select(list=pl.lit(path), line="line", text=plain))
    return pl.concat(frames).sort("list", "line")


def numbered_lines(text: str) -> pl.DataFrame:
    r"""Return the ``line`` (number from 1) and the ``text`` of each line that is not empty.

    Lines end in ``\n``, ``\r\n`` or ``\r``, as those of tables do; surrounding white space is
    removed.

    Example:
        >>> numbered_lines("a \n\nb\rc").rows()
        [(1, 'a'), (3, 'b'), (4, 'c')]
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    numbered = pl.DataFrame({"text": lines}).with_row_index("line", 1)
    stripped = pl.col("text").str.strip_chars()
    return numbered.select(pl.col("line").cast(pl.Int64), stripped).filter(pl.col("text") != "")


def missing_entry_findings(
    entries: pl.DataFrame, missing: pl.DataFrame, problem: str = "not here"
) -> pl.DataFrame:
    """Return one finding per list with entries that match no file: their number, and examples.

    A partial copy of a data set keeps the lists of the whole set, so one finding per entry
    would be too many.

    Args:
        entries: all entries: ``list``, and any other columns.
        missing: entries that match no file: ``list``, ``text``.
        problem: end of the sentence "3 of 10 entries are ...".
    """
    totals = dict(entries.group_by("list").len().iter_rows())
    rows = []
    for (path,), group in missing.sort("list", "text").group_by("list", maintain_order=True):
        examples = bounded(group["text"], len(group), 3)
        detail = (
            f"{len(group):,} of {counted(totals[path], 'entry', 'is', 'are')} {problem}: "
            f"{examples}"
        )
        rows.append((str(path), "dangling", detail))
    return findings_from_rows(rows)


def drop_repeated(entries: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Keep each entry (``list``, ``text``, ...) once, with a finding per list with repeats."""
    repeated = entries.filter(pl.struct("list", "text").is_duplicated())
    rows = []
    for (path,), group in repeated.sort("list").group_by("list", maintain_order=True):
        texts = group["text"].unique().sort()
        detail = f"{counted(len(texts), 'entry')} repeated; the first counts"
        rows.append((str(path), "listed-twice", f"{detail}: {bounded(texts, len(texts), 3)}"))
    first = entries.unique(["list", "text"], keep="first", maintain_order=True)
    return first, findings_from_rows(rows)
