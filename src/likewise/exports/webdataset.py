"""WebDataset: tar shards of samples; the source ``webdataset`` reads it.

Source: https://github.com/webdataset/webdataset, "The WebDataset Format".
"""

import json
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import Field

from likewise.exports.base import Export, Fault, Selection
from likewise.exports.image_names import file_of_split
from likewise.imaging.probe import IMAGE_SUFFIXES

_NUMBER = r"\A(?:0|[1-9][0-9]{0,17})\z"
_TEXTS = ("label", "text", "subset", "role")
_MAIN = ("train", "val", "test", None)


class WebDataset(Export):
    """``{split}-000000.tar`` and so on ("all" where there is no split): a sample an image.

    A sample is ``000000017.jpg``, its bytes unchanged, and ``000000017.json``, an entry of
    docs/annotations.md: label, text, subset, role, boxes, what else the source had, and ``id``,
    what the catalogue calls the image. Labels that are all numbers stand in
    ``000000017.cls`` too, which readers take for a number.
    """

    shard_mb: int = Field(default=500, gt=0)
    """Megabytes in a shard, at most."""

    def write(self, chosen: Selection, folder: Path) -> list[Fault]:
        """See ``Export.write``."""
        boxed = chosen.items.filter(pl.col("box").is_not_null())
        boxes = {i: part for (i,), part in boxed.group_by("image_id", maintain_order=True)}
        labels = chosen.items["label"].drop_nulls()
        numbers = len(labels) > 0 and bool(labels.str.contains(_NUMBER).all())
        shards = _Shards(folder, self.shard_mb * 1_000_000)
        rows = chosen.images.iter_rows(named=True)
        try:
            for (at, data), row in zip(chosen.encoded(), rows, strict=True):
                entry = _entry(row, boxes.get(row["image_id"]), chosen.further)
                files = {_suffix(row["image_id"]): data, "json": _as_json(entry)}
                if numbers and entry.get("label"):
                    files["cls"] = str(entry["label"]).encode()
                shards.add(row["split"], f"{at:09d}", files)
        finally:
            shards.close()
        return []


class _Shards:
    """The shards that are open, by the name of their split's files."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._most = folder, most
        self._open: dict[str, tarfile.TarFile] = {}
        self._count: dict[str, int] = {}

    def add(self, split: str | None, key: str, files: dict[str, bytes]) -> None:
        """Add a sample to the shard of its split."""
        name = file_of_split(split)
        shard = self._open.get(name)
        if shard is None or shard.offset > self._most:
            shard = self._next(name)
        for suffix, data in files.items():
            member = tarfile.TarInfo(f"{key}.{suffix}")  # of 1970, whatever the clock says
            member.size = len(data)
            shard.addfile(member, BytesIO(data))

    def close(self) -> None:
        """End the shards."""
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


def _entry(
    row: dict[str, Any], boxes: pl.DataFrame | None, further: tuple[str, ...]
) -> dict[str, Any]:
    own = {name: row[name] for name in further}
    entry: dict[str, Any] = {"id": row["image_id"]}
    if boxes is None:
        entry |= {name: row[name] for name in _TEXTS} | own
    else:
        entry |= {name: row[name] for name in ("subset", "role")}
        entry["boxes"] = [_box(box, further) for box in boxes.iter_rows(named=True)]
    if row["split"] not in _MAIN:
        entry["split"] = row["split"]
    entry |= {"width": row["width"], "height": row["height"]}
    return _told(entry)


def _box(row: dict[str, Any], further: tuple[str, ...]) -> dict[str, Any]:
    names = ("label", "text", *further)
    return _told({"box": list(row["box"]), **{name: row[name] for name in names}})


def _told(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _as_json(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, ensure_ascii=False).encode()


def _suffix(image: str) -> str:
    """The suffix of an image's name, as WebDataset's readers know it."""
    ending = "." + image.rpartition(".")[2].lower()
    return ending.removeprefix(".") if ending in IMAGE_SUFFIXES else "jpg"
