"""Splits defined by text files that list image names."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from likewise.formats.archives import FileCollection
from likewise.formats.counted_nouns import counted
from likewise.sources.annotation_files import AnnotationFiles
from likewise.sources.base import findings_about, findings_from_rows
from likewise.sources.box_source import reference_findings
from likewise.sources.image_references import Matches, match_references
from likewise.sources.list_files import missing_entry_findings, numbered_lines
from likewise.sources.split_names import SPLITS, split_of, split_rank

_ENTRY_COLUMNS = {"list": pl.String, "reference": pl.String, "split": pl.String}
_FLAG = r"\s+-?[01]\z"
"""VOC's flag of a class: the image has no (-1), a difficult (0) or an ordinary (1) object."""

TRAINVAL = "trainval"
"""The list of training and validation images together."""


def list_names(names: Sequence[str] = SPLITS) -> dict[str, str]:
    """Return the lower-case names of lists -> their splits, the first of which counts.

    ``trainval`` comes last, as training, unless ``names`` are not the usual ones.
    """
    given = {name.lower(): name for name in names}
    if tuple(names) != SPLITS:
        return given
    words = ("valid", "validation", "dev", "training", "testing", TRAINVAL)
    return given | {word: split_of(word) or SPLITS[0] for word in words}


def splits_from_lists(
    files: FileCollection,
    annotation_files: AnnotationFiles,
    pattern: str,
    names: Mapping[str, str],
    images: pl.DataFrame,
    further_lists: Mapping[str, str] | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    r"""Read the split of each listed image.

    A list is a text file with one image name per line, with or without suffix, or with a flag
    of VOC after it. An image in several lists gets the first split of ``names``.

    Args:
        files: files of the images; they are searched if the annotations have no list.
        annotation_files: annotation files.
        pattern: regular expression of lists, in lower case; ``{}`` stands for their names.
        names: names of the lists -> split.
        images: all images (column ``path``).
        further_lists: paths of further lists among the annotations -> split; they come first.

    Returns:
        ``image_id``, ``split`` of the listed images; and findings about the lists.
    """
    beside_images = (
        annotation_files
        if annotation_files.place == files.path
        else AnnotationFiles(files, files.path)
    )
    lists = pattern.format(f"({'|'.join(names)})")
    paths = pl.Series(dtype=pl.String)
    if annotation_files.is_collection:
        paths = annotation_files.find(lists)
    if paths.is_empty():
        annotation_files, paths = beside_images, beside_images.find(lists)
    further_lists = further_lists or {}
    paths = pl.concat([paths, pl.Series(list(further_lists), dtype=pl.String)]).unique().sort()
    entries, unreadable = _read_entries(annotation_files, paths, names, further_lists)
    entries = _sorted(entries, names)
    matches = _match_entries(entries["reference"], images["path"], files.path)
    splits, conflicts = _first_splits(entries, matches.matched)
    entry = pl.concat_str("list", "reference", separator=": ")
    return splits.drop("name"), pl.concat(
        [
            unreadable,
            reference_findings(entries, matches.findings, entry),
            conflicts,
            _trainval_findings(splits, names),
        ]
    )


def _first_splits(
    entries: pl.DataFrame, matched: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return ``image_id``, ``split``, ``name`` of the first list; and findings of conflicts."""
    located = entries.join(matched, on="reference", maintain_order="left")
    first = located.unique("path", keep="first", maintain_order=True)
    together = pl.col("name") == TRAINVAL
    conflicting = located.join(first.select("path", taken="split"), on="path").filter(
        (pl.col("split") != pl.col("taken")) & ~(together & (pl.col("taken") == "val"))
    )
    conflict = pl.concat_str(pl.lit("the image is in two lists; it is taken as "), "taken")
    where = pl.concat_str("list", "reference", separator=": ")
    return first.select("split", "name", "list", image_id="path"), findings_about(
        conflicting.with_columns(path=where), "two-splits", conflict
    )


def _trainval_findings(splits: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    """Return one finding per list trainval that alone names images."""
    if names.get(TRAINVAL) != SPLITS[0]:
        return findings_from_rows([])
    alone = splits.filter(pl.col("name") == TRAINVAL)
    rows = []
    for (path,), group in alone.group_by("list", maintain_order=True):
        detail = f"{counted(len(group), 'image')} only in this list; the split is train"
        rows.append((str(path), "split-name", detail))
    return findings_from_rows(rows)


def _match_entries(references: pl.Series, paths: pl.Series, top: Path) -> Matches:
    """Match lines with images: by name without suffix, by name, and both without a flag."""
    by_stem = match_references(references, paths, top=top, stems=True)
    whole = match_references(by_stem.unmatched["reference"], paths, top=top)
    matched, unmatched = [by_stem.matched, whole.matched], whole.unmatched
    flagged = unmatched.filter(pl.col("reference").str.contains(_FLAG))
    if len(flagged):
        names = flagged.select(line="reference", reference=_without_flag("reference"))
        plain = _match_entries(names["reference"].unique(maintain_order=True), paths, top)
        lines = names.join(plain.matched, on="reference", maintain_order="left")
        matched.append(lines.select("path", reference="line").select("reference", "path"))
        problems = names.join(plain.unmatched, on="reference", maintain_order="left")
        unmatched = pl.concat(
            [
                unmatched.join(names, left_on="reference", right_on="line", how="anti"),
                problems.select("check", "detail", reference="line").select(unmatched.columns),
            ]
        )
    return Matches(pl.concat(matched), unmatched, whole.notes)


def _without_flag(column: str) -> pl.Expr:
    return pl.col(column).str.replace(_FLAG, "")


def _read_entries(
    annotation_files: AnnotationFiles,
    paths: pl.Series,
    names: Mapping[str, str],
    further_lists: Mapping[str, str],
) -> tuple[pl.DataFrame, pl.DataFrame]:
    frames, unreadable = [pl.DataFrame(schema={**_ENTRY_COLUMNS, "name": pl.String})], []
    for path, data in annotation_files.read(paths):
        try:
            lines = numbered_lines(data.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            unreadable.append((path, "bad-annotation", f"not UTF-8: {error.reason}"))
            continue
        name = path.rpartition("/")[2][: -len(".txt")].lower().removeprefix("autosplit_")
        frames.append(
            lines.select(
                list=pl.lit(path),
                reference="text",
                split=pl.lit(further_lists.get(path) or names.get(name, name)),
                name=pl.lit("" if path in further_lists else name),
            )
        )
    return pl.concat(frames), findings_from_rows(unreadable)


def _sorted(entries: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    """Return the entries in the order in which lists count."""
    rank = {name: number for number, name in enumerate(["", *names])}
    position = pl.col("name").replace_strict(rank, default=len(rank), return_dtype=pl.Int64)
    return entries.sort(position, split_rank(), "list", maintain_order=True)


def find_split_lists(annotation_files: AnnotationFiles) -> pl.Series:
    """Return the lists of splits in a tree of labels, such as ``meta/train.txt``."""
    return annotation_files.find(rf"(\A|/)({'|'.join(list_names())})\.txt\z")


def splits_of_lists(
    annotation_files: AnnotationFiles, paths: pl.Series, images: pl.DataFrame, top: Path
) -> tuple[pl.DataFrame, list[pl.DataFrame], pl.Series]:
    """Read the split of each image in the lists ``paths`` that name images.

    A list counts if half of its lines, or ten, are images.

    Returns:
        ``image_id``, ``split``; findings, at most one per list about missing images; and the
        lists that were used.
    """
    names = list_names()
    entries, unreadable = _read_entries(annotation_files, paths, names, {})
    matches = _match_entries(entries["reference"], images["path"], top)
    known = entries.join(matches.matched, on="reference", how="semi", maintain_order="left")
    shares = entries.group_by("list").len().join(known.group_by("list").len(), on="list")
    # A text about other things names few images, a partial copy lacks some of them.
    enough = (pl.col("len_right") * 2 >= pl.col("len")) | (pl.col("len_right") >= 10)
    used = shares.filter(enough)["list"].sort()
    entries = _sorted(entries.filter(pl.col("list").is_in(used.implode())), names)
    splits, conflicts = _first_splits(entries, matches.matched)
    missing = entries.join(matches.unmatched, on="reference", maintain_order="left")
    faults = [
        unreadable.filter(pl.col("path").is_in(used.implode())),
        missing_entry_findings(entries, missing.select("list", text="reference")),
        conflicts,
        _trainval_findings(splits, names),
    ]
    return splits.select("image_id", "split"), faults, used
