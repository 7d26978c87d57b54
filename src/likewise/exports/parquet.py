"""Parquet in Hugging Face's style: the images in the table; the source ``parquet`` reads it.

Source: https://huggingface.co/docs/datasets, "Image dataset" and "Object detection"; features
are read from the metadata of the Parquet schema.
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
    Export,
    Fault,
    Selection,
    flat,
    parts,
)
from likewise.exports.image_names import file_of_split, files_of_splits
from likewise.imaging.parallel import chunks

_TEXTS = ("split", "text", "subset", "role")
_IMAGE = pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])
_BOX = pa.list_(pa.float32(), 4)
_KINDS = {"bool": "bool", "double": "float64", "float": "float32", "string": "string"}
_WHOLE = {name: name for name in ("int8", "int16", "int32", "int64")}


class ParquetExport(Export):
    """``data/{split}-00000-of-00003.parquet`` ("all" where there is no split).

    A row is an image: ``image`` (its bytes unchanged, and its id as the path), ``image_id``,
    ``width``, ``height``, ``label`` (a class number; the names are in the metadata), ``split``,
    ``text``, ``subset``, ``role``, and what else the source had of it as a whole; a list is
    JSON. Where there are boxes, a row has ``objects``, a list of ``bbox`` (x, y, width, height,
    in pixels from 0), ``category``, ``item_id``, ``text``, and what else it had of each.
    """

    shard_mb: int = Field(default=500, gt=0)
    """Megabytes of images in a file, at most."""

    def write(self, chosen: Selection, folder: Path) -> list[Fault]:
        """See ``Export.write``."""
        self.tables(chosen, folder)
        return []

    def name(self, split: str | None, *, alone: bool) -> str:
        """What files of a split are called; ``alone`` where no image is in one."""
        del alone
        return file_of_split(split)

    def tables(self, chosen: Selection, folder: Path) -> dict[str, int]:
        """Write the files; how many images those of each name hold."""
        shape = _Shape(chosen)
        images = chosen.images.with_row_index(":image")
        alone = bool(images["split"].is_null().all())
        names = files_of_splits(images["split"], partial(self.name, alone=alone))
        sizes: dict[str, int] = {}
        (folder / "data").mkdir()
        for split, part in parts(images, "split"):
            name = names[split]
            sizes[name] = len(part)
            shards = list(_shards(part, self.shard_mb * 1_000_000))
            for number, shard in enumerate(shards):
                file = f"{name}-{number:05d}-of-{len(shards):05d}.parquet"
                shape.write(folder / "data" / file, shard)
        return sizes


class _Shape:
    """The columns of the files, and how rows become them."""

    def __init__(self, chosen: Selection) -> None:
        self._chosen = chosen
        classes = sorted(set(chosen.items["label"].drop_nulls()))
        self._codes = {name: number for number, name in enumerate(classes)}
        items = flat(chosen.items, chosen.further)
        self._boxes = items.filter(pl.col("box").is_not_null())
        own = {c: kind for c in chosen.further if (kind := _kind(items, c))}
        self._inside = (
            {"item_id": "string", "text": "string", **own} if len(self._boxes) else {}
        )
        self._own = list(own)
        self._plain = {**dict.fromkeys(_TEXTS, "string"), **own}
        self._schema = self._with_features()

    def write(self, path: Path, images: pl.DataFrame) -> None:
        """Write a file of the rows ``images`` of ``chosen.images``."""
        inside = self._boxes.join(images.select("image_id"), on="image_id", how="semi")
        boxes = dict(parts(inside, "image_id"))
        with pq.ParquetWriter(path, self._schema, compression="none") as out:
            for rows in chunks(images["nbytes"], CHUNK_IMAGES, CHUNK_BYTES):
                part = images[rows]
                data = self._chosen.reader.encoded(part[":number"].to_list())
                out.write_table(self._table(part, data, boxes), row_group_size=len(rows))

    def _table(
        self, images: pl.DataFrame, data: list[bytes], boxes: dict[str | None, pl.DataFrame]
    ) -> pa.Table:
        names = images["image_id"].to_list()
        # What is said of a box is in its object, and is nothing that its image is as a whole.
        of_boxes = ("label", "text", *self._own)
        own = [pl.when(pl.col("box").is_null()).then(c).alias(c) for c in of_boxes]
        whole = flat(images, self._own).with_columns(own)
        columns: dict[str, Any] = {
            "image": [{"bytes": d, "path": n} for d, n in zip(data, names, strict=True)],
            "image_id": names,
            "width": images["width"].to_list(),
            "height": images["height"].to_list(),
            "label": [self._codes.get(label) for label in whole["label"]],
            **{c: whole[c].to_list() for c in self._plain},
        }
        if self._inside:
            columns["objects"] = [list(self._objects(boxes.get(name))) for name in names]
        arrays = [pa.array(v, self._schema.field(c).type) for c, v in columns.items()]
        return pa.table(arrays, schema=self._schema)

    def _objects(self, boxes: pl.DataFrame | None) -> Iterator[dict[str, Any]]:
        for row in () if boxes is None else boxes.iter_rows(named=True):
            x1, y1, x2, y2 = row["box"]
            found = {
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "category": self._codes.get(row["label"]),
            }
            yield {**found, **{c: row[c] for c in self._inside}}

    def _with_features(self) -> pa.Schema:
        """The Arrow schema, with the features that ``datasets`` reads in its metadata."""
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
            parts = {"bbox": box, "category": label, **_values(self._inside)}
            features["objects"] = {"feature": parts, "_type": "List"}
            first = [pa.field("bbox", _BOX), pa.field("category", pa.int64())]
            kind = pa.list_(pa.struct([*first, *_fields(self._inside)]))
            fields.append(pa.field("objects", kind))
        told = json.dumps({"info": {"features": features}})
        return pa.schema(fields, metadata={"huggingface": told})


def _kind(items: pl.DataFrame, column: str) -> str | None:
    """The type of a column by the name that both Arrow and ``datasets`` have for it."""
    name = str(items.head(0).select(column).to_arrow().schema.field(0).type)
    return {**_KINDS, **_WHOLE}.get("string" if "string" in name else name)


def _values(kinds: dict[str, str]) -> dict[str, dict[str, str]]:
    return {name: {"dtype": kind, "_type": "Value"} for name, kind in kinds.items()}


def _fields(kinds: dict[str, str]) -> list[pa.Field]:
    return [pa.field(name, pa.type_for_alias(kind)) for name, kind in kinds.items()]


def _shards(images: pl.DataFrame, most: int) -> Iterator[pl.DataFrame]:
    """``images`` in parts of at most so many bytes."""
    part = (images["nbytes"].cum_sum() - images["nbytes"]) // most
    for _, rows in images.with_columns(part.alias(":part")).group_by(
        ":part", maintain_order=True
    ):
        yield rows.drop(":part")
