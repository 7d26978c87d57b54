"""Contents of COCO's JSON files as columns, matched with images."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import polars as pl

from likewise.errors import DamagedError, DataError
from likewise.formats.json_documents import fields_pattern, repeats_fields
from likewise.sources.annotation_files import (
    JSON_ERRORS,
    REPEATED_KEY,
    AnnotationFiles,
)
from likewise.sources.base import (
    findings_about,
    findings_from_rows,
    with_finding_ids,
)
from likewise.sources.box_source import (
    DataType,
    RowBuffer,
    first_per_key,
)
from likewise.sources.image_references import match_references
from likewise.sources.split_names import file_split_findings, split_of_file, split_rank

_IMAGE_COLUMNS: dict[str, DataType] = {
    **dict.fromkeys(("file", "split", "id", "reference", "licence"), pl.String),
    "width": pl.Float64,
    "height": pl.Float64,
}
_BOX_COLUMNS: dict[str, DataType] = {
    **dict.fromkeys(("file", "image", "category", "annotation_id"), pl.String),
    **dict.fromkeys(("x", "y", "w", "h"), pl.Float64),
    "iscrowd": pl.Boolean,
    "area": pl.Float64,
}
_CLASS_COLUMNS = dict.fromkeys(("file", "category", "label", "supercategory"), pl.String)


class _CocoFile(msgspec.Struct):
    """A COCO file with undecoded entries; segmentations are never decoded."""

    images: list[msgspec.Raw]
    annotations: list[msgspec.Raw] = []
    categories: list[msgspec.Raw] = []
    licenses: list[msgspec.Raw] | None = None


_SECTIONS = fields_pattern("images", "annotations", "categories", "licenses")


class _Image(msgspec.Struct):
    id: int | str
    file_name: str
    width: float | None = None
    height: float | None = None
    license: int | str | None = None


class _Annotation(msgspec.Struct):
    image_id: int | str
    category_id: int | str | None = None
    id: int | str | None = None
    bbox: tuple[float, float, float, float] | None = None
    iscrowd: bool | int | None = None
    area: float | None = None


class _Category(msgspec.Struct):
    id: int | str
    name: str
    supercategory: str | None = None


class _License(msgspec.Struct):
    id: int | str
    name: str | None = None
    url: str | None = None


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
        self._invalid: list[tuple[str, str, str]] = []
        valid_files, other_files = 0, 0
        for path, data in annotation_files.read(paths):
            try:
                content = msgspec.json.decode(
                    data.removeprefix(b"\xef\xbb\xbf"), type=_CocoFile
                )
            except JSON_ERRORS as error:
                self._invalid.append((path, "bad-annotation", f"not COCO's JSON: {error}"))
                other_files += isinstance(error, msgspec.ValidationError)
                continue
            if repeats_fields(data, _SECTIONS, with_escapes=False):
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

    def _take(self, path: str, content: _CocoFile) -> None:
        split = split_of_file(path).split
        self._invalid += file_split_findings([path])
        licences = {
            str(licence_entry.id): _spdx_identifier(licence_entry.url)
            or licence_entry.name
            or licence_entry.url
            for licence_entry in self._entries(
                path, "licenses", content.licenses or [], _License
            )
        }
        for image in self._entries(path, "images", content.images, _Image):
            licence = licences.get(str(image.license))
            size = (image.width, image.height)
            self._images.add(path, split, str(image.id), image.file_name, licence, *size)
        for kind in self._entries(path, "categories", content.categories, _Category):
            self._classes.add(path, str(kind.id), kind.name, kind.supercategory)
        for box in self._entries(path, "annotations", content.annotations, _Annotation):
            ids = (str(box.image_id), _text(box.category_id), _text(box.id))
            crowd = None if box.iscrowd is None else bool(box.iscrowd)
            corners = box.bbox or (None, None, None, None)
            self._boxes.add(path, *ids, *corners, crowd, box.area)

    def _entries(
        self, path: str, name: str, raw: list[msgspec.Raw], entry_type: type[T]
    ) -> Iterator[T]:
        decoder = msgspec.json.Decoder(entry_type)
        fields = fields_pattern(*entry_type.__annotations__)
        for position, entry in enumerate(raw):
            fault = REPEATED_KEY if repeats_fields(bytes(entry), fields) else ""
            try:
                if not fault:
                    yield decoder.decode(entry)
            except JSON_ERRORS as error:
                fault = str(error)
            if fault:
                where = f"{path}: {name}[{position}]"
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

    def boxes(self, entries: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the boxes in the images of ``entries``, and findings about all others."""
        where = pl.concat_str(
            "file", pl.lit(": annotation "), pl.col("annotation_id").fill_null("without id")
        )
        rows = self._boxes.frame()
        ids = self._images.frame().select("file", image="id").unique()
        orphans = rows.join(ids, on=["file", "image"], how="anti", maintain_order="left")
        no_entry = pl.concat_str(pl.lit("no entry of images has its image_id, "), "image")
        classes = self._classes.frame().unique(["file", "category"], keep="first")
        located = rows.join(
            entries.select("file", "image_id", image="id"),
            on=["file", "image"],
            maintain_order="left",
        ).join(classes, on=["file", "category"], how="left", maintain_order="left")
        unlabelled = located.filter(pl.col("label").is_null())
        no_category = pl.format(
            "no category has its id, {}", pl.col("category").fill_null("null")
        )
        corners = located.select(
            "image_id",
            "label",
            *("annotation_id", "supercategory", "iscrowd", "area"),
            number=pl.int_range(1, pl.len() + 1).over("image_id"),
            x1="x",
            y1="y",
            x2=pl.col("x") + pl.col("w"),
            y2=pl.col("y") + pl.col("h"),
        )
        return corners, pl.concat(
            [
                findings_about(orphans.with_columns(path=where), "dangling", no_entry),
                findings_about(
                    unlabelled.with_columns(path=where), "unknown-class", no_category
                ),
            ]
        )


def _match_images(
    rows: pl.DataFrame, paths: pl.Series, top: Path, group_key: tuple[str, Any]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Add each row's ``image_id``, preferring images of its split; and return ``unmatched``."""
    file, split = group_key
    folder = file.rpartition("/")[0]
    in_split = (
        paths.filter(paths.str.contains(rf"(^|/){split}[^/]*/")) if split else paths.clear()
    )
    by_split = match_references(rows["reference"], in_split, folders=(folder,))
    by_path = match_references(
        by_split.unmatched["reference"], paths, folders=(folder,), top=top
    )
    matched = pl.concat([by_split.matched, by_path.matched]).rename({"path": "image_id"})
    return rows.join(matched, on="reference", maintain_order="left"), by_path.findings


def _spdx_identifier(url: str | None) -> str:
    """Return the SPDX identifier of a Creative Commons URL; "" for other licences."""
    lower = (url or "").lower()
    licence = _CREATIVE_COMMONS.search(lower)
    if licence:
        return f"CC-{licence[1].upper()}-{licence[2]}"
    return "CC0-1.0" if _CC_ZERO in lower else ""


_CREATIVE_COMMONS = re.compile(
    r"creativecommons\.org/licenses/(by(?:-nc)?(?:-sa|-nd)?)/([0-9]\.[0-9])"
)
_CC_ZERO = "creativecommons.org/publicdomain/zero/1.0"


def _no_unmatched() -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys(("reference", "check", "detail"), pl.String))


def _text(value: int | str | None) -> str | None:
    return None if value is None else str(value)
