"""CompCars as items: a car a row, with all that its path, its files and its tables say."""

from pathlib import Path
from typing import ClassVar, Literal

import polars as pl
import pyarrow as pa

from likewise.formats.archives import Files
from likewise.schema import Column
from likewise.sources.annotation_files import NotesToo
from likewise.sources.base import Reading, Source, as_wholes, findings, reading
from likewise.sources.compcars.attribute_tables import (
    attributes,
    colours,
    names,
    surveillance,
)
from likewise.sources.compcars.car_paths import PARTS, cars
from likewise.sources.compcars.train_test_lists import splits, verification
from likewise.sources.compcars.verification_pairs import with_pairs
from likewise.sources.compcars.viewpoints import read_labels, stem
from likewise.sources.list_files import dangling
from likewise.storage.config import Licence

_TEXT, _ID = pa.string(), pa.int32()


class CompCars(Source):
    """The layout of CompCars: label = the web model's id, for surveillance images too.

    Web images are ``data/image/{make}/{model}/{year}/{name}.jpg`` with a label file each,
    surveillance images ``sv_data/image/{model}/{name}.jpg``, whose own model ids a table maps
    to those of the web. Where both are read, surveillance images are queries and web images
    the gallery. The text is make and model by name. Rows are by subset (web, part, sv), ids
    and path.
    """

    title: ClassVar[str] = "CompCars"
    licence: ClassVar[Licence] = Licence(
        terms="data: on request from the authors, for non-commercial research only"
    )
    citation: ClassVar[str] = (
        "Linjie Yang, Ping Luo, Chen Change Loy, Xiaoou Tang: A Large-Scale Car Dataset for "
        "Fine-Grained Categorization and Verification. CVPR 2015. arXiv:1506.08959"
    )
    faults: ClassVar[tuple[str, ...]] = (
        "the data set's page counts 50,000 surveillance images, its list of colours 44,481",
        "some models have no name, and the year of some images is 'unknown'",
    )
    protocols: ClassVar[tuple[str, ...]] = ("gpr1200-strict",)
    further: ClassVar[tuple[Column, ...]] = (
        Column("make_id", _ID, "the make's id", nullable=True),
        Column("make", _TEXT, "the make's name", nullable=True),
        Column("model_id", _ID, "the model's id on the web", nullable=True),
        Column("model", _TEXT, "the model's name", nullable=True),
        Column("year", _TEXT, "the year it was released, or 'unknown'", nullable=True),
        Column("viewpoint", _TEXT, "front, rear, side, front-side ...", nullable=True),
        Column("part", _TEXT, "of an image of a part: which", nullable=True),
        Column("sv_model_id", _ID, "the model's id in surveillance data", nullable=True),
        Column("colour", _TEXT, "of a surveillance image: the car's colour", nullable=True),
        Column("maximum_speed", pa.float32(), "the model's", "km/h", nullable=True),
        Column("displacement", pa.float32(), "the model's", "litres", nullable=True),
        Column("doors", _ID, "the model's number of doors", nullable=True),
        Column("seats", _ID, "the model's number of seats", nullable=True),
        Column("type", _TEXT, "the model's type of car: SUV, sedan ...", nullable=True),
        Column(
            "verification",
            _TEXT,
            "the verification lists that name it, of train+easy+medium+hard",
            nullable=True,
        ),
        Column(
            "pairs",
            pa.list_(pa.string()),
            "its pairs in those lists: level, 1 for the same model or 0, the other item",
            nullable=True,
        ),
    )

    subsets: tuple[Literal["web", "part", "sv"], ...] = ("web", "sv")
    """What is read: whole cars of the web, parts of them, surveillance images."""

    items: Literal["boxes", "images"] = "boxes"
    """Whether an item is the car in its box, where it has one, or the whole image."""

    def read(self, files: Files, annotations: Path) -> Reading:
        """See ``Source.read``."""
        notes = NotesToo(files, annotations)
        images, faults = cars(files, self.subsets)
        images, mapped = _on_the_web(notes, images)
        labels, about_labels = read_labels(notes, images.filter(subset="web"))
        lists, about_lists = splits(notes, images)
        pairs, about_pairs = verification(notes, images)
        makes, models, nameless = names(notes)
        facts, about_facts = attributes(notes)
        told = (
            images.with_columns(stem=stem())
            .join(labels.rename({"key": "stem"}), on="stem", how="left", maintain_order="left")
            .join(lists, on=["subset", "key"], how="left", maintain_order="left")
            .join(pairs, on="key", how="left", maintain_order="left")
            .join(makes, on="make_id", how="left", maintain_order="left")
            .join(models, on="model_id", how="left", maintain_order="left")
            .join(facts, on="model_id", how="left", maintain_order="left")
        )
        faults += [*mapped, *about_labels, *about_lists, *about_pairs, nameless, about_facts]
        items = with_pairs(notes, self._items(told))
        wholes = as_wholes(items)
        return reading(files, items, *faults, further=self.further, wholes=wholes)

    def _items(self, told: pl.DataFrame) -> pl.DataFrame:
        if self.items == "images":
            told = told.with_columns(box=pl.lit(None, pl.Array(pl.Float32, 4)))
        both = {"web", "sv"} <= set(told["subset"])
        side = {"sv": "query", "web": "gallery"} if both else {}
        number = pl.when(pl.col("box").is_not_null()).then(pl.lit("#1")).otherwise(pl.lit(""))
        parts = dict(enumerate(PARTS, start=1))
        return told.with_columns(
            image_id="path",
            item_id=pl.concat_str("path", number),
            label=pl.col("model_id").cast(pl.String),
            make=pl.coalesce("make", "sv_make"),
            model=pl.coalesce("model", "sv_model"),
            role=pl.col("subset").replace_strict(side, default=None, return_dtype=pl.String),
            part=pl.col("part").replace_strict(parts, default=None, return_dtype=pl.String),
        ).with_columns(
            text=pl.concat_str("make", "model", separator=" ", ignore_nulls=True).replace(
                "", None
            )
        )


def _on_the_web(
    notes: NotesToo, images: pl.DataFrame
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """``images`` with the web's ids and the colour of surveillance images, and findings."""
    sv = images.filter(subset="sv")
    empty = {"sv_make": pl.String, "sv_model": pl.String, "colour": pl.String}
    if sv.is_empty():
        return images.with_columns(pl.lit(None, t).alias(c) for c, t in empty.items()), []
    table, about_table = surveillance(notes)
    coloured, entries, about_colours = colours(notes)
    makes = images.filter(subset="web").select("model_id", web_make="make_id")
    makes = makes.unique("model_id", keep="first", maintain_order=True)
    joined = (
        images.join(table, on="sv_model_id", how="left", maintain_order="left")
        .with_columns(model_id=pl.coalesce("model_id", "web_id"))
        .join(makes, on="model_id", how="left", maintain_order="left")
        .with_columns(make_id=pl.coalesce("make_id", "web_make"))
        .join(
            coloured.with_columns(subset=pl.lit("sv")),
            on=["subset", "key"],
            how="left",
            maintain_order="left",
        )
    )
    lost = entries.join(sv, left_on="text", right_on="key", how="anti")
    blank = joined.filter((pl.col("subset") == "sv") & pl.col("model_id").is_null())
    said = "sv_make_model_name.mat gives its folder no web model: it has no label"
    return joined, [
        about_table,
        about_colours,
        dangling(entries, lost),
        findings(blank, "no-label", said),
    ]
