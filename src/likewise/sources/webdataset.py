"""WebDataset: samples in tar shards, whose files have one name and different suffixes.

Source: https://github.com/webdataset/webdataset, "the WebDataset format".
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from likewise.formats.archives import Files, open_files
from likewise.sources.annotation_files import NOT_JSON, Notes, split_named
from likewise.sources.base import Reading, findings, findings_frame, hidden
from likewise.sources.box_source import Gathered, split_rank
from likewise.sources.folder import SPLITS
from likewise.sources.json_objects import Entries
from likewise.sources.table_source import TableSource

_KEY = r"(?s)\A((?:.*/)?[^/.]+)\."
_KINDS = {"cls": "label", "txt": "text", "json": "json"}
"""The suffix of a file of a sample, and what it says."""


class WebDataset(TableSource):
    """Tar shards, or one tar, or a folder: ``000017.jpg``, ``000017.cls``, ``000017.json``.

    Files of a sample have one name up to its first dot. ``.cls`` is the label, ``.txt`` the
    text, ``.json`` an entry of docs/annotations.md without ``path``, boxes and all. The split
    is what the shard's name says (``train-0001.tar``). A sample of several images is as many
    items. Rows are by split, shard and name.
    """

    def open(self, path: Path) -> Files:
        """The files at ``path``, and in the shards there."""
        return open_files(path, inside=True)

    def read(self, files: Files, annotations: Path) -> Reading:
        """See ``Source.read``."""
        images = self.images(files).with_columns(key=pl.col("path").str.extract(_KEY))
        notes = Notes(files, annotations)
        kind = pl.col("path").str.extract(r"\.([^./]*)\z").str.to_lowercase()
        named = pl.DataFrame({"path": notes.names(rf"\.({'|'.join(_KINDS)})\z")})
        named = named.with_columns(key=pl.col("path").str.extract(_KEY))
        lost = _among(named.join(images, on="key", how="anti", maintain_order="left"), images)
        there = named.join(images, on="key", how="semi", maintain_order="left")
        said = _Said(notes.read(there["path"]))
        tree = (
            images.join(_splits(files, images), on="path", maintain_order="left")
            .join(said.of("label"), on="key", how="left", maintain_order="left")
            .join(said.of("text"), on="key", how="left", maintain_order="left")
            .with_columns(name="path")
            .sort(split_rank(), "split", "path", nulls_last=True)
        )
        rows, odd = said.entries.frame()
        placed = rows.rename({"image": "key"}).join(
            images.select("key", image="path"), on="key", maintain_order="left"
        )
        alone = findings(lost, "dangling", "its sample has no image")
        used = kind.is_in(list(_KINDS)) & ~hidden()
        faults = [odd, alone, findings_frame(said.broken)]
        return self.assembled(
            files, placed.drop("key", ":folder"), faults, used, tree.drop("key")
        )


def _among(notes: pl.DataFrame, images: pl.DataFrame) -> pl.DataFrame:
    """The ``notes`` but those beside shards, ``export.json`` say: samples are in them."""
    inside = pl.col("path").str.contains("/", literal=True)
    return notes.filter(inside) if images.select(inside.all()).item() else notes


class _Said:
    """What the files of samples say: labels, texts and entries, by the sample's key."""

    def __init__(self, contents: Iterator[tuple[str, bytes]]) -> None:
        self.entries = Entries()
        self.broken: list[tuple[str, str, str]] = []
        self._values = Gathered(dict.fromkeys(("key", "kind", "value"), pl.String))
        for path, data in contents:
            found = re.match(_KEY, path)
            if found and path.lower().endswith(".json"):
                self._entry(path, found[1], data)
            elif found:
                self._value(path, found[1], data)

    def of(self, kind: str) -> pl.DataFrame:
        """The label or text of the samples that have one: key, and a column called so."""
        values = self._values.frame().filter(kind=kind).unique("key", keep="first")
        return values.select("key", pl.col("value").alias(kind))

    def _entry(self, path: str, key: str, data: bytes) -> None:
        try:
            entry = msgspec.json.decode(data, type=dict[str, Any])
        except NOT_JSON as error:
            self.broken.append((path, "bad-annotation", f"no JSON object: {error}"))
            return
        self.entries.add(path, {k: v for k, v in entry.items() if k != "path"}, key)

    def _value(self, path: str, key: str, data: bytes) -> None:
        try:
            text = data.decode("utf-8-sig").strip()
        except UnicodeDecodeError as error:
            self.broken.append((path, "bad-annotation", f"not UTF-8: {error.reason}"))
            return
        if text:
            self._values.add(key, _KINDS[path.rpartition(".")[2].lower()], text)


def _splits(files: Files, images: pl.DataFrame) -> pl.DataFrame:
    """The split that the shard's name, or a folder's, says of every image: path, split."""
    folder = pl.col("path").str.extract(r"(?s)\A(.*)/").fill_null("")
    placed = images.select("path", folder=folder)
    above = "" if files.path.is_dir() else f"{files.path.name}/"
    named = {
        name: split_named(above + name, SPLITS) for name in placed["folder"].unique().sort()
    }
    split = pl.col("folder").replace_strict(named, return_dtype=pl.String)
    return placed.select("path", split=split)
