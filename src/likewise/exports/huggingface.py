"""A data set of the Hugging Face kind: Parquet with the images in it, and a page about it.

Source: https://huggingface.co/docs/datasets, "Image dataset" and "Structure your repository";
features are read from the metadata of the Parquet schema.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from likewise.exports.base import Export, Fault, Selection, chunks
from likewise.exports.files import put

_TEXTS = ("text", "subset", "role")
_IMAGE = pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])
_BOX = pa.list_(pa.float32(), 4)
_ARROW = {
    "string": "string",
    "int64": "int64",
    "int32": "int32",
    "float": "float32",
    "double": "float64",
    "bool": "bool",
    "int16": "int16",
    "int8": "int8",
}


class HuggingFace(Export):
    """``data/{split}-00000-of-00003.parquet`` and ``README.md``; ``load_dataset`` opens it.

    A row is an image: ``image`` (Image; its bytes unchanged), ``image_id``, ``width``,
    ``height``, ``label`` (ClassLabel), ``text``, ``subset``, ``role``, what else the source
    had, and, where there are boxes, ``objects``: a list of ``bbox`` (x, y, width, height, in
    pixels from 0), ``category`` (ClassLabel) and ``item_id``. An image of several items has
    the facts of the first. The split ``val`` is called validation, and none is called train.
    """

    shard_mb: int = Field(default=500, gt=0)
    """Megabytes of images in a file, at most."""

    def write(self, chosen: Selection, folder: Path) -> list[Fault]:
        """See ``Export.write``."""
        shape = _Shape(chosen)
        images = chosen.images.with_row_index(":image")
        sizes: dict[str, int] = {}
        (folder / "data").mkdir()
        for (split,), part in images.group_by("split", maintain_order=True):
            name = _split(split, alone=images["split"].is_null().all())
            sizes[name] = len(part)
            shards = list(_shards(part, self.shard_mb * 1_000_000))
            for number, shard in enumerate(shards):
                file = f"{name}-{number:05d}-of-{len(shards):05d}.parquet"
                shape.write(folder / "data" / file, shard)
        put(folder / "README.md", _page(chosen, sizes).encode())
        return []


class _Shape:
    """The columns of the files, and how rows become them."""

    def __init__(self, chosen: Selection) -> None:
        self._chosen = chosen
        self._classes = sorted(set(chosen.items["label"].drop_nulls()))
        self._columns = [c for c in (*_TEXTS, *chosen.further) if self._kind(c)]
        self._boxes = chosen.items.filter(pl.col("box").is_not_null())
        self._schema = self._with_features()

    def write(self, path: Path, images: pl.DataFrame) -> None:
        """Write a file of the rows ``images`` of ``chosen.images``."""
        inside = self._boxes.join(images.select("image_id"), on="image_id", how="semi")
        boxes = {i: part for (i,), part in inside.group_by("image_id", maintain_order=True)}
        with pq.ParquetWriter(path, self._schema, compression="none") as out:
            for rows in chunks(images["nbytes"]):
                part = images[rows]
                data = self._chosen.reader.encoded(part[":number"].to_list())
                out.write_table(self._table(part, data, boxes), row_group_size=len(rows))

    def _table(
        self, images: pl.DataFrame, data: list[bytes], boxes: dict[Any, pl.DataFrame]
    ) -> pa.Table:
        codes = {name: number for number, name in enumerate(self._classes)}
        names = images["image_id"].to_list()
        told = (
            images
            if not len(self._boxes)
            else images.with_columns(label=pl.when(pl.col("box").is_null()).then("label"))
        )
        columns: dict[str, Any] = {
            "image": pa.array(
                [{"bytes": d, "path": n} for d, n in zip(data, names, strict=True)], _IMAGE
            ),
            "image_id": names,
            "width": images["width"].to_list(),
            "height": images["height"].to_list(),
            "label": [codes.get(label) for label in told["label"]],
            **{c: images[c].to_list() for c in self._columns},
        }
        if len(self._boxes):
            columns["objects"] = [list(_objects(boxes.get(name), codes)) for name in names]
        arrays = [
            v if isinstance(v, pa.Array) else pa.array(v, self._schema.field(c).type)
            for c, v in columns.items()
        ]
        return pa.table(arrays, schema=self._schema)

    def _kind(self, column: str) -> str | None:
        field = self._chosen.items.head(0).select(column).to_arrow().schema.field(0)
        name = str(field.type).removeprefix("large_")
        return _ARROW.get("string" if name.startswith("string") else name)

    def _with_features(self) -> pa.Schema:
        """The Arrow schema, with the features that ``datasets`` reads in its metadata."""
        label = {"names": self._classes, "_type": "ClassLabel"}
        features: dict[str, Any] = {"image": {"_type": "Image"}, "image_id": _value("string")}
        features |= {"width": _value("int32"), "height": _value("int32"), "label": label}
        fields = [
            pa.field("image", _IMAGE),
            pa.field("image_id", pa.string()),
            pa.field("width", pa.int32()),
            pa.field("height", pa.int32()),
            pa.field("label", pa.int64()),
        ]
        for column in self._columns:
            kind = self._kind(column) or "string"
            features[column] = _value(kind)
            fields.append(pa.field(column, pa.type_for_alias(kind)))
        if len(self._boxes):
            box = {"feature": _value("float32"), "length": 4, "_type": "List"}
            parts = {"bbox": box, "category": label, "item_id": _value("string")}
            features["objects"] = {"feature": parts, "_type": "List"}
            kinds = {"bbox": _BOX, "category": pa.int64(), "item_id": pa.string()}
            fields.append(pa.field("objects", pa.list_(pa.struct(list(kinds.items())))))
        told = json.dumps({"info": {"features": features}})
        return pa.schema(fields, metadata={"huggingface": told})


def _split(name: object, *, alone: bool) -> str:
    """A split as ``datasets`` can name it; none is train where no image is in one."""
    if name is None:
        return "train" if alone else "unsplit"
    return "validation" if name == "val" else re.sub(r"\W", "_", str(name))


def _value(kind: str) -> dict[str, str]:
    return {"dtype": kind, "_type": "Value"}


def _objects(boxes: pl.DataFrame | None, codes: dict[str, int]) -> Iterator[dict[str, Any]]:
    if boxes is None:
        return
    for item, label, (x1, y1, x2, y2) in boxes.select("item_id", "label", "box").iter_rows():
        yield {
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "category": codes.get(label),
            "item_id": item,
        }


def _shards(images: pl.DataFrame, most: int) -> Iterator[pl.DataFrame]:
    """``images`` in parts of at most so many bytes."""
    part = (images["nbytes"].cum_sum() - images["nbytes"]) // most
    for _, rows in images.with_columns(part.alias(":part")).group_by(
        ":part", maintain_order=True
    ):
        yield rows.drop(":part")


def _page(chosen: Selection, sizes: dict[str, int]) -> str:
    """README.md: what the hub and ``load_dataset`` read at its head, and words for people."""
    card = chosen.card
    files = [{"split": name, "path": f"data/{name}-*.parquet"} for name in sizes]
    head = {
        "pretty_name": card.title,
        "license": "other",
        "license_name": card.licence.spdx,
        "configs": [{"config_name": "default", "data_files": files}],
    }
    # JSON is YAML, and json writes it the same every time.
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()]
    counts = ", ".join(f"{name} {number:,}" for name, number in sizes.items())
    words = [
        f"# {card.title}",
        f"Images: {counts}.",
        f"Licence: {card.licence.spdx}. {card.licence.terms}".strip(),
        f"Citation: {card.citation}" if card.citation else "",
        "Known faults: " + "; ".join(card.faults) if card.faults else "",
    ]
    text = "\n\n".join(word for word in words if word)
    return "\n".join(["---", *lines, "---", "", text, ""])
