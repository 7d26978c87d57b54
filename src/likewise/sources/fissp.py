"""FISSP: a folder tree of splits and classes, and annotations of its images.

FISSP does not define an annotation format; docs/annotations.md defines the one used here.
"""

import difflib
from pathlib import Path
from typing import ClassVar

import polars as pl

from likewise.errors import DataError
from likewise.formats.archives import FileCollection, open_files
from likewise.sources.annotation_files import AnnotationFiles
from likewise.sources.base import SourceResult, findings_about, is_image
from likewise.sources.box_source import first_per_key
from likewise.sources.csv import CsvSource
from likewise.sources.extra_columns import RESERVED
from likewise.sources.folder import folders_around
from likewise.sources.json_annotations import JsonAnnotations
from likewise.sources.split_names import WORDS, split_expr, split_rank
from likewise.storage.config import Licence

_ARCHIVE = r"(?i)\.(?:zip|tar|tgz|txz|tbz2|tar\.(?:gz|xz|bz2))(/|\z)"
_ANNOTATIONS = r"\.(json|jsonl|ndjson|csv|tsv)\z"
_EXPECTED = "{train|val|test}/{class}/{name}.jpg"
_SIMILARITY = 0.6


class FisspSource(CsvSource):
    """A tree ``{train|val|test}/{class}/{name}``, with ``annotations/`` as JSON or CSV.

    The label of an image is the path of its class folder; in nested classes the subset is the
    first folder: ``train/animals/owl/1.jpg`` has label animals/owl and subset animals. An
    archive such as ``train/animals.tar`` is read as a folder. Annotations add boxes and extra
    columns; labels and splits that differ from the tree are findings, and the tree takes
    precedence. Items are sorted by split, label, image and box.
    """

    title: ClassVar[str] = "FISSP"
    licence: ClassVar[Licence] = Licence(spdx="CC-BY-NC-4.0")
    citation: ClassVar[str] = "Qingxiao Li: FISSP. https://github.com/qingxiaoli/FISSP"
    faults: ClassVar[tuple[str, ...]] = (
        "announced with 200,000 images of 500 classes, and with 12 million of eight kinds",
    )

    prefixed: ClassVar[frozenset[str]] = RESERVED

    def open(self, path: Path) -> FileCollection:
        """Open ``path``, with the archives in it as folders."""
        return open_files(path, open_nested=True)

    def read(self, files: FileCollection, annotations: Path) -> SourceResult:
        """See ``Source.read``."""
        images, faults = self._images_of_tree(files)
        annotation_files = AnnotationFiles(files, annotations)
        inside = rf"(\A|/)annotations/([^/]*/)*[^/]*{_ANNOTATIONS}"
        paths = annotation_files.find(
            inside if annotation_files.place == files.path else _ANNOTATIONS
        )
        lower = paths.str.to_lowercase()
        table_paths = paths.filter(lower.str.contains(r"\.[ct]sv\z"))
        entries = JsonAnnotations()
        for where, data in annotation_files.read(
            paths.filter(~lower.str.contains(r"\.[ct]sv\z"))
        ):
            entries.read(where, data)
        rows, entry_findings = entries.frame()
        faults.append(entry_findings)
        if len(table_paths):
            table_rows, table_findings = self.tables_at(annotation_files, table_paths)
            rows = pl.concat([rows, _cast_numbers(table_rows)], how="diagonal")
            faults += table_findings
        is_annotation = pl.col("path").str.to_lowercase().str.contains(inside)
        file = rows[":where"].str.extract(r"(?s)\A(.*?): ")
        if not file.is_sorted():  # an archive may choose the order of files
            rows = rows.sort(file, maintain_order=True)
        return self.build_result(files, rows, faults, is_annotation, images)

    def _images_of_tree(self, files: FileCollection) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
        """Return the images with split and label in canonical order, and findings."""
        paths = files.listing().select("path")
        top = f"{self.root.strip('/')}/" if self.root.strip("/") else ""
        top = top or folders_around(paths.filter(is_image())["path"])
        paths = paths.filter(pl.col("path").str.starts_with(top))
        name = pl.col("path").str.strip_prefix(top).str.replace_all(_ARCHIVE, "$1")
        images = paths.filter(is_image()).with_columns(name=name)
        first = pl.col("name").str.extract(r"\A([^/]*)/")
        label = pl.col("name").str.extract(r"(?s)\A[^/]*/(.*)/")
        located = images.with_columns(first=first, split=split_expr(first), label=label)
        valid = located.drop_nulls(["split", "label"])
        if valid.is_empty():
            examples = ", ".join(repr(path) for path in paths["path"].head(5)) or "nothing"
            raise DataError(f"{files.path}: no image in {_EXPECTED}; found {examples}")
        valid, twins = first_per_key(
            valid, "name", "path", "the same image is also in an archive"
        )
        ordered = valid.sort(split_rank(), "label", "name").select(
            "path",
            "name",
            "split",
            "label",
            subset=pl.col("label").str.extract(r"\A([^/]*)/"),
        )
        return ordered, [twins, _misplaced_findings(located), _similar_class_findings(ordered)]


def _cast_numbers(rows: pl.DataFrame) -> pl.DataFrame:
    """Cast the number columns of CSV rows as in JSON annotations."""
    numbers = [c for c in ("x1", "y1", "x2", "y2", "w", "h", "width", "height") if c in rows]
    # An invalid number marks an invalid box, not a row without a box.
    wrong = pl.lit(float("nan"))
    return rows.with_columns(
        pl.when(pl.col(c).is_not_null())
        .then(pl.col(c).cast(pl.Float64, strict=False).fill_null(wrong))
        .alias(c)
        for c in numbers
    )


def _misplaced_findings(images: pl.DataFrame) -> pl.DataFrame:
    """Return findings about images outside the tree, with the most similar split name."""
    misplaced = images.filter(pl.col("split").is_null() | pl.col("label").is_null())
    firsts = misplaced.filter(pl.col("split").is_null())["first"].drop_nulls().unique()
    suggestions = {
        first: f"; did you mean {hits[0]!r}?"
        for first in firsts
        if (hits := difflib.get_close_matches(first.lower(), WORDS, n=1, cutoff=_SIMILARITY))
    }
    suggestion = pl.col("first").replace_strict(suggestions, default="", return_dtype=pl.String)
    detail = pl.concat_str(pl.lit(f"expected {_EXPECTED}"), suggestion.fill_null(""))
    return findings_about(misplaced, "bad-name", detail)


def _similar_class_findings(images: pl.DataFrame) -> pl.DataFrame:
    """Return findings about classes whose names differ only in case, spaces, '-' and '_'."""
    counts = images.group_by("label").len()
    normalised = pl.col("label").str.to_lowercase().str.replace_all(r"[\s_-]+", "")
    ranked = counts.with_columns(plain=normalised).sort(["plain", "len", "label"])
    ranked = ranked.with_columns(usual=pl.col("label").last().over("plain"))
    unusual = ranked.filter(pl.col("label") != pl.col("usual")).with_columns(path="label")
    detail = pl.format("its {} images are of a class of their own; is it {}?", "len", "usual")
    return findings_about(unusual, "near-class", detail)
