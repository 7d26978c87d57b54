"""GPR1200: a folder of ``{category}_{name}.jpg``, and a JSON file of category texts.

Source: Schall et al., MMM 2022 (arXiv:2111.13122), and the published archive.
"""

from pathlib import Path
from typing import Any, ClassVar, Literal

import polars as pl

from likewise.errors import DamagedError, DataError, bounded
from likewise.formats.archives import FileCollection
from likewise.formats.counted_nouns import counted
from likewise.formats.json_documents import parse_json
from likewise.sources.annotation_files import find_annotation_file
from likewise.sources.base import (
    Source,
    SourceResult,
    findings_about,
    findings_from_rows,
    is_hidden,
    is_image,
    no_images_error,
    non_image_findings,
    source_result,
)
from likewise.sources.gpr1200_subsets import CATEGORIES, PER_CATEGORY, SUBSETS, is_gpr1200
from likewise.storage.config import Licence

TEXT_FILES = ("GPR1200_categoryNumber_to_text.json", "categories.json")
"""File names of the category texts."""

# Nine digits fit in Int32; no leading zeros, so that each category has one spelling.
_NAME = r"(?s)\A(0|[1-9][0-9]{0,8})_"


class Gpr1200Source(Source):
    """GPR1200: the label is the category id; items are sorted by category and file name.

    Images are directly in ``images/`` (or in ``images/`` of the only top folder of an archive),
    or directly at the top. Gaps of a partial copy are findings: categories with fewer than ten
    images if most have ten, categories in the texts without images, and categories without
    images if more than half of the benchmark's are there.
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

    subsets: Literal["by_number", "none"] = "by_number"
    """Name the benchmark's subsets (landmarks, faces ...) by the categories' numbers, or no
    subsets. ``likewise add`` writes none for images that are not GPR1200's."""

    text: str | None = None
    """File name of the category texts; by default one of ``TEXT_FILES``, if it exists."""

    def settled(self, items: pl.DataFrame) -> dict[str, Any]:
        """Name no subsets of images that are not the benchmark's, unless asked to."""
        if "subsets" in self.model_fields_set:
            return {}
        categories = items["label"].unique().cast(pl.Int64).to_list()
        return {} if is_gpr1200(categories) else {"subsets": "none"}

    def read(self, files: FileCollection, annotations: Path) -> SourceResult:
        """See ``Source.read``."""
        image_files = _files_of_image_folder(files).filter(
            ~pl.col("name").is_in(self._text_file_names())
        )
        images = image_files.filter(is_image())
        nested = pl.col("name").str.contains("/", literal=True)
        flat = images.filter(~nested).with_columns(label=pl.col("name").str.extract(_NAME))
        items = (
            flat.drop_nulls("label")
            .with_columns(category=pl.col("label").cast(pl.Int32))
            .sort("category", "name")
            .select("label", image_id="path", subset=_subset(pl.col("category")))
        )
        if self.subsets == "none":
            items = items.with_columns(subset=pl.lit(None, pl.String))
        if items.is_empty():
            raise no_images_error(
                files, "images/{category}_{name}.jpg, as in images/12_tower.jpg"
            )
        labelled, text_findings = self._with_texts(files, annotations, items)
        return source_result(
            files,
            labelled,
            text_findings,
            _incomplete_findings(items),
            _missing_findings(items),
            non_image_findings(image_files),
            findings_about(
                images.filter(nested),
                "bad-name",
                "it lies in a folder below that of the images",
            ),
            findings_about(
                flat.filter(pl.col("label").is_null()),
                "bad-name",
                "expected {category}_{name}, the category a number without leading zeros",
            ),
        )

    def _text_file_names(self) -> list[str]:
        """Return the possible names of the file of category texts."""
        return [self.text] if self.text else list(TEXT_FILES)

    def _with_texts(
        self, files: FileCollection, place: Path, items: pl.DataFrame
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Add the texts of the categories to ``items``, and return findings about them.

        Raises:
            DamagedError: the texts cannot be read.
            DataError: the texts are malformed, or belong to different categories.
        """
        text_file = find_annotation_file(files, place, self._text_file_names())
        if text_file is None and self.text:
            raise DataError(
                f"{place} has no file {self.text!r}, which the card names (source: text)"
            )
        if text_file is None:
            return items, findings_from_rows([])
        where, data = text_file
        texts = _texts(where, data)
        labelled = items.join(texts, on="label", how="left", maintain_order="left")
        without_text = labelled.filter(pl.col("text").is_null())["label"].unique(
            maintain_order=True
        )
        if labelled["text"].null_count() == len(labelled):
            categories = bounded(without_text, len(without_text))
            raise DataError(f"{where} has no text for the categories {categories}")
        rows = [
            (f"category {label}", "no-text", "the texts do not name it")
            for label in without_text
        ]
        unused = texts.join(items, on="label", how="anti", maintain_order="left")["label"]
        if len(unused):
            examples = bounded(unused, len(unused), 3)
            detail = (
                f"{len(unused):,} of {counted(len(texts), 'category', 'has', 'have')} no "
                f"image: {examples}"
            )
            rows.append((Path(where).name, "dangling", detail))
        return labelled, findings_from_rows(rows)


def _incomplete_findings(items: pl.DataFrame) -> pl.DataFrame:
    """Return findings about incomplete categories, if most categories are complete."""
    counts = items.group_by("label", maintain_order=True).len()
    is_complete = pl.col("len") == PER_CATEGORY
    if 2 * counts.filter(is_complete).height < counts.height:
        return findings_from_rows(
            []
        )  # another data set in this layout, or a small part of the benchmark
    detail = pl.format("{} images, where a category has {}", "len", pl.lit(PER_CATEGORY))
    incomplete = counts.filter(~is_complete).with_columns(
        path=pl.format("category {}", "label")
    )
    return findings_about(incomplete, "incomplete", detail)


def _missing_findings(items: pl.DataFrame) -> pl.DataFrame:
    """Return a finding about categories without images, if the images are the benchmark's."""
    present = set(items["label"].unique().cast(pl.Int64))
    missing = [category for category in range(CATEGORIES) if category not in present]
    if not missing or not is_gpr1200(present):
        return findings_from_rows([])
    examples = bounded(missing, len(missing))
    detail = f"{len(missing):,} of {CATEGORIES:,} categories have no image: {examples}"
    return findings_from_rows([("GPR1200", "incomplete", detail)])


def _files_of_image_folder(files: FileCollection) -> pl.DataFrame:
    """Return the files of the image folder: ``path``, and ``name`` relative to the folder."""
    listing = files.listing().select("path")
    folder = pl.col("path").str.extract(r"(?i)\A((?:[^/]+/)?images/)")
    folders = listing.filter(~is_hidden()).select(folder).to_series().drop_nulls().unique()
    direct = listing.filter(is_image() & ~pl.col("path").str.contains("/", literal=True))
    at_top = folders.filter(folders.str.to_lowercase() == "images/")
    if len(at_top) == 1:
        top = at_top[0]
    elif len(direct) or folders.is_empty():
        top = ""
    elif len(folders) == 1:
        top = folders[0]
    else:
        raise DataError(
            f"{files.path} holds several folders of images: "
            f"{bounded(folders.sort(), len(folders))}; give the path of one of them"
        )
    below = listing.filter(pl.col("path").str.starts_with(top))
    return below.with_columns(name=pl.col("path").str.strip_prefix(top))


def _subset(category: pl.Expr) -> pl.Expr:
    return pl.coalesce(
        pl.when(category.is_between(ids.start, ids.stop - 1)).then(pl.lit(name))
        for name, ids in SUBSETS.items()
    )


def _texts(where: str, data: bytes) -> pl.DataFrame:
    """Parse a JSON object of strings as columns ``label``, ``text``."""
    try:
        value = parse_json(data, where, _Pairs)
    except DamagedError as error:
        raise DamagedError(f"{error}; download it again") from error
    if not isinstance(value, _Pairs) or not all(isinstance(text, str) for _, text in value):
        raise DataError(f"{where} is not one JSON object of category -> text")
    try:
        texts = pl.DataFrame(
            list(value), schema={"label": pl.String, "text": pl.String}, orient="row"
        )
    except UnicodeEncodeError as error:
        raise DamagedError(f"{where} holds half of a surrogate pair: {error}") from error
    repeated = texts.filter(pl.col("label").is_duplicated())["label"].unique(
        maintain_order=True
    )
    if len(repeated):
        raise DataError(f"{where} names a category twice: {bounded(repeated, len(repeated))}")
    return texts


class _Pairs(list[tuple[str, object]]):
    """A JSON object as pairs; a dict would hide repeated keys."""
