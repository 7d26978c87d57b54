"""Source of CompCars: one item per car, with all values of its path, files and tables."""

from pathlib import Path
from typing import Any, ClassVar, Literal

import polars as pl
import pyarrow as pa

from likewise.formats.archives import FileCollection
from likewise.sources.annotation_files import AnnotationFilesWithFallback
from likewise.sources.base import (
    Source,
    SourceResult,
    findings_about,
    source_result,
    whole_image_items,
)
from likewise.sources.compcars.attribute_tables import (
    read_attributes,
    read_colours,
    read_names,
    read_surveillance_models,
)
from likewise.sources.compcars.car_paths import PARTS, find_cars
from likewise.sources.compcars.train_test_lists import read_splits, read_verification_lists
from likewise.sources.compcars.verification_pairs import add_pairs
from likewise.sources.compcars.viewpoints import (
    FRONTS,
    MIN_IMAGES,
    key_stem,
    read_labels,
)
from likewise.sources.list_files import missing_entry_findings
from likewise.storage.config import Licence
from likewise.storage.schema import Column

_TEXT, _ID = pa.string(), pa.int32()
_SYSTEM = ("compcars-mips", "compcars-lopq", "compcars-strict")
_LISTS = ("verification-easy", "verification-medium", "verification-hard")


class CompCarsSource(Source):
    """CompCars: the label is the model id of the web images, also for surveillance images.

    Web images are ``data/image/{make}/{model}/{year}/{name}.jpg``, each with a label file.
    Surveillance images are ``sv_data/image/{model}/{name}.jpg``; a table maps their model ids
    to those of the web images. If both subsets are read, surveillance images are the queries
    and web images the gallery. The text of a label consists of the names of make and model.
    Items are sorted by subset (web, part, sv), ids and path.
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
    protocols: ClassVar[tuple[str, ...]] = ("leave-one-out",)
    extra_columns: ClassVar[tuple[Column, ...]] = (
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
    """Subsets to read: cars from the web, parts of cars, surveillance images."""

    items: Literal["boxes", "images"] = "boxes"
    """Make items of the cars' boxes (if annotated), or of whole images."""

    @classmethod
    def runs(cls, items: pl.DataFrame) -> dict[str, dict[str, Any]]:
        """Return the runs of the CompCars system and of verification that have data.

        Without surveillance images, or without web images, the protocol is leave-one-out. If
        every class is smaller than the system's minimum, the runs get a minimum of 1.
        """
        runs = super().runs(items)
        if runs and items["role"].null_count() < len(items):
            fronts = items.filter(pl.col("viewpoint").is_in(FRONTS), role="gallery")
            largest = fronts["label"].drop_nulls().value_counts()["count"].max() or 0
            options = {"min_images_per_class": 1} if int(str(largest)) < MIN_IMAGES else {}
            runs = {name: {**options} for name in _SYSTEM}
        levels = items["pairs"].explode().str.extract(r"\A(\S+) ").drop_nulls().unique()
        return runs | {name: {} for name in _LISTS if name.rpartition("-")[2] in levels}

    def read(self, files: FileCollection, annotations: Path) -> SourceResult:
        """See ``Source.read``."""
        annotation_files = AnnotationFilesWithFallback(files, annotations)
        images, faults = find_cars(files, self.subsets)
        images, mapping_findings = _with_web_ids(annotation_files, images)
        labels, label_findings = read_labels(annotation_files, images.filter(subset="web"))
        lists, list_findings = read_splits(annotation_files, images)
        verification, verification_findings = read_verification_lists(annotation_files, images)
        makes, models, name_findings = read_names(annotation_files)
        attributes, attribute_findings = read_attributes(annotation_files)
        joined = (
            images.with_columns(stem=key_stem())
            .join(labels.rename({"key": "stem"}), on="stem", how="left", maintain_order="left")
            .join(lists, on=["subset", "key"], how="left", maintain_order="left")
            .join(verification, on="key", how="left", maintain_order="left")
            .join(makes, on="make_id", how="left", maintain_order="left")
            .join(models, on="model_id", how="left", maintain_order="left")
            .join(attributes, on="model_id", how="left", maintain_order="left")
        )
        faults += [
            *mapping_findings,
            *label_findings,
            *list_findings,
            *verification_findings,
            name_findings,
            attribute_findings,
        ]
        items = add_pairs(annotation_files, self._items(joined))
        whole_images = whole_image_items(items)
        return source_result(
            files, items, *faults, extra_columns=self.extra_columns, whole_images=whole_images
        )

    def _items(self, images: pl.DataFrame) -> pl.DataFrame:
        if self.items == "images":
            images = images.with_columns(box=pl.lit(None, pl.Array(pl.Float32, 4)))
        has_both = {"web", "sv"} <= set(images["subset"])
        roles = {"sv": "query", "web": "gallery"} if has_both else {}
        suffix = pl.when(pl.col("box").is_not_null()).then(pl.lit("#1")).otherwise(pl.lit(""))
        part_names = dict(enumerate(PARTS, start=1))
        return images.with_columns(
            image_id="path",
            item_id=pl.concat_str("path", suffix),
            label=pl.col("model_id").cast(pl.String),
            make=pl.coalesce("make", "sv_make"),
            model=pl.coalesce("model", "sv_model"),
            role=pl.col("subset").replace_strict(roles, default=None, return_dtype=pl.String),
            part=pl.col("part").replace_strict(
                part_names, default=None, return_dtype=pl.String
            ),
        ).with_columns(
            text=pl.concat_str("make", "model", separator=" ", ignore_nulls=True).replace(
                "", None
            )
        )


def _with_web_ids(
    annotation_files: AnnotationFilesWithFallback, images: pl.DataFrame
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Add web ids and colours to surveillance images, and return findings."""
    sv = images.filter(subset="sv")
    absent = {"sv_make": pl.String, "sv_model": pl.String, "colour": pl.String}
    if sv.is_empty():
        return images.with_columns(pl.lit(None, t).alias(c) for c, t in absent.items()), []
    table, model_findings = read_surveillance_models(annotation_files)
    colours, entries, colour_findings = read_colours(annotation_files)
    makes = images.filter(subset="web").select("model_id", web_make="make_id")
    makes = makes.unique("model_id", keep="first", maintain_order=True)
    joined = (
        images.join(table, on="sv_model_id", how="left", maintain_order="left")
        .with_columns(model_id=pl.coalesce("model_id", "web_id"))
        .join(makes, on="model_id", how="left", maintain_order="left")
        .with_columns(make_id=pl.coalesce("make_id", "web_make"))
        .join(
            colours.with_columns(subset=pl.lit("sv")),
            on=["subset", "key"],
            how="left",
            maintain_order="left",
        )
    )
    missing = entries.join(sv, left_on="text", right_on="key", how="anti")
    unmapped = joined.filter((pl.col("subset") == "sv") & pl.col("model_id").is_null())
    detail = "sv_make_model_name.mat gives its folder no web model: it has no label"
    return joined, [
        model_findings,
        colour_findings,
        missing_entry_findings(entries, missing),
        findings_about(unmapped, "no-label", detail),
    ]
