"""Splits defined by text files that list image names."""

from collections.abc import Sequence

import polars as pl

from likewise.formats.archives import FileCollection
from likewise.sources.annotation_files import AnnotationFiles
from likewise.sources.base import findings_about, findings_from_rows
from likewise.sources.box_source import reference_findings
from likewise.sources.image_references import match_references

_ENTRY_COLUMNS = {"list": pl.String, "reference": pl.String, "split": pl.String}


def splits_from_lists(
    files: FileCollection,
    annotation_files: AnnotationFiles,
    folder: str,
    splits: Sequence[str],
    images: pl.DataFrame,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read the split of each listed image.

    A list is ``{folder}/{split}.txt`` with one image name per line, with or without suffix;
    text after a space is ignored. An image in several lists gets the first of ``splits``.

    Args:
        files: files of the images; they are searched if the annotations have no list.
        annotation_files: annotation files.
        folder: lower-case folder of the lists, or "" for the top.
        splits: names of the lists.
        images: all images (column ``path``).

    Returns:
        ``image_id``, ``split`` of the listed images; and findings about the lists.
    """
    beside_images = (
        annotation_files
        if annotation_files.place == files.path
        else AnnotationFiles(files, files.path)
    )
    if folder:
        pattern = rf"(\A|/){folder}/({'|'.join(splits)})\.txt\z"
    else:
        pattern = rf"\A(?:[^/]*/)?({'|'.join(splits)})\.txt\z"
    paths = pl.Series(dtype=pl.String)
    if annotation_files.is_collection:
        paths = annotation_files.find(pattern)
    if paths.is_empty():
        annotation_files, paths = beside_images, beside_images.find(pattern)
    entries, unreadable = _read_entries(annotation_files, paths)
    rank = {split: number for number, split in enumerate(splits)}
    entries = entries.sort(pl.col("split").replace_strict(rank, default=len(rank)), "list")
    by_stem = match_references(entries["reference"], images["path"], top=files.path, stems=True)
    by_name = match_references(by_stem.unmatched["reference"], images["path"], top=files.path)
    matched = pl.concat([by_stem.matched, by_name.matched])
    located = entries.join(matched, on="reference", maintain_order="left")
    first = located.unique("path", keep="first", maintain_order=True)
    conflicting = located.join(first.select("path", taken="split"), on="path").filter(
        pl.col("split") != pl.col("taken")
    )
    entry = pl.concat_str("list", "reference", separator=": ")
    conflict = pl.concat_str(pl.lit("the image is in two lists; it is taken as "), "taken")
    return first.select("split", image_id="path"), pl.concat(
        [
            unreadable,
            reference_findings(entries, by_name.unmatched, entry),
            findings_about(conflicting.with_columns(path=entry), "two-splits", conflict),
        ]
    )


def _read_entries(
    annotation_files: AnnotationFiles, paths: pl.Series
) -> tuple[pl.DataFrame, pl.DataFrame]:
    frames, unreadable = [pl.DataFrame(schema=_ENTRY_COLUMNS)], []
    for path, data in annotation_files.read(paths):
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            unreadable.append((path, "bad-annotation", f"not UTF-8: {error.reason}"))
            continue
        lines = pl.Series("line", text.splitlines(), dtype=pl.String).str.strip_chars()
        split = path.rpartition("/")[2][: -len(".txt")].lower()
        frames.append(
            pl.DataFrame({"line": lines})
            .filter(pl.col("line") != "")
            .select(list=pl.lit(path), reference=_image_name(), split=pl.lit(split))
        )
    return pl.concat(frames), findings_from_rows(unreadable)


def _image_name() -> pl.Expr:
    """Return the image name in a line, without VOC's flag (1, 0, -1) of single classes."""
    return pl.col("line").str.replace(r"\s+-?[01]\z", "")
