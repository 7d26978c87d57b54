"""Revisited Oxford and Paris: a folder of images, and the published ground truth.

Source: Radenovic et al., CVPR 2018 (arXiv:1803.11285): ``gnd_roxford5k.pkl`` and
``gnd_rparis6k.pkl``. The pickles are read without executing any of their code.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pyarrow as pa

from likewise.errors import DataError, bounded
from likewise.formats.archives import FileCollection
from likewise.formats.counted_nouns import counted
from likewise.formats.pickles import read_structure
from likewise.sources.annotation_files import find_annotation_file
from likewise.sources.base import (
    Source,
    SourceResult,
    findings_about,
    findings_from_rows,
    is_image,
    no_images_error,
    source_result,
    whole_image_items,
)
from likewise.storage.config import Licence
from likewise.storage.schema import Column

RELEVANCE_LISTS = ("easy", "hard", "junk")
_IDS = pa.list_(pa.string())


class RevisitedSource(Source):
    """Landmark retrieval with 70 queries, which are boxes, and a gallery of whole images.

    Items are the gallery in the order of ``imlist``, then the queries in the order of
    ``qimlist``. A query is the box ``bbx`` in its image; its label is its name without the
    number, and its columns ``easy``, ``hard`` and ``junk`` list ids of gallery items. Images
    that the ground truth does not name are dropped.
    """

    licence: ClassVar[Licence] = Licence(
        terms="photographs from Flickr under their owners' terms; for research"
    )
    citation: ClassVar[str] = (
        "Filip Radenovic, Ahmet Iscen, Giorgos Tolias, Yannis Avrithis, Ondrej Chum: "
        "Revisiting Oxford and Paris: Large-Scale Image Retrieval Benchmarking. CVPR 2018. "
        "arXiv:1803.11285"
    )
    extra_columns: ClassVar[tuple[Column, ...]] = (
        Column("easy", _IDS, "of a query: items that are easy to find", nullable=True),
        Column("hard", _IDS, "of a query: items that are hard to find", nullable=True),
        Column("junk", _IDS, "of a query: items that count neither way", nullable=True),
    )
    truth: ClassVar[str]
    """Name of the ground-truth file."""

    def read(self, files: FileCollection, annotations: Path) -> SourceResult:
        """See ``Source.read``."""
        ground_truth_file = find_annotation_file(files, annotations, [self.truth])
        if ground_truth_file is None:
            raise DataError(f"{annotations} has no file {self.truth} (the ground truth)")
        rows = ground_truth(
            read_structure(ground_truth_file[1], ground_truth_file[0]), ground_truth_file[0]
        )
        paths = files.listing().select("path").filter(is_image())
        if paths.is_empty():
            raise no_images_error(
                files, f"images that {self.truth} names, as jpg/all_souls_000013.jpg"
            )
        stems = paths.with_columns(name=pl.col("path").str.extract(r"(?s)([^/]*)\.[^./]*\z"))
        stems = stems.sort("path").unique("name", keep="first", maintain_order=True)
        items = rows.join(stems, on="name", how="left", maintain_order="left")
        missing = items.filter(pl.col("path").is_null())["name"].to_list()
        located = items.drop_nulls("path").with_columns(
            item_id=pl.col("path")
            + pl.when(role="query").then(pl.lit("#1")).otherwise(pl.lit(""))
        )
        unlisted = paths.join(located, on="path", how="anti")
        result_items = _with_ids(located).with_columns(image_id="path")
        return source_result(
            files,
            result_items,
            findings_from_rows(
                (name, "dangling", f"{self.truth} names it") for name in missing
            ),
            findings_about(unlisted, "unlisted", f"{self.truth} does not name it"),
            extra_columns=self.extra_columns,
            whole_images=whole_image_items(result_items),
        )


class RoxfordSource(RevisitedSource):
    """Revisited Oxford: 4,993 images, 70 queries, 11 landmarks."""

    title: ClassVar[str] = "Revisited Oxford"
    protocols: ClassVar[tuple[str, ...]] = (
        "roxford5k-easy", "roxford5k-medium", "roxford5k-hard"
    )  # fmt: skip
    truth: ClassVar[str] = "gnd_roxford5k.pkl"


class RparisSource(RevisitedSource):
    """Revisited Paris: 6,322 images, 70 queries, 11 landmarks."""

    title: ClassVar[str] = "Revisited Paris"
    protocols: ClassVar[tuple[str, ...]] = ("rparis6k-easy", "rparis6k-medium", "rparis6k-hard")
    truth: ClassVar[str] = "gnd_rparis6k.pkl"


def ground_truth(content: object, where: str) -> pl.DataFrame:
    """Return one row per gallery image, then one per query.

    Columns: ``name``, ``role``, ``label``, ``box``, and ``RELEVANCE_LISTS`` with names of
    gallery images.

    Raises:
        DataError: ``content`` does not have the structure of the published files.
    """
    if not isinstance(content, dict) or not {"imlist", "qimlist", "gnd"} <= set(content):
        raise DataError(f"{where}: expected a dict with imlist, qimlist and gnd")
    gallery, queries = (
        _texts(content[key], f"{where}: {key}") for key in ("imlist", "qimlist")
    )
    if not isinstance(content["gnd"], list) or len(content["gnd"]) != len(queries):
        raise DataError(
            f"{where}: gnd must have an entry for each of {counted(len(queries), 'query')}"
        )
    rows = [{"name": name, "role": "gallery"} for name in gallery]
    rows += [
        _query(name, entry, gallery, f"{where}: query {name}")
        for name, entry in zip(queries, content["gnd"], strict=True)
    ]
    lists = {name: pl.List(pl.String) for name in RELEVANCE_LISTS}
    texts = dict.fromkeys(("name", "role", "label"), pl.String)
    schema: dict[str, Any] = {**texts, "box": pl.List(pl.Float32), **lists}
    return pl.DataFrame(rows, schema=schema).with_columns(box=pl.col("box").list.to_array(4))


def _query(name: str, entry: Any, gallery: Sequence[str], where: str) -> dict[str, Any]:
    if not isinstance(entry, dict) or not {*RELEVANCE_LISTS, "bbx"} <= set(entry):
        raise DataError(f"{where}: expected a dict with bbx, easy, hard and junk")
    box = entry["bbx"]
    if not (isinstance(box, list) and len(box) == 4 and all(_is_number(v) for v in box)):
        raise DataError(f"{where}: bbx must be four numbers")
    lists = {key: _names(entry[key], gallery, f"{where}: {key}") for key in RELEVANCE_LISTS}
    landmark, _, number = name.rpartition("_")
    label = landmark if landmark and number.isdecimal() else name
    return {"name": name, "role": "query", "label": label, "box": box, **lists}


def _names(rows: object, gallery: Sequence[str], where: str) -> list[str]:
    if not isinstance(rows, list) or not all(
        isinstance(row, int) and 0 <= row < len(gallery) for row in rows
    ):
        raise DataError(f"{where}: must be numbers from 0 to {len(gallery) - 1:,}")
    return [gallery[row] for row in dict.fromkeys(rows)]


def _texts(value: object, where: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise DataError(f"{where}: must be a list of names")
    repeated = (
        sorted({text for text in value if value.count(text) > 1})
        if len(set(value)) < len(value)
        else []
    )
    if repeated:
        raise DataError(
            f"{where}: these values occur more than once: {bounded(repeated, len(repeated))}"
        )
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _with_ids(items: pl.DataFrame) -> pl.DataFrame:
    """Replace image names in the lists by item ids; names without an image are dropped."""
    gallery = items.filter(role="gallery")
    ids = dict(zip(gallery["name"].to_list(), gallery["item_id"].to_list(), strict=True))
    lists = {
        name: [
            None if image_names is None else [ids[name] for name in image_names if name in ids]
            for image_names in items[name].to_list()
        ]
        for name in RELEVANCE_LISTS
    }
    return items.with_columns(
        pl.Series(name, values, pl.List(pl.String)) for name, values in lists.items()
    )
