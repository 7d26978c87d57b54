"""Parquet files with images, in Hugging Face's style; the source ``parquet`` reads them.

Source: https://huggingface.co/docs/datasets, "Image dataset" and "Object detection"; features
are stored in the metadata of the Parquet schema.
"""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from likewise.exports.base import (
    CHUNK_BYTES,
    CHUNK_IMAGES,
    ExportFault,
    Selection,
    free_names,
    group_rows,
    with_json_lists,
)
from likewise.exports.image_export import ImageExport
from likewise.exports.image_names import split_file_name, split_file_names
from likewise.imaging.parallel import chunk_by_size

_TEXTS = ("split", "text", "subset", "role")
_OWN = ("image", "image_id", "label", "objects", "bbox", "category")
"""Names of the format, at the level of images or of boxes."""
_IMAGE = pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])
_BOX = pa.list_(pa.float32(), 4)
_KINDS = {"bool": "bool", "double": "float64", "float": "float32", "string": "string"}
_WHOLE = {name: name for name in ("int8", "int16", "int32", "int64")}


class ParquetExport(ImageExport):
    """``data/{split}-00000-of-00003.parquet`` ("all" for images without split).

    One row per image: ``image`` (unchanged bytes, and the id as path), ``image_id``, ``width``,
    ``height``, ``label`` (class number; the metadata contain the names), ``split``, ``text``,
    ``subset``, ``role``, and extra columns of whole images; lists are JSON. If there are boxes,
    ``objects`` is a list of ``bbox`` (x, y, width, height in pixels from 0), ``category``,
    ``item_id``, ``text``, and extra columns of boxes. An extra column with a name of the
    format, such as ``category``, gets the prefix ``given_``.
    """

    shard_mb: int = Field(default=500, gt=0)
    """Maximum megabytes of images per file."""

    def write_items(self, selection: Selection, folder: Path) -> list[ExportFault]:
        """See ``ImageExport.write_items``."""
        self.tables(selection, folder)
        return []

    def name(self, split: str | None, *, alone: bool) -> str:
        """Return the name of a split's files; ``alone`` if no image has a split."""
        del alone
        return split_file_name(split)

    def tables(
        self, selection: Selection, folder: Path, orientation: str = "stored"
    ) -> dict[str, int]:
        """Write the files, and return the number of images by file name.

        Args:
            selection: items to write.
            folder: folder of the export.
            orientation: frame of the boxes, which the metadata of the files name.
        """
        writer = _TableWriter(selection, orientation)
        images = selection.images.with_row_index(":image")
        alone = bool(images["split"].is_null().all())
        names = split_file_names(images["split"], partial(self.name, alone=alone))
        sizes: dict[str, int] = {}
        (folder / "data").mkdir()
        for split, group in group_rows(images, "split"):
            name = names[split]
            sizes[name] = len(group)
            shards = list(_shards(group, self.shard_mb * 1_000_000))
            for number, shard in enumerate(shards):
                file = f"{name}-{number:05d}-of-{len(shards):05d}.parquet"
                writer.write(folder / "data" / file, shard)
        return sizes


