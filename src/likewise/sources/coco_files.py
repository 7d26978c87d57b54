"""Contents of COCO's JSON files as columns, matched with images."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import polars as pl

from likewise.errors import DamagedError, DataError
from likewise.formats.json_documents import fields_pattern, repeats_fields
from likewise.sources.annotation_files import JSON_ERRORS, REPEATED_KEY, AnnotationFiles
from likewise.sources.base import findings_about, findings_from_rows, with_finding_ids
from likewise.sources.box_source import DataType, RowBuffer, first_per_key
from likewise.sources.coco_entries import (
    SECTIONS,
    CocoAnnotation,
    CocoCategory,
    CocoFile,
    CocoImage,
    CocoLicence,
)
from likewise.sources.extra_columns import PREFIX
from likewise.sources.image_references import match_references
from likewise.sources.split_names import (
    file_split_findings,
    split_of_file,
    split_of_folders,
    split_rank,
)

_IMAGE_COLUMNS: dict[str, DataType] = {
    **dict.fromkeys(("file", "split", "id", "reference", "licence"), pl.String),
    "width": pl.Float64,
    "height": pl.Float64,
}
_BOX_COLUMNS: dict[str, DataType] = {
    **dict.fromkeys(("file", "image", "category", "annotation_id", "caption"), pl.String),
    **dict.fromkeys(("x", "y", "w", "h"), pl.Float64),
    "iscrowd": pl.Boolean,
    "area": pl.Float64,
    ":row": pl.Int64,
}
_CLASS_COLUMNS = dict.fromkeys(("file", "category", "label", "supercategory"), pl.String)
_MAX_ATTRIBUTES = 100
"""Maximum number of attributes in a data set; each becomes a column."""

T = TypeVar("T")


class CocoAnnotations:
    """Contents of the JSON files as columns."""

    def __init__(self, annotation_files: AnnotationFiles, paths: pl.Series) -> None:
        """Read the files ``paths``.

        Raises:
            DamagedError: all files are damaged.
            DataError: no file has COCO's structure.
        """
        self._images, self._boxes = RowBuffer(_IMAGE_COLUMNS), RowBuffer(_BOX_COLUMNS)
        self._classes = RowBuffer(_CLASS_COLUMNS)
        self._attributes: dict[str, RowBuffer] = {}
        self._invalid: list[tuple[str, str, str]] = []
        self._count = 0
        valid_files, other_files = 0, 0
        for path, data in annotation_files.read(paths):
            try:
                content = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=CocoFile)
            except JSON_ERRORS as error:
                self._invalid.append((path, "bad-annotation", f"not COCO's JSON: {error}"))
                other_files += isinstance(error, msgspec.ValidationError)
                continue
            if repeats_fields(data, SECTIONS, with_escapes=False):
                self._invalid.append(
                    (path, "bad-annotation", f"not COCO's JSON: {REPEATED_KEY}")
                )
                continue
            valid_files += 1
            self._take(path, content)
        if not valid_files:
            path, _, detail = self._invalid[0]
            message = f"{annotation_files.location(path)} is {detail}"
            if other_files:
                raise DataError(message)
            raise DamagedError(f"{message}; download or create it again")

    def _take(self, path: str, content: CocoFile) -> None:
        split = split_of_file(path).split
        self._invalid += file_split_findings([path])
        licences = {
            str(entry.id): entry.title()
            for _, entry in self._entries(path, "licenses", content.licenses or [], CocoLicence)
        }
        for where, image in self._entries(path, "images", content.images, CocoImage):
            reference = image.reference()
            if reference is None:
                detail = "it has no file_name, coco_url or flickr_url"
                self._invalid.append((where, "bad-annotation", detail))
                continue
            size = (image.width, image.height)
            licence = image.licence(licences)
            self._images.add(path, split, str(image.id), reference, licence, *size)
        for _, kind in self._entries(path, "categories", content.categories, CocoCategory):
            above = kind.supercategory or None
            self._classes.add(path, str(kind.id), kind.name, above)
        for where, box in self._entries(
            path, "annotations", content.annotations, CocoAnnotation
        ):
            self._take_annotation(path, where, box)

    def _take_annotation(self, path: str, where: str, entry: CocoAnnotation) -> None:
        ids = (str(entry.image_id), _text(entry.category_id), _text(entry.id))
        crowd = None if entry.iscrowd is None else bool(entry.iscrowd)
        try:
            corners, attributes = entry.box(), entry.further()
        except (ValueError, *JSON_ERRORS) as error:
            self._invalid.append((where, "bad-annotation", str(error)))
            return
        row = self._count
        self._boxes.add(path, *ids, entry.caption, *corners, crowd, entry.area, row)
        self._count += 1
        for name, value in attributes.items():
            if value is None:
                continue
            if name not in self._attributes and len(self._attributes) >= _MAX_ATTRIBUTES:
                detail = f"more than {_MAX_ATTRIBUTES} attributes; it is dropped"
                self._invalid.append((f"{path}: {name}", "odd-key", detail))
                continue
            column = self._attributes.setdefault(
                name, RowBuffer({":row": pl.Int64, "value": pl.String})
            )
            column.add(row, value if isinstance(value, str) else json.dumps(value))

    def _entries(
        self, path: str, name: str, raw: list[msgspec.Raw], entry_type: type[T]
    ) -> Iterator[tuple[str, T]]:
        """Yield the location and the value of each valid entry."""
        decoder = msgspec.json.Decoder(entry_type)
        fields = fields_pattern(*entry_type.__annotations__)
        for position, entry in enumerate(raw):
            where = f"{path}: {name}[{position}]"
            fault = REPEATED_KEY if repeats_fields(bytes(entry), fields) else ""
            try:
                if not fault:
                    yield where, decoder.decode(entry)
            except JSON_ERRORS as error:
                fault = str(error)
            if fault:
                self._invalid.append((where, "bad-annotation", fault))

    def entries(self, paths: pl.Series, top: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return image entries (file, id, image_id, split, licence, sizes), and findings."""
        order = (split_rank(), "split", "file")
        rows = self._images.frame().sort(*order, nulls_last=True, maintain_order=True)
        where = pl.concat_str("file", pl.lit(": images: "), "reference")
        rows, same_id = first_per_key(
            rows.with_columns(key=pl.struct("file", "id"), where=where),
            "key",
            "where",
            "another entry before it has the same id",
        )
        matched, unmatched = [], [rows.clear().join(_no_unmatched(), on="reference")]
        for (file, split), group in rows.group_by("file", "split", maintain_order=True):
            located, missing_images = _match_images(group, paths, top, (str(file), split))
            matched.append(located)
            unmatched.append(group.join(missing_images, on="reference", maintain_order="left"))
        entries = pl.concat(matched) if matched else rows.with_columns(image_id="reference")
        entries, twins = first_per_key(
            entries, "image_id", "where", "another entry before it is of the same image"
        )
        missing_findings = with_finding_ids(
            pl.concat(unmatched).select("check", "detail", path="where")
        )
        return entries, pl.concat(
            [findings_from_rows(self._invalid), same_id, twins, missing_findings]
        )

    def annotations(self, entries: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the annotations of the images of ``entries``, and findings about all others.

        Columns are ``image_id``, ``where``, ``number`` (among those of the image), ``label``,
        ``caption``, the corners, those of a COCO annotation, and attributes as ``extra:NAME``.
        """
        where = pl.concat_str(
            "file", pl.lit(": annotation "), pl.col("annotation_id").fill_null("without id")
        )
        rows = self._boxes.frame().with_columns(where=where)
        for name in sorted(self._attributes):
            values = self._attributes[name].frame().rename({"value": f"{PREFIX}{name}"})
            rows = rows.join(values, on=":row", how="left", maintain_order="left")
        ids = self._images.frame().select("file", image="id").unique()
        orphans = rows.join(ids, on=["file", "image"], how="anti", maintain_order="left")
        no_entry = pl.concat_str(pl.lit("no entry of images has its image_id, "), "image")
        classes = self._classes.frame().unique(["file", "category"], keep="first")
        located = rows.join(
            entries.select("file", "image_id", image="id"),
            on=["file", "image"],
            maintain_order="left",
        ).join(classes, on=["file", "category"], how="left", maintain_order="left")
        is_caption = pl.col("caption").is_not_null() & pl.col("category").is_null()
        unlabelled = located.filter(pl.col("label").is_null() & ~is_caption)
        no_category = pl.format(
            "no category has its id, {}", pl.col("category").fill_null("null")
        )
        corners = located.drop("file", "image", "category", ":row", "x", "y", "w", "h")
        corners = corners.with_columns(
            located["x"].alias("x1"),
            located["y"].alias("y1"),
            (located["x"] + located["w"]).alias("x2"),
            (located["y"] + located["h"]).alias("y2"),
            number=pl.int_range(1, pl.len() + 1).over("image_id"),
        )
        return corners, pl.concat(
            [
                findings_about(orphans.with_columns(path="where"), "dangling", no_entry),
                findings_about(
                    unlabelled.with_columns(path="where"), "unknown-class", no_category
                ),
            ]
        )


def _match_images(
    rows: pl.DataFrame, paths: pl.Series, top: Path, group_key: tuple[str, Any]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Add each row's ``image_id``, preferring images of its split; and return ``unmatched``."""
    file, split = group_key
    folder = file.rpartition("/")[0]
    images = pl.DataFrame({"path": paths})
    in_split = images.filter(split_of_folders() == split)["path"] if split else paths.clear()
    by_split = match_references(rows["reference"], in_split, folders=(folder,), longer=False)
    by_path = match_references(
        by_split.unmatched["reference"], paths, folders=(folder,), top=top
    )
    matched = pl.concat([by_split.matched, by_path.matched]).rename({"path": "image_id"})
    return rows.join(matched, on="reference", maintain_order="left"), by_path.findings


def _no_unmatched() -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys(("reference", "check", "detail"), pl.String))


def _text(value: int | str | None) -> str | None:
    return None if value is None else str(value)
