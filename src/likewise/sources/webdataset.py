"""WebDataset: samples in tar shards; files of a sample differ only in their suffix.

Source: https://github.com/webdataset/webdataset, "the WebDataset format".
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import polars as pl

from likewise.formats.archives import FileCollection, open_files
from likewise.formats.json_documents import repeats_keys
from likewise.sources.annotation_files import (
    JSON_ERRORS,
    REPEATED_KEY,
    AnnotationFiles,
)
from likewise.sources.base import SourceResult, findings_about, findings_from_rows, is_hidden
from likewise.sources.box_source import RowBuffer
from likewise.sources.extra_columns import RESERVED
from likewise.sources.json_annotations import JsonAnnotations
from likewise.sources.sample_names import find_owners, nearest_owners, owner_of
from likewise.sources.split_names import file_split_findings, split_of_file, split_rank
from likewise.sources.table_source import TableSource

_COLUMN_OF_SUFFIX = {"cls": "label", "txt": "text", "json": "json"}
"""Suffix of a sample's file -> column that it contains."""


class WebDatasetSource(TableSource):
    """Tar shards, one tar, or a folder: ``000017.jpg``, ``000017.cls``, ``000017.json``.

    Files of a sample have the same name up to the first dot; if names have more dots, a file
    belongs to the images with the longest name in common (22.06.cls to 22.06.jpg). ``.cls``
    contains the label, ``.txt`` the text, ``.json`` an annotation as in docs/annotations.md,
    without ``path``. The split is read from the shard's name (``train-0001.tar``). A sample
    with several images becomes several items. Items are sorted by split, shard and name.
    """

    prefixed: ClassVar[frozenset[str]] = RESERVED

    def open(self, path: Path) -> FileCollection:
        """Open ``path``, with the shards in it as folders."""
        return open_files(path, open_nested=True)

    def read(self, files: FileCollection, annotations: Path) -> SourceResult:
        """See ``Source.read``."""
        images = self.images(files)
        annotation_files = AnnotationFiles(files, annotations)
        suffix = pl.col("path").str.extract(r"\.([^./]*)\z").str.to_lowercase()
        sample_files = pl.DataFrame(
            {"path": annotation_files.find(rf"\.({'|'.join(_COLUMN_OF_SUFFIX)})\z")}
        )
        sample_files, owners = find_owners(sample_files, images["path"])
        orphans = _in_shards(sample_files.filter(pl.col("owner").is_null()), images)
        matched = sample_files.drop_nulls("owner")
        samples = _SampleFiles(annotation_files.read(matched["path"]), owner_of(matched))
        located = (
            images.join(_splits_of_shards(files, images), on="path", maintain_order="left")
            .join(samples.column("label", owners), on="path", how="left", maintain_order="left")
            .join(samples.column("text", owners), on="path", how="left", maintain_order="left")
            .with_columns(name="path")
            .sort(split_rank(), "split", "path", nulls_last=True)
        )
        rows, entry_findings = samples.entries.frame()
        owned = nearest_owners(owners, rows["image"]).select("owner", image="path")
        entry_rows = rows.rename({"image": "owner"}).join(
            owned, on="owner", maintain_order="left"
        )
        orphan_findings = findings_about(orphans, "dangling", "its sample has no image")
        is_annotation = suffix.is_in(list(_COLUMN_OF_SUFFIX)) & ~is_hidden()
        doubts = file_split_findings(_shard_names(files, images).values())
        invalid = findings_from_rows([*samples.invalid, *doubts])
        faults = [entry_findings, orphan_findings, invalid]
        return self.build_result(
            files, entry_rows.drop("owner", ":folder"), faults, is_annotation, located
        )


def _in_shards(annotation_files: pl.DataFrame, images: pl.DataFrame) -> pl.DataFrame:
    """Keep annotation files inside shards; drop files next to shards, such as export.json."""
    is_in_shard = pl.col("path").str.contains("/", literal=True)
    return (
        annotation_files.filter(is_in_shard)
        if images.select(is_in_shard.all()).item()
        else annotation_files
    )


class _SampleFiles:
    """Contents of the samples' files: labels, texts and annotations, by their owner."""

    def __init__(
        self, contents: Iterator[tuple[str, bytes]], owner: Callable[[str], str]
    ) -> None:
        self.entries = JsonAnnotations()
        self.invalid: list[tuple[str, str, str]] = []
        self._values = RowBuffer(dict.fromkeys(("owner", "kind", "value"), pl.String))
        for path, data in contents:
            if path.lower().endswith(".json"):
                self._entry(path, owner(path), data)
            else:
                self._value(path, owner(path), data)

    def column(self, kind: str, owners: pl.DataFrame) -> pl.DataFrame:
        """Return ``path`` and the column ``kind`` (label or text) of images that have it."""
        values = self._values.frame().filter(kind=kind).unique("owner", keep="first")
        nearest = nearest_owners(owners, values["owner"])
        return nearest.join(values, on="owner").select("path", pl.col("value").alias(kind))

    def _entry(self, path: str, owner: str, data: bytes) -> None:
        try:
            entry = msgspec.json.decode(data, type=dict[str, Any])
        except JSON_ERRORS as error:
            self.invalid.append((path, "bad-annotation", f"no JSON object: {error}"))
            return
        if repeats_keys(data, entry):
            self.invalid.append((path, "bad-annotation", REPEATED_KEY))
            return
        self.entries.add(path, {k: v for k, v in entry.items() if k != "path"}, owner)

    def _value(self, path: str, owner: str, data: bytes) -> None:
        try:
            text = data.decode("utf-8-sig").strip()
        except UnicodeDecodeError as error:
            self.invalid.append((path, "bad-annotation", f"not UTF-8: {error.reason}"))
            return
        if text:
            self._values.add(owner, _COLUMN_OF_SUFFIX[_suffix(path)], text)


def _suffix(path: str) -> str:
    return path.rpartition(".")[2].lower()


def _shard_names(files: FileCollection, images: pl.DataFrame) -> dict[str, str]:
    """Return folder -> its name with that of the archive around it, for all image folders."""
    folders = images.select(_folder().alias("folder"))["folder"].unique().sort()
    above = "" if files.path.is_dir() else f"{files.path.name}/"
    return {name: above + name for name in folders}


def _folder() -> pl.Expr:
    return pl.col("path").str.extract(r"(?s)\A(.*)/").fill_null("")


def _splits_of_shards(files: FileCollection, images: pl.DataFrame) -> pl.DataFrame:
    """Return ``path`` and ``split`` of all images, from the names of shards and folders."""
    splits = {
        folder: split_of_file(name).split
        for folder, name in _shard_names(files, images).items()
    }
    split = _folder().replace_strict(splits, return_dtype=pl.String)
    return images.select("path", split=split)
