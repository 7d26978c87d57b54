"""Splits that are lists of image names in text files."""

from collections.abc import Sequence

import polars as pl

from likewise.formats.archives import Files
from likewise.sources.annotation_files import Notes
from likewise.sources.base import findings, findings_frame
from likewise.sources.box_source import dangling
from likewise.sources.image_references import match

_LISTED = {"list": pl.String, "reference": pl.String, "split": pl.String}


def from_lists(
    files: Files, notes: Notes, folder: str, splits: Sequence[str], images: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The split of every listed image (image_id, split), and findings about the lists.

    A list is ``{folder}/{split}.txt``, a name a line, with or without a suffix; what follows
    the name after a space is left out. Where an image is in several lists, it has the first
    of ``splits`` that it is in.
    """
    place = notes if notes.place == files.path else Notes(files, files.path)
    pattern = rf"(\A|/){folder}/({'|'.join(splits)})\.txt\z" if folder else _top(splits)
    names = notes.names(pattern) if notes.is_many else pl.Series(dtype=pl.String)
    if names.is_empty():
        notes, names = place, place.names(pattern)
    listed, broken = _entries(notes, names)
    rank = {split: number for number, split in enumerate(splits)}
    listed = listed.sort(pl.col("split").replace_strict(rank, default=len(rank)), "list")
    by_stem = match(listed["reference"], images["path"], top=files.path, stems=True)
    by_name = match(by_stem.faults["reference"], images["path"], top=files.path)
    hits = pl.concat([by_stem.found, by_name.found])
    placed = listed.join(hits, on="reference", maintain_order="left")
    first = placed.unique("path", keep="first", maintain_order=True)
    both = placed.join(first.select("path", taken="split"), on="path").filter(
        pl.col("split") != pl.col("taken")
    )
    line = pl.concat_str("list", "reference", separator=": ")
    twice = pl.concat_str(pl.lit("the image is in two lists; it is taken as "), "taken")
    return first.select("split", image_id="path"), pl.concat(
        [
            broken,
            dangling(listed, by_name.faults, line),
            findings(both.with_columns(path=line), "two-splits", twice),
        ]
    )


def _top(splits: Sequence[str]) -> str:
    return rf"\A(?:[^/]*/)?({'|'.join(splits)})\.txt\z"


def _entries(notes: Notes, names: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    frames, broken = [pl.DataFrame(schema=_LISTED)], []
    for path, data in notes.read(names):
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            broken.append((path, "bad-annotation", f"not UTF-8: {error.reason}"))
            continue
        lines = pl.Series("line", text.splitlines(), dtype=pl.String).str.strip_chars()
        split = path.rpartition("/")[2][: -len(".txt")].lower()
        frames.append(
            pl.DataFrame({"line": lines})
            .filter(pl.col("line") != "")
            .select(list=pl.lit(path), reference=_name(), split=pl.lit(split))
        )
    return pl.concat(frames), findings_frame(broken)


def _name() -> pl.Expr:
    """The name in a line; what follows it is VOC's 1, 0 or -1 of the lists of one class."""
    return pl.col("line").str.replace(r"\s+-?[01]\z", "")
