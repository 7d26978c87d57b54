"""Base class of all sources: turn file names and annotations into items and findings.

A source works on the complete file listing as columns, so millions of files stay fast.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import polars as pl

from likewise.errors import DataError, bounded
from likewise.formats.archives import FileCollection, open_files
from likewise.formats.counted_nouns import counted
from likewise.imaging.suffixes import IMAGE_SUFFIXES, UNREAD_SUFFIXES
from likewise.registry import Part
from likewise.storage.config import Licence
from likewise.storage.schema import Column

ITEM_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    **dict.fromkeys(
        ("item_id", "image_id", "label", "text", "subset", "split", "role"), pl.String
    ),
    "box": pl.Array(pl.Float32, 4),
}
"""Columns of ``SourceResult.items``; ``schema.ITEMS`` documents them."""
FINDING_COLUMNS = ("finding_id", "check", "path", "detail")
"""Columns of ``SourceResult.findings``; ``schema.FINDINGS`` documents them."""


@dataclass(frozen=True, slots=True)
class LeftOver:
    """Something that a source has but does not use: description, number and examples."""

    what: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SourceResult:
    """Result of ``Source.read``; build it with ``source_result``.

    Attributes:
        items: one row per item, in canonical order: ``ITEM_COLUMNS``, then ``extra_columns``.
        findings: one row per problem, sorted by ``finding_id``: ``FINDING_COLUMNS``.
        extra_columns: descriptions of the columns that only this source has.
        box_unit: unit of ``items.box``: pixels, or fractions (0 to 1) of the image's width and
            height.
        image_sizes: image sizes according to the annotations: ``image_id``, and ``width`` and
            ``height`` in pixels or null. Ingest compares them with the true sizes.
        whole_images: one row per image that has boxes, with the columns of ``items`` and a null
            box. If all boxes of an image are outside it, this row becomes its item;
            images that are missing here are dropped in that case.
        orientation: frame of the boxes and of ``image_sizes``: stored pixels, or the picture as
            EXIF turns it. Ingest converts the boxes to stored pixels.
        left_over: files and columns without an effect on labels, which ``validate`` shows.
    """

    items: pl.DataFrame
    findings: pl.DataFrame
    extra_columns: tuple[Column, ...] = ()
    box_unit: Literal["pixels", "fractions"] = "pixels"
    image_sizes: pl.DataFrame | None = None
    whole_images: pl.DataFrame | None = None
    orientation: Literal["stored", "upright"] = "stored"
    left_over: tuple[LeftOver, ...] = ()


class Source(Part, ABC):
    """A layout of a data set on disk.

    Subclass it to support a new layout. The pydantic fields of the subclass are the options
    that users write under ``source:`` in the data set's card; the class variables are defaults
    for new cards. Register the class in ``likewise.sources.SOURCES``. Use ``BoxSource`` for
    layouts with bounding boxes and ``TableSource`` for annotation tables.

    Attributes:
        title: title for the card.
        licence: licence for the card.
        citation: citation for the card.
        faults: known faults of the published data, for the card.
        protocols: evaluation protocols of the runs that ``likewise add`` writes; see ``runs``.
        check_bounds: bounds of ``likewise check`` that differ from the defaults of ``Check``.
        extra_columns: columns of this layout's items in addition to ``ITEM_COLUMNS``.

    Example:
        A folder whose file names are ``{label}-{anything}.jpg``::

            class DashSource(Source):
                def read(self, files: FileCollection, annotations: Path) -> SourceResult:
                    images = files.listing().filter(is_image())
                    if images.is_empty():
                        raise no_images_error(files, "{label}-{name}.jpg")
                    items = images.select(
                        image_id="path",
                        label=pl.col("path").str.extract(r"([^/]*)-[^/-]*$"),
                    )
                    return source_result(files, items.sort("label", "image_id"))
    """

    title: ClassVar[str] = ""
    licence: ClassVar[Licence] = Licence()
    citation: ClassVar[str] = ""
    faults: ClassVar[tuple[str, ...]] = ()
    protocols: ClassVar[tuple[str, ...]] = ()
    check_bounds: ClassVar[Mapping[str, Any]] = {}
    extra_columns: ClassVar[tuple[Column, ...]] = ()

    exclude: tuple[str, ...] = ()
    """Image ids to leave out."""

    nested: bool = False
    """Read the archives in the folder as folders of their members."""

    @classmethod
    def card_defaults(cls) -> dict[str, Any]:
        """Values for a new card except its title; empty values are left out."""
        licence = cls.licence.model_dump(mode="json", exclude_defaults=True)
        defaults = {"licence": licence, "citation": cls.citation, "faults": list(cls.faults)}
        return {key: value for key, value in defaults.items() if value}

    def settled(self, items: pl.DataFrame) -> dict[str, Any]:
        """Return options that ``likewise add`` writes to the card because of the ``items``."""
        return {}

    @classmethod
    def runs(cls, items: pl.DataFrame) -> dict[str, dict[str, Any]]:
        """Return the protocols that suit ``items``, each with further options of its run.

        Override it if the protocols depend on more than labels.

        Example:
            >>> from likewise.sources.folder import FolderSource
            >>> FolderSource.runs(pl.DataFrame({"label": ["cat", "dog"]}))
            {'leave-one-out': {}}
        """
        labelled = items["label"].null_count() < len(items)
        return {name: {} for name in cls.protocols} if labelled else {}

    def open(self, path: Path) -> FileCollection:
        """Open the folder or archive at ``path``.

        Override it for layouts that are packed in a particular way, such as tar shards.

        Raises:
            DataError: ``path`` does not exist, is empty, or cannot be read.
        """
        return open_files(path, open_nested=self.nested)

    @abstractmethod
    def read(self, files: FileCollection, annotations: Path) -> SourceResult:
        """Derive items and findings from file names and annotations, without reading pixels.

        Args:
            files: files of the data set; ``files.listing()`` has one row per file.
            annotations: folder, archive or file with the annotations, often ``files.path``.

        Returns:
            The items in canonical order, which must not depend on the order of files on disk.
            Files and annotations that cannot be used become findings, not errors.

        Raises:
            DataError: no file fits the layout, or the annotations contradict it.
            DamagedError: an annotation file that is needed cannot be read.
        """


def source_result(  # noqa: PLR0913 (fields of the result)
    files: FileCollection,
    items: pl.DataFrame,
    *findings: pl.DataFrame,
    extra_columns: Sequence[Column] = (),
    box_unit: Literal["pixels", "fractions"] = "pixels",
    image_sizes: pl.DataFrame | None = None,
    whole_images: pl.DataFrame | None = None,
    orientation: Literal["auto", "stored", "upright"] = "stored",
    left_over: Sequence[LeftOver] = (),
) -> SourceResult:
    """Build a ``SourceResult``: add missing columns and the findings about file names.

    Args:
        files: files that were read; their undecodable and refused names become findings.
        items: items in canonical order, with at least ``image_id``. Missing columns of
            ``ITEM_COLUMNS`` become null; a missing ``item_id`` becomes ``image_id``.
        findings: frames with ``FINDING_COLUMNS``; the first finding of each id is kept.
        extra_columns: see ``SourceResult``.
        box_unit: see ``SourceResult``.
        image_sizes: see ``SourceResult``.
        whole_images: see ``SourceResult``; columns are completed as those of ``items``.
        orientation: see ``SourceResult``; ``auto`` is ``stored``.
        left_over: see ``SourceResult``; empty ones are left out.
    """
    rows = [(name, "bad-encoding", "its name is not UTF-8") for name in files.undecodable]
    rows += [(name, "refused", reason) for name, reason in files.refused]
    merged = pl.concat([findings_from_rows(rows), *findings])
    return SourceResult(
        _completed(items, extra_columns),
        merged.unique("finding_id", keep="first", maintain_order=True).sort("finding_id"),
        tuple(extra_columns),
        box_unit,
        image_sizes,
        None if whole_images is None else _completed(whole_images, extra_columns),
        "upright" if orientation == "upright" else "stored",
        tuple(part for part in left_over if part.count),
    )


def _completed(items: pl.DataFrame, extra_columns: Sequence[Column]) -> pl.DataFrame:
    """Return ``items`` with exactly ``ITEM_COLUMNS`` and ``extra_columns``, in that order."""
    if "item_id" not in items.columns:
        items = items.with_columns(item_id="image_id")
    absent = [
        pl.lit(None, dtype).alias(name)
        for name, dtype in ITEM_COLUMNS.items()
        if name not in items.columns
    ]
    return items.with_columns(absent).select(
        *(pl.col(name).cast(dtype) for name, dtype in ITEM_COLUMNS.items()),
        *(column.name for column in extra_columns),
    )


def whole_image_items(items: pl.DataFrame) -> pl.DataFrame:
    """Return the boxes of ``items`` as whole-image items with unchanged ids."""
    boxes = items.drop_nulls("box")
    return boxes.with_columns(box=pl.lit(None, boxes.schema["box"]))


def findings_from_rows(rows: Iterable[tuple[str, str, str]]) -> pl.DataFrame:
    """Build findings from ``(path, check, detail)`` tuples."""
    schema = dict.fromkeys(("path", "check", "detail"), pl.String)
    return with_finding_ids(pl.DataFrame(list(rows), schema=schema, orient="row"))


def findings_about(paths: pl.DataFrame, check: str, detail: str | pl.Expr) -> pl.DataFrame:
    """Build one finding ``check`` for each row of ``paths`` (column ``path``)."""
    text = pl.lit(detail) if isinstance(detail, str) else detail
    return with_finding_ids(paths.select("path", check=pl.lit(check), detail=text))


def with_finding_ids(rows: pl.DataFrame) -> pl.DataFrame:
    """Return ``rows`` (``path``, ``check``, ``detail``) as findings: add ``finding_id``."""
    finding_id = pl.concat_str("check", "path", separator=": ")
    return rows.with_columns(finding_id=finding_id).select(FINDING_COLUMNS)


def is_hidden(path: str = "path") -> pl.Expr:
    """Return an expression that is true for hidden files and files in hidden folders."""
    # macOS adds a folder __MACOSX to the archives that it makes.
    return pl.col(path).str.contains(r"(^|/)(\.|__MACOSX/)")


def is_image(path: str = "path") -> pl.Expr:
    """Return an expression that is true for paths with an image suffix that are not hidden."""
    suffix = pl.col(path).str.extract(r"(\.[^./]*)\z").str.to_lowercase()
    return suffix.is_in(sorted(IMAGE_SUFFIXES)).fill_null(value=False) & ~is_hidden(path)


def non_image_findings(paths: pl.DataFrame) -> pl.DataFrame:
    """Return a finding for each row of ``paths`` (column ``path``) that is not an image."""
    suffix, hidden = "not an image's suffix", pl.lit("it is hidden, or in a hidden folder")
    advice = "; if it is a table of the images, --source table reads it (docs/layouts.md)"
    is_table = pl.col("path").str.to_lowercase().str.contains(r"\.(csv|tsv|txt|mat)\z")
    detail = pl.when(is_hidden()).then(hidden).when(is_table).then(pl.lit(suffix + advice))
    others = paths.filter(~is_image())
    unread = unread_format_findings(others.filter(~is_hidden()))
    # The first finding of a path counts.
    plain = findings_about(others, "not-an-image", detail.otherwise(pl.lit(suffix)))
    return pl.concat([unread, plain.filter(~pl.col("path").is_in(unread["path"].implode()))])


def unread_format_findings(paths: pl.DataFrame) -> pl.DataFrame:
    """Return a finding for each of ``paths`` whose suffix is that of a picture never read."""
    suffix = pl.col("path").str.extract(r"(\.[^./]*)\z").str.to_lowercase()
    kind = suffix.replace_strict(UNREAD_SUFFIXES, default=None, return_dtype=pl.String)
    pictures = paths.with_columns(kind=kind).drop_nulls("kind")
    detail = pl.format("{}, which is not read; convert it to PNG or JPEG", "kind")
    return findings_about(pictures, "not-an-image", detail)


def no_images_error(files: FileCollection, expected: str) -> DataError:
    """Return the error for data without any image in the ``expected`` layout."""
    names = files.listing()["path"]
    present = bounded((repr(name) for name in names.head(5)), len(names)) or "nothing"
    if files.refused:
        members, reason = counted(len(files.refused), "member"), files.refused[0][1]
        present += f"; refused: {members}, the first because: {reason}"
    bare = names.filter(~names.str.contains(r"\.[^./]*\z") & ~names.str.contains(r"(^|/)\."))
    if len(bare):
        present += f"; {counted(len(bare), 'name')} without a suffix, such as {bare[0]!r}: "
        present += "images are found by their suffix, so add .jpg or .png"
    unread = unread_format_findings(files.listing().select("path"))
    if len(unread):
        present += f"; {counted(len(unread), 'file')} in a format that is not read: "
        present += f"{unread['path'][0]!r} is {unread['detail'][0]}"
    return DataError(f"{files.path}: no image found; expected {expected}; found: {present}")
