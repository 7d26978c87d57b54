"""FISSP: a tree of splits and classes, and annotations of its images.

FISSP itself never said what its annotations are; the grammar is this project's own and written
down in docs/annotations.md.
"""

import difflib
from pathlib import Path
from typing import ClassVar

import polars as pl

from likewise.errors import DataError
from likewise.formats.archives import Files, open_files
from likewise.sources.annotation_files import Notes
from likewise.sources.base import Reading, findings, is_image
from likewise.sources.box_source import first_each, split_rank
from likewise.sources.csv import Csv
from likewise.sources.folder import SPLITS
from likewise.sources.json_objects import Entries
from likewise.storage.config import Licence

_ARCHIVE = r"(?i)\.(?:zip|tar|tgz|txz|tbz2|tar\.(?:gz|xz|bz2))(/|\z)"
_ANNOTATIONS = r"\.(json|jsonl|ndjson|csv|tsv)\z"
_EXPECTED = "{train|val|test}/{class}/{name}.jpg"
_NEAR = 0.6


class Fissp(Csv):
    """A tree ``{train|val|test}/{class}/{name}``, with ``annotations/`` as JSON or CSV.

    The label of an image is the path of its class's folder, and the subset the first folder of
    that where there are several: ``train/animals/owl/1.jpg`` is an animals/owl in animals. An
    archive stands for the folder of its name: ``train/animals.tar``. Annotations add boxes and
    further columns; a label or split that they say otherwise is a finding, and the tree counts.
    Rows are by split, label, image and box.
    """

    title: ClassVar[str] = "FISSP"
    licence: ClassVar[Licence] = Licence(spdx="CC-BY-NC-4.0")
    citation: ClassVar[str] = "Qingxiao Li: FISSP. https://github.com/qingxiaoli/FISSP"
    faults: ClassVar[tuple[str, ...]] = (
        "announced with 200,000 images of 500 classes, and with 12 million of eight kinds",
    )

    def open(self, path: Path) -> Files:
        """The files at ``path``, and in the archives there."""
        return open_files(path, inside=True)

    def read(self, files: Files, annotations: Path) -> Reading:
        """See ``Source.read``."""
        tree, faults = self._tree(files)
        notes = Notes(files, annotations)
        inside = rf"(\A|/)annotations/([^/]*/)*[^/]*{_ANNOTATIONS}"
        names = notes.names(inside if notes.place == files.path else _ANNOTATIONS)
        lower = names.str.to_lowercase()
        tables = names.filter(lower.str.contains(r"\.[ct]sv\z"))
        entries = Entries()
        for where, data in notes.read(names.filter(~lower.str.contains(r"\.[ct]sv\z"))):
            entries.read(where, data)
        rows, odd = entries.frame()
        faults.append(odd)
        if len(tables):
            more, wrong = self.tables(notes, tables)
            rows = pl.concat([rows, _as_numbers(more)], how="diagonal")
            faults += wrong
        used = pl.col("path").str.to_lowercase().str.contains(inside)
        file = rows[":where"].str.extract(r"(?s)\A(.*?): ")
        if not file.is_sorted():  # files come in an archive's own order
            rows = rows.sort(file, maintain_order=True)
        return self.assembled(files, rows, faults, used, tree)

    def _tree(self, files: Files) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
        """The images that the tree says something of, in canonical order, and findings."""
        top = f"{self.root.strip('/')}/" if self.root.strip("/") else ""
        paths = files.listing().select("path").filter(pl.col("path").str.starts_with(top))
        name = pl.col("path").str.strip_prefix(top).str.replace_all(_ARCHIVE, "$1")
        images = paths.filter(is_image()).with_columns(name=name)
        first = pl.col("name").str.extract(r"\A([^/]*)/")
        label = pl.col("name").str.extract(r"(?s)\A[^/]*/(.*)/")
        placed = images.with_columns(
            first=first, split=first.replace_strict(SPLITS, default=None), label=label
        )
        good = placed.drop_nulls(["split", "label"])
        if good.is_empty():
            seen = ", ".join(repr(path) for path in paths["path"].head(5)) or "nothing"
            raise DataError(f"{files.path}: no image in {_EXPECTED}; there is {seen}")
        good, twins = first_each(good, "name", "path", "the same image is also in an archive")
        ordered = good.sort(split_rank(), "label", "name").select(
            "path",
            "name",
            "split",
            "label",
            subset=pl.col("label").str.extract(r"\A([^/]*)/"),
        )
        return ordered, [twins, _misplaced(placed), _near_classes(ordered)]


def _as_numbers(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of CSV files with numbers as such, as entries have them."""
    numbers = [c for c in ("x1", "y1", "x2", "y2", "w", "h", "width", "height") if c in rows]
    # A corner that is no number is a wrong one, not the lack of a box.
    wrong = pl.lit(float("nan"))
    return rows.with_columns(
        pl.when(pl.col(c).is_not_null())
        .then(pl.col(c).cast(pl.Float64, strict=False).fill_null(wrong))
        .alias(c)
        for c in numbers
    )


def _misplaced(placed: pl.DataFrame) -> pl.DataFrame:
    """Findings about images that are in no class of a split, with the split that is nearest."""
    lost = placed.filter(pl.col("split").is_null() | pl.col("label").is_null())
    firsts = lost.filter(pl.col("split").is_null())["first"].drop_nulls().unique()
    near = {
        first: f"; did you mean {hits[0]!r}?"
        for first in firsts
        if (hits := difflib.get_close_matches(first.lower(), SPLITS, n=1, cutoff=_NEAR))
    }
    hint = pl.col("first").replace_strict(near, default="", return_dtype=pl.String)
    detail = pl.concat_str(pl.lit(f"expected {_EXPECTED}"), hint.fill_null(""))
    return findings(lost, "bad-name", detail)


def _near_classes(images: pl.DataFrame) -> pl.DataFrame:
    """Findings about classes whose names differ only in case, spaces, '-' and '_'."""
    counts = images.group_by("label").len()
    plain = pl.col("label").str.to_lowercase().str.replace_all(r"[\s_-]+", "")
    ranked = counts.with_columns(plain=plain).sort(["plain", "len", "label"])
    ranked = ranked.with_columns(usual=pl.col("label").last().over("plain"))
    odd = ranked.filter(pl.col("label") != pl.col("usual")).with_columns(path="label")
    detail = pl.format("its {} images are of a class of their own; is it {}?", "len", "usual")
    return findings(odd, "near-class", detail)
