"""Revisited Oxford and Paris: a folder of images, and the published ground-truth file.

Source: Radenovic et al., CVPR 2018 (arXiv:1803.11285): ``gnd_roxford5k.pkl`` and
``gnd_rparis6k.pkl``. A pickle is a program; it is read by a reader that runs none of it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pyarrow as pa

from likewise.errors import DataError, bounded
from likewise.formats.archives import Files
from likewise.formats.pickles import read_structure
from likewise.schema import Column
from likewise.sources.base import (
    Reading,
    Source,
    annotation,
    as_wholes,
    findings,
    findings_frame,
    is_image,
    no_images,
    reading,
)
from likewise.storage.config import Licence

LISTS = ("easy", "hard", "junk")
_IDS = pa.list_(pa.string())


class Revisited(Source):
    """Landmarks: 70 boxes query, the other images are the gallery.

    The gallery is in the order of ``imlist``, then come the queries in that of ``qimlist``; a
    query is the box ``bbx`` in its image. Its label is its name without the number, and the
    items that are easy, hard and junk to it are listed by their ids. Images that the file does
    not name are left out.
    """

    licence: ClassVar[Licence] = Licence(
        terms="photographs from Flickr under their owners' terms; for research"
    )
    citation: ClassVar[str] = (
        "Filip Radenovic, Ahmet Iscen, Giorgos Tolias, Yannis Avrithis, Ondrej Chum: "
        "Revisiting Oxford and Paris: Large-Scale Image Retrieval Benchmarking. CVPR 2018. "
        "arXiv:1803.11285"
    )
    further: ClassVar[tuple[Column, ...]] = (
        Column("easy", _IDS, "of a query: items that are easy to find", nullable=True),
        Column("hard", _IDS, "of a query: items that are hard to find", nullable=True),
        Column("junk", _IDS, "of a query: items that count neither way", nullable=True),
    )
    truth: ClassVar[str]
    """What the ground-truth file is called."""

    def read(self, files: Files, annotations: Path) -> Reading:
        """See ``Source.read``."""
        found = annotation(files, annotations, [self.truth])
        if found is None:
            raise DataError(f"{annotations} holds no {self.truth}, which says what is relevant")
        told = ground_truth(read_structure(found[1], found[0]), found[0])
        paths = files.listing().select("path").filter(is_image())
        if paths.is_empty():
            raise no_images(
                files, f"images that {self.truth} names, as jpg/all_souls_000013.jpg"
            )
        stems = paths.with_columns(name=pl.col("path").str.extract(r"(?s)([^/]*)\.[^./]*\z"))
        stems = stems.sort("path").unique("name", keep="first", maintain_order=True)
        items = told.join(stems, on="name", how="left", maintain_order="left")
        lost = items.filter(pl.col("path").is_null())["name"].to_list()
        named = items.drop_nulls("path").with_columns(
            item_id=pl.col("path")
            + pl.when(role="query").then(pl.lit("#1")).otherwise(pl.lit(""))
        )
        unknown = paths.join(named, on="path", how="anti")
        chosen = _with_ids(named).with_columns(image_id="path")
        return reading(
            files,
            chosen,
            findings_frame((name, "dangling", f"{self.truth} names it") for name in lost),
            findings(unknown, "unlisted", f"{self.truth} does not name it"),
            further=self.further,
            wholes=as_wholes(chosen),
        )


class Roxford(Revisited):
    """Revisited Oxford: 4,993 images, 70 queries, 11 landmarks."""

    title: ClassVar[str] = "Revisited Oxford"
    protocols: ClassVar[tuple[str, ...]] = (
        "roxford5k-easy", "roxford5k-medium", "roxford5k-hard"
    )  # fmt: skip
    truth: ClassVar[str] = "gnd_roxford5k.pkl"


class Rparis(Revisited):
    """Revisited Paris: 6,322 images, 70 queries, 11 landmarks."""

    title: ClassVar[str] = "Revisited Paris"
    protocols: ClassVar[tuple[str, ...]] = ("rparis6k-easy", "rparis6k-medium", "rparis6k-hard")
    truth: ClassVar[str] = "gnd_rparis6k.pkl"


def ground_truth(held: object, where: str) -> pl.DataFrame:
    """A row an image of the gallery, then one a query: name, role, label, box, and the lists.

    The lists hold names of the gallery.

    Raises:
        DataError: ``held`` is not what the published files hold.
    """
    if not isinstance(held, dict) or not {"imlist", "qimlist", "gnd"} <= set(held):
        raise DataError(f"{where}: expected a dict with imlist, qimlist and gnd")
    gallery, queries = (_texts(held[key], f"{where}: {key}") for key in ("imlist", "qimlist"))
    if not isinstance(held["gnd"], list) or len(held["gnd"]) != len(queries):
        raise DataError(f"{where}: gnd must have an entry for each of {len(queries):,} queries")
    rows = [{"name": name, "role": "gallery"} for name in gallery]
    rows += [
        _query(name, entry, gallery, f"{where}: query {name}")
        for name, entry in zip(queries, held["gnd"], strict=True)
    ]
    lists = {name: pl.List(pl.String) for name in LISTS}
    texts = dict.fromkeys(("name", "role", "label"), pl.String)
    schema: dict[str, Any] = {**texts, "box": pl.List(pl.Float32), **lists}
    return pl.DataFrame(rows, schema=schema).with_columns(box=pl.col("box").list.to_array(4))


def _query(name: str, entry: Any, gallery: Sequence[str], where: str) -> dict[str, Any]:
    if not isinstance(entry, dict) or not {*LISTS, "bbx"} <= set(entry):
        raise DataError(f"{where}: expected a dict with bbx, easy, hard and junk")
    box = entry["bbx"]
    if not (isinstance(box, list) and len(box) == 4 and all(_is_number(v) for v in box)):
        raise DataError(f"{where}: bbx must be four numbers")
    lists = {key: _names(entry[key], gallery, f"{where}: {key}") for key in LISTS}
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
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise DataError(f"{where}: must be a list of names")
    twice = (
        sorted({one for one in value if value.count(one) > 1})
        if len(set(value)) < len(value)
        else []
    )
    if twice:
        raise DataError(f"{where}: stands twice: {bounded(twice, len(twice))}")
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _with_ids(items: pl.DataFrame) -> pl.DataFrame:
    """The lists as ids of items, without what has no image."""
    gallery = items.filter(role="gallery")
    ids = dict(zip(gallery["name"].to_list(), gallery["item_id"].to_list(), strict=True))
    found = {
        name: [
            None if names is None else [ids[one] for one in names if one in ids]
            for names in items[name].to_list()
        ]
        for name in LISTS
    }
    return items.with_columns(
        pl.Series(name, values, pl.List(pl.String)) for name, values in found.items()
    )
