"""WebDataset: tar shards of samples; the source ``webdataset`` reads it.

Source: https://github.com/webdataset/webdataset, "The WebDataset Format".
"""

import json
import tarfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
from pydantic import Field

from likewise.exports.base import ExportFault, Selection, free_names
from likewise.exports.image_export import ImageExport
from likewise.exports.image_names import split_file_name
from likewise.exports.transformed import ARRAY_SUFFIX
from likewise.imaging.suffixes import IMAGE_SUFFIXES

_INTEGER = r"\A(?:0|[1-9][0-9]{0,17})\z"
_TEXTS = ("label", "text", "subset", "role")
_OWN = ("id", "path", "boxes")
"""Keys of the format; extra columns of these names get the prefix ``given_``."""
_USUAL_SPLITS = ("train", "val", "test", None)


class WebDatasetExport(ImageExport):
    """``{split}-000000.tar`` etc. ("all" for images without split), one sample per image.

    A sample is ``000000017.jpg`` with unchanged bytes, and ``000000017.json``, an annotation as
    in docs/annotations.md: label, text, subset, role, boxes, extra columns, and ``id``, the
    image id in the catalogue. If all labels are integers, ``000000017.cls`` contains them too;
    readers parse it as a number. All samples have the same keys, and images the same suffix:
    ``jpg`` if theirs differ.
    """

    holds_arrays: ClassVar[bool] = True

    shard_mb: int = Field(default=500, gt=0)
    """Maximum megabytes per shard."""

    def write_items(self, selection: Selection, folder: Path) -> list[ExportFault]:
        """See ``ImageExport.write_items``."""
        boxed = selection.items.filter(pl.col("box").is_not_null())
        boxes = {i: part for (i,), part in boxed.group_by("image_id", maintain_order=True)}
        labels = selection.items["label"].drop_nulls()
        numbers = len(labels) > 0 and bool(labels.str.contains(_INTEGER).all())
        # Readers such as ``datasets`` need the same files and keys in all samples.
        numbers &= boxed.is_empty() and selection.images["label"].null_count() == 0
        suffixes = {_suffix(name) for name in selection.images["image_id"]}
        suffix = suffixes.pop() if len(suffixes) == 1 else "jpg"
        names = free_names(selection.extra_columns, _OWN)
        keys = _keys(selection, names, boxed=not boxed.is_empty())
        shards = _Shards(folder, self.shard_mb * 1_000_000)
        rows = selection.images.iter_rows(named=True)
        try:
            for (at, data), row in zip(selection.encoded(), rows, strict=True):
                entry = keys | _entry(row, boxes.get(row["image_id"]), names)
                files = {suffix: data, "json": _as_json(entry)}
                if numbers and entry.get("label"):
                    files["cls"] = str(entry["label"]).encode()
                shards.add(row["split"], f"{at:09d}", files)
        finally:
            shards.close()
        return []


class _Shards:
    """Open shards, by the file name of their split."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._most = folder, most
        self._open: dict[str, tarfile.TarFile] = {}
        self._count: dict[str, int] = {}

    def add(self, split: str | None, key: str, files: dict[str, bytes]) -> None:
        """Add a sample to the shard of its split."""
        name = split_file_name(split)
        shard = self._open.get(name)
        if shard is None or shard.offset > self._most:
            shard = self._next(name)
        for suffix, data in files.items():
            member = tarfile.TarInfo(
                f"{key}.{suffix}"
            )  # its default time stamp, 1970, keeps the bytes reproducible
            member.size = len(data)
            shard.addfile(member, BytesIO(data))

    def close(self) -> None:
        """Close all shards."""
        for shard in self._open.values():
            shard.close()

    def _next(self, name: str) -> tarfile.TarFile:
        if name in self._open:
            self._open.pop(name).close()
        number = self._count[name] = self._count.get(name, -1) + 1
        path = self._folder / f"{name}-{number:06d}.tar"
        shard = tarfile.TarFile(path, "w", format=tarfile.USTAR_FORMAT)
        self._open[name] = shard
        return shard


def _keys(selection: Selection, names: Mapping[str, str], *, boxed: bool) -> dict[str, Any]:
    """Return the keys that some sample has, with empty values."""
    items = selection.items
    texts = {name: "" for name in _TEXTS if items[name].null_count() < len(items)}
    whole = items.filter(pl.col("box").is_null())
    filled = [n for c, n in names.items() if whole[c].null_count() < len(whole)]
    empty = dict.fromkeys(filled)
    return {"id": "", **texts, **empty, **({"boxes": []} if boxed else {})}


def _entry(
    row: dict[str, Any], boxes: pl.DataFrame | None, names: Mapping[str, str]
) -> dict[str, Any]:
    extra = {name: row[column] for column, name in names.items()}
    entry: dict[str, Any] = {"id": row["image_id"]}
    if boxes is None:
        entry |= {name: row[name] for name in _TEXTS} | extra
    else:
        entry |= {name: row[name] for name in ("subset", "role")}
        entry["boxes"] = [_box(box, names) for box in boxes.iter_rows(named=True)]
    if row["split"] not in _USUAL_SPLITS:
        entry["split"] = row["split"]
    entry |= {"width": row["width"], "height": row["height"]}
    return _without_nulls(entry)


def _box(row: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    own = {"box": list(row["box"]), "label": row["label"], "text": row["text"]}
    return _without_nulls({**own, **{name: row[column] for column, name in names.items()}})


def _without_nulls(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _as_json(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, ensure_ascii=False).encode()


def _suffix(image: str) -> str:
    """Return the suffix of an image's name without dot; jpg if it is not an image suffix."""
    ending = "." + image.rpartition(".")[2].lower()
    if ending == ARRAY_SUFFIX:
        return ending.removeprefix(".")
    return ending.removeprefix(".") if ending in IMAGE_SUFFIXES else "jpg"