class _TableWriter:
    """Defines the columns of the files, and writes rows."""

    def __init__(self, selection: Selection, orientation: str) -> None:
        self._chosen = selection
        self._metadata = {} if orientation == "stored" else {"orientation": orientation}
        classes = sorted(set(selection.items["label"].drop_nulls()))
        self._codes = {name: number for number, name in enumerate(classes)}
        items = with_json_lists(selection.items, selection.extra_columns)
        self._boxes = items.filter(pl.col("box").is_not_null())
        extra_types = {
            c: kind for c in selection.extra_columns if (kind := _feature_type(items, c))
        }
        names = free_names(extra_types, _OWN)
        renamed = {names[c]: kind for c, kind in extra_types.items()}
        self._columns = {name: c for c, name in names.items()}
        self._inside = (
            {"item_id": "string", "text": "string", **renamed} if len(self._boxes) else {}
        )
        self._own = list(extra_types)
        self._plain = {**dict.fromkeys(_TEXTS, "string"), **renamed}
        self._schema = self._with_features()

    def write(self, path: Path, images: pl.DataFrame) -> None:
        """Write one file with the rows ``images`` of ``selection.images``."""
        inside = self._boxes.join(images.select("image_id"), on="image_id", how="semi")
        boxes = dict(group_rows(inside, "image_id"))
        with pq.ParquetWriter(path, self._schema, compression="none") as out:
            for rows in chunk_by_size(images["nbytes"], CHUNK_IMAGES, CHUNK_BYTES):
                part = images[rows]
                data = self._chosen.reader.encoded(part[":number"].to_list())
                out.write_table(self._table(part, data, boxes), row_group_size=len(rows))

    def _table(
        self, images: pl.DataFrame, data: list[bytes], boxes: dict[str | None, pl.DataFrame]
    ) -> pa.Table:
        names = images["image_id"].to_list()
        # Values of boxes are in ``objects``; they do not describe the whole image.
        box_columns = ("label", "text", *self._own)
        unboxed_values = [
            pl.when(pl.col("box").is_null()).then(c).alias(c) for c in box_columns
        ]
        whole_images = with_json_lists(images, self._own).with_columns(unboxed_values)
        columns: dict[str, Any] = {
            "image": [{"bytes": d, "path": n} for d, n in zip(data, names, strict=True)],
            "image_id": names,
            "width": images["width"].to_list(),
            "height": images["height"].to_list(),
            "label": [self._codes.get(label) for label in whole_images["label"]],
            **{c: whole_images[self._columns.get(c, c)].to_list() for c in self._plain},
        }
        if self._inside:
            columns["objects"] = [list(self._objects(boxes.get(name))) for name in names]
        arrays = [pa.array(v, self._schema.field(c).type) for c, v in columns.items()]
        return pa.table(arrays, schema=self._schema)

    def _objects(self, boxes: pl.DataFrame | None) -> Iterator[dict[str, Any]]:
        for row in () if boxes is None else boxes.iter_rows(named=True):
            x1, y1, x2, y2 = row["box"]
            box = {
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "category": self._codes.get(row["label"]),
            }
            yield {**box, **{c: row[self._columns.get(c, c)] for c in self._inside}}

    def _with_features(self) -> pa.Schema:
        """Return the Arrow schema, with the features of ``datasets`` in its metadata."""
        label = {"names": list(self._codes), "_type": "ClassLabel"}
        sizes = {"image_id": "string", "width": "int32", "height": "int32"}
        features: dict[str, Any] = {"image": {"_type": "Image"}, **_values(sizes)}
        features |= {"label": label, **_values(self._plain)}
        fields = [pa.field("image", _IMAGE), *_fields(sizes), pa.field("label", pa.int64())]
        fields += _fields(self._plain)
        if self._inside:
            box = {
                "feature": {"dtype": "float32", "_type": "Value"},
                "length": 4,
                "_type": "List",
            }
            object_features = {"bbox": box, "category": label, **_values(self._inside)}
            features["objects"] = {"feature": object_features, "_type": "List"}
            box_fields = [pa.field("bbox", _BOX), pa.field("category", pa.int64())]
            kind = pa.list_(pa.struct([*box_fields, *_fields(self._inside)]))
            fields.append(pa.field("objects", kind))
        metadata = json.dumps({"info": {"features": features}})
        own = {"likewise": json.dumps(self._metadata)} if self._metadata else {}
        return pa.schema(fields, metadata={"huggingface": metadata, **own})


def _feature_type(items: pl.DataFrame, column: str) -> str | None:
    """Return the type name of a column in Arrow and ``datasets``; None if unsupported."""
    name = str(items.head(0).select(column).to_arrow().schema.field(0).type)
    return {**_KINDS, **_WHOLE}.get("string" if "string" in name else name)


def _values(kinds: dict[str, str]) -> dict[str, dict[str, str]]:
    return {name: {"dtype": kind, "_type": "Value"} for name, kind in kinds.items()}


def _fields(kinds: dict[str, str]) -> list[pa.Field]:
    return [pa.field(name, pa.type_for_alias(kind)) for name, kind in kinds.items()]


def _shards(images: pl.DataFrame, most: int) -> Iterator[pl.DataFrame]:
    """Split ``images`` into parts of about ``most`` bytes."""
    part = (images["nbytes"].cum_sum() - images["nbytes"]) // most
    for _, rows in images.with_columns(part.alias(":part")).group_by(
        ":part", maintain_order=True
    ):
        yield rows.drop(":part")
