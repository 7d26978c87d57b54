"""GPR1200: one folder of ``{category}_{name}.jpg``, and a JSON of the categories' texts.

Source: Schall et al., MMM 2022 (arXiv:2111.13122), and the published archive.
"""

import json
from pathlib import Path
from typing import ClassVar

import polars as pl

from likewise.errors import DamagedError, DataError, bounded
from likewise.formats.archives import Files
from likewise.sources.base import (
    Reading,
    Source,
    annotation,
    findings,
    findings_frame,
    hidden,
    is_image,
    no_images,
    not_images,
    reading,
)
from likewise.sources.gpr1200_subsets import PER_CATEGORY, SUBSETS
from likewise.storage.config import Licence

TEXTS = ("GPR1200_categoryNumber_to_text.json", "categories.json")
"""File names under which the texts are looked for."""

# Nine digits fit every integer; without leading zeros, so that a category has one name.
_NAME = r"(?s)\A(0|[1-9][0-9]{0,8})_"


class Gpr1200(Source):
    """The layout of GPR1200: label = category id, rows by category and then by file name.

    Images are directly in ``images/`` (or in ``images/`` of the one folder that an archive
    holds), or else directly in the place itself. What a partial copy lacks is told: categories
    with fewer than ten images, where most have ten, and those of the texts without any.
    """

    title: ClassVar[str] = "GPR1200"
    licence: ClassVar[Licence] = Licence(terms="data: non-commercial research and education")
    citation: ClassVar[str] = (
        "Konstantin Schall, Kai Uwe Barthel, Nico Hezel, Klaus Jung: GPR1200: A Benchmark for "
        "General-Purpose Content-Based Image Retrieval. MMM 2022. arXiv:2111.13122"
    )
    faults: ClassVar[tuple[str, ...]] = (
        "'plate' is the text of two categories, 590 and 603",
        "some texts of the sketch categories (400 to 599) are broken by stray commas",
    )
    protocols: ClassVar[tuple[str, ...]] = ("gpr1200", "gpr1200-strict")

    text: str | None = None
    """File name of the categories' texts; by default one of ``TEXTS``, where there is one."""

    def read(self, files: Files, annotations: Path) -> Reading:
        """See ``Source.read``."""
        paths = _images_folder(files).filter(~pl.col("name").is_in(self._notes()))
        images = paths.filter(is_image())
        nested = pl.col("name").str.contains("/", literal=True)
        flat = images.filter(~nested).with_columns(label=pl.col("name").str.extract(_NAME))
        items = (
            flat.drop_nulls("label")
            .with_columns(category=pl.col("label").cast(pl.Int32))
            .sort("category", "name")
            .select("label", image_id="path", subset=_subset(pl.col("category")))
        )
        if items.is_empty():
            raise no_images(files, "images/{category}_{name}.jpg, as in images/12_tower.jpg")
        named, about_texts = self._with_texts(files, annotations, items)
        return reading(
            files,
            named,
            about_texts,
            _incomplete(items),
            not_images(paths),
            findings(
                images.filter(nested),
                "bad-name",
                "it lies in a folder below that of the images",
            ),
            findings(
                flat.filter(pl.col("label").is_null()),
                "bad-name",
                "expected {category}_{name}, the category a number without leading zeros",
            ),
        )

    def _notes(self) -> list[str]:
        """The names of the file of texts."""
        return [self.text] if self.text else list(TEXTS)

    def _with_texts(
        self, files: Files, place: Path, items: pl.DataFrame
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """``items`` with the texts of their categories, and findings about those.

        Raises:
            DamagedError: the texts cannot be read.
            DataError: they cannot be used, or are of other categories altogether.
        """
        note = annotation(files, place, self._notes())
        if note is None and self.text:
            raise DataError(
                f"{place} holds no {self.text!r}, which the card names (source: text)"
            )
        if note is None:
            return items, findings_frame([])
        where, data = note
        texts = _texts(where, data)
        named = items.join(texts, on="label", how="left", maintain_order="left")
        bare = named.filter(pl.col("text").is_null())["label"].unique(maintain_order=True)
        if named["text"].null_count() == len(named):
            raise DataError(
                f"{where} has no text for the categories {bounded(bare, len(bare))}"
            )
        faults = [
            (f"category {label}", "no-text", "the texts do not name it") for label in bare
        ]
        idle = texts.join(items, on="label", how="anti", maintain_order="left")["label"]
        if len(idle):
            examples = bounded(idle, len(idle), 3)
            said = f"{len(idle):,} of {len(texts):,} categories have no image: {examples}"
            faults.append((Path(where).name, "dangling", said))
        return named, findings_frame(faults)


def _incomplete(items: pl.DataFrame) -> pl.DataFrame:
    """Findings about categories of another size, where most have the benchmark's."""
    counts = items.group_by("label", maintain_order=True).len()
    whole = pl.col("len") == PER_CATEGORY
    if 2 * counts.filter(whole).height < counts.height:
        return findings_frame([])  # a set of its own in this layout, or hardly a copy
    said = pl.format("{} images, where a category has {}", "len", pl.lit(PER_CATEGORY))
    odd = counts.filter(~whole).with_columns(path=pl.format("category {}", "label"))
    return findings(odd, "incomplete", said)


def _images_folder(files: Files) -> pl.DataFrame:
    """The files of the folder of images: path, and name below that folder."""
    listing = files.listing().select("path")
    folder = pl.col("path").str.extract(r"\A((?:[^/]+/)?images/)")
    folders = listing.filter(~hidden()).select(folder).to_series().drop_nulls().unique()
    flat = listing.filter(is_image() & ~pl.col("path").str.contains("/", literal=True))
    if "images/" in folders:
        top = "images/"
    elif len(flat) or folders.is_empty():
        top = ""
    elif len(folders) == 1:
        top = folders[0]
    else:
        raise DataError(
            f"{files.path} holds several folders of images: "
            f"{bounded(folders.sort(), len(folders))}; point at one of them"
        )
    inside = listing.filter(pl.col("path").str.starts_with(top))
    return inside.with_columns(name=pl.col("path").str.strip_prefix(top))


def _subset(category: pl.Expr) -> pl.Expr:
    return pl.coalesce(
        pl.when(category.is_between(ids.start, ids.stop - 1)).then(pl.lit(name))
        for name, ids in SUBSETS.items()
    )


def _texts(where: str, data: bytes) -> pl.DataFrame:
    """The table label, text of a JSON object of strings."""
    try:
        value = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{where} is not JSON in UTF-8: {error}; fetch it again") from error
    if not isinstance(value, _Pairs) or not all(isinstance(text, str) for _, text in value):
        raise DataError(f"{where} is not one JSON object of category -> text")
    try:
        texts = pl.DataFrame(
            list(value), schema={"label": pl.String, "text": pl.String}, orient="row"
        )
    except UnicodeEncodeError as error:
        raise DamagedError(f"{where} holds half of a character pair: {error}") from error
    twins = texts.filter(pl.col("label").is_duplicated())["label"].unique(maintain_order=True)
    if len(twins):
        raise DataError(f"{where} names a category twice: {bounded(twins, len(twins))}")
    return texts


class _Pairs(list[tuple[str, object]]):
    """A JSON object with its keys as they stand: a dict would hide a key that stands twice."""
