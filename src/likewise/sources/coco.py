"""COCO: JSON files of images, annotations and categories, one a split.

Source: https://cocodataset.org/#format-data, "object detection".
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import msgspec
import polars as pl
import pyarrow as pa

from likewise.errors import DamagedError, DataError
from likewise.formats.archives import Files
from likewise.schema import Column
from likewise.sources.annotation_files import NOT_JSON, Notes, split_named
from likewise.sources.base import (
    Reading,
    as_findings,
    findings,
    findings_frame,
    reading,
)
from likewise.sources.box_source import (
    BoxSource,
    DataType,
    Gathered,
    first_each,
    foreign,
    split_rank,
)
from likewise.sources.folder import SPLITS
from likewise.sources.image_references import match

_IMAGES: dict[str, DataType] = {
    **dict.fromkeys(("file", "split", "id", "reference", "licence"), pl.String),
    "width": pl.Float64,
    "height": pl.Float64,
}
_BOXES: dict[str, DataType] = {
    **dict.fromkeys(("file", "image", "category", "annotation_id"), pl.String),
    **dict.fromkeys(("x", "y", "w", "h"), pl.Float64),
    "iscrowd": pl.Boolean,
    "area": pl.Float64,
}
_CLASSES = dict.fromkeys(("file", "category", "label", "supercategory"), pl.String)


class _Whole(msgspec.Struct):
    """A COCO file, its entries as they stand: a segmentation is never built in memory."""

    images: list[msgspec.Raw]
    annotations: list[msgspec.Raw] = []
    categories: list[msgspec.Raw] = []
    licenses: list[msgspec.Raw] | None = None


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


class Coco(BoxSource):
    """The layout of COCO: images anywhere, and ``annotations/instances_{split}.json``.

    Where files are called ``instances_*``, only those are read, else every JSON file. The split
    is what a file's name or folder says (train2017: train). ``file_name`` is a path from the
    top, from the JSON file's folder, or the end of the path of one image, of the split first.
    Boxes are x, y, width, height in pixels from 0. A licence of Creative Commons is told by
    its address, and has its SPDX identifier. Rows are by split, image and box.
    """

    further: ClassVar[tuple[Column, ...]] = (
        Column("annotation_id", pa.string(), "the annotation's own id", nullable=True),
        Column("supercategory", pa.string(), "what the class is a kind of", nullable=True),
        Column("iscrowd", pa.bool_(), "the box holds a crowd of its class", nullable=True),
        Column("area", pa.float64(), "area of the segment in the box", "pixels", nullable=True),
        Column("licence", pa.string(), "the image's own licence", nullable=True),
    )

    def read(self, files: Files, annotations: Path) -> Reading:
        """See ``Source.read``."""
        images = self.images(files)
        notes = Notes(files, annotations)
        names = notes.names(r"(\A|/)instances_[^/]*\.json\z")
        if names.is_empty():
            names = notes.names(r"\.json\z")
        if names.is_empty():
            raise notes.absent("annotations/instances_{split}.json")
        parsed = _Parsed(notes, names)
        entries, faults = parsed.entries(images["path"], files.path)
        listed = entries.select("image_id", "split", "licence", "width", "height")
        told = (
            images.select(image_id="path")
            .join(listed.with_columns(listed=True), on="image_id", how="left")
            .with_columns(pl.col("listed").fill_null(value=False))
            .sort(split_rank(), "split", "image_id", nulls_last=True)
        )
        boxes, odd = parsed.boxes(entries)
        made = self.boxed(told.drop("width", "height"), boxes)
        used = pl.col("path").str.to_lowercase().str.ends_with(".json")
        return reading(
            files,
            made.items,
            faults,
            odd,
            made.faults,
            foreign(files, images, used),
            further=self.further,
            sizes=told.select("image_id", "width", "height"),
            wholes=made.wholes,
        )


class _Parsed:
    """What the JSON files say, as columns."""

    def __init__(self, notes: Notes, names: pl.Series) -> None:
        """Read the files ``names``.

        Raises:
            DamagedError: none of them is whole.
            DataError: none of them is COCO's.
        """
        self._images, self._boxes = Gathered(_IMAGES), Gathered(_BOXES)
        self._classes = Gathered(_CLASSES)
        self._broken: list[tuple[str, str, str]] = []
        whole_files, foreign_files = 0, 0
        for path, data in notes.read(names):
            try:
                whole = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=_Whole)
            except NOT_JSON as error:
                self._broken.append((path, "bad-annotation", f"not COCO's JSON: {error}"))
                foreign_files += isinstance(error, msgspec.ValidationError)
                continue
            whole_files += 1
            self._take(path, whole)
        if not whole_files:
            path, _, detail = self._broken[0]
            said = f"{notes.where(path)} is {detail}"
            if foreign_files:
                raise DataError(said)
            raise DamagedError(f"{said}; fetch or make it again")

    def _take(self, path: str, whole: _Whole) -> None:
        split = split_named(path, SPLITS)
        licences = {
            str(found.id): _spdx(found.url) or found.name or found.url
            for found in self._entries(path, "licenses", whole.licenses or [], _License)
        }
        for image in self._entries(path, "images", whole.images, _Image):
            licence = licences.get(str(image.license))
            size = (image.width, image.height)
            self._images.add(path, split, str(image.id), image.file_name, licence, *size)
        for kind in self._entries(path, "categories", whole.categories, _Category):
            self._classes.add(path, str(kind.id), kind.name, kind.supercategory)
        for box in self._entries(path, "annotations", whole.annotations, _Annotation):
            ids = (str(box.image_id), _text(box.category_id), _text(box.id))
            crowd = None if box.iscrowd is None else bool(box.iscrowd)
            corners = box.bbox or (None, None, None, None)
            self._boxes.add(path, *ids, *corners, crowd, box.area)

    def _entries(
        self, path: str, name: str, raw: list[msgspec.Raw], kind: type[T]
    ) -> Iterator[T]:
        decoder = msgspec.json.Decoder(kind)
        for number, entry in enumerate(raw):
            try:
                yield decoder.decode(entry)
            except NOT_JSON as error:
                where = f"{path}: {name}[{number}]"
                self._broken.append((where, "bad-annotation", str(error)))

    def entries(self, paths: pl.Series, top: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The image entries (file, id, image_id, split, licence, sizes), and findings."""
        order = (split_rank(), "split", "file")
        rows = self._images.frame().sort(*order, nulls_last=True, maintain_order=True)
        where = pl.concat_str("file", pl.lit(": images: "), "reference")
        rows, same_id = first_each(
            rows.with_columns(key=pl.struct("file", "id"), where=where),
            "key",
            "where",
            "another entry before it has the same id",
        )
        found, lost = [], [rows.clear().join(_no_faults(), on="reference")]
        for (file, split), part in rows.group_by("file", "split", maintain_order=True):
            hits, faults = _meant(part, paths, top, (str(file), split))
            found.append(hits)
            lost.append(part.join(faults, on="reference", maintain_order="left"))
        entries = pl.concat(found) if found else rows.with_columns(image_id="reference")
        entries, twins = first_each(
            entries, "image_id", "where", "another entry before it is of the same image"
        )
        missing = as_findings(pl.concat(lost).select("check", "detail", path="where"))
        return entries, pl.concat([findings_frame(self._broken), same_id, twins, missing])

    def boxes(self, entries: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The boxes in the images of ``entries``, and findings about annotations of none."""
        where = pl.concat_str(
            "file", pl.lit(": annotation "), pl.col("annotation_id").fill_null("without id")
        )
        rows = self._boxes.frame()
        ids = self._images.frame().select("file", image="id").unique()
        lost = rows.join(ids, on=["file", "image"], how="anti", maintain_order="left")
        said = pl.concat_str(pl.lit("no entry of images has its image_id, "), "image")
        classes = self._classes.frame().unique(["file", "category"], keep="first")
        named = rows.join(
            entries.select("file", "image_id", image="id"),
            on=["file", "image"],
            maintain_order="left",
        ).join(classes, on=["file", "category"], how="left", maintain_order="left")
        unknown = named.filter(pl.col("label").is_null())
        told = pl.format("no category has its id, {}", pl.col("category").fill_null("null"))
        corners = named.select(
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
                findings(lost.with_columns(path=where), "dangling", said),
                findings(unknown.with_columns(path=where), "unknown-class", told),
            ]
        )


def _meant(
    rows: pl.DataFrame, paths: pl.Series, top: Path, note: tuple[str, Any]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows with the images that they mean, those of the ``split`` first; the faults."""
    file, split = note
    folder = file.rpartition("/")[0]
    near = paths.filter(paths.str.contains(rf"(^|/){split}[^/]*/")) if split else paths.clear()
    first = match(rows["reference"], near, folders=(folder,))
    rest = match(first.faults["reference"], paths, folders=(folder,), top=top)
    found = pl.concat([first.found, rest.found]).rename({"path": "image_id"})
    return rows.join(found, on="reference", maintain_order="left"), rest.faults


def _spdx(url: str | None) -> str:
    """The SPDX identifier of a licence of Creative Commons, which exports heed; else ""."""
    lower = (url or "").lower()
    found = _CREATIVE_COMMONS.search(lower)
    if found:
        return f"CC-{found[1].upper()}-{found[2]}"
    return "CC0-1.0" if _ZERO in lower else ""


_CREATIVE_COMMONS = re.compile(
    r"creativecommons\.org/licenses/(by(?:-nc)?(?:-sa|-nd)?)/([0-9]\.[0-9])"
)
_ZERO = "creativecommons.org/publicdomain/zero/1.0"


def _no_faults() -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys(("reference", "check", "detail"), pl.String))


def _text(value: int | str | None) -> str | None:
    return None if value is None else str(value)
