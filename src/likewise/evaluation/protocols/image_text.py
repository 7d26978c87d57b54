"""Retrieval between images and their texts, in both directions."""

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import polars as pl

from likewise.errors import DataError
from likewise.evaluation.metrics import METRICS
from likewise.evaluation.protocols.averages import Averages
from likewise.evaluation.protocols.base import Evaluation
from likewise.evaluation.protocols.exclusions import codes
from likewise.evaluation.protocols.image_text_pairs import (
    CAPTIONS,
    COLUMNS,
    RANKS,
    TO_IMAGE,
    TO_TEXT,
    ImageTextPairs,
    recalls_of_folds,
)
from likewise.evaluation.protocols.inputs import as_vectors, l2_normalised
from likewise.evaluation.protocols.text_protocol import TEST_ITEMS, TextProtocol
from likewise.evaluation.ranking import Progress
from likewise.formats.array_types import AnyArray, Float32Array, Float64Array, Int64Array
from likewise.formats.counted_nouns import counted

FOLD, POSITION = "fold", "position"
"""Columns of some data sets: the fold of an image, and its place in an official list."""


class ImageText(TextProtocol):
    """Recall at 1, 5 and 10 from images to their texts, and from texts to their images.

    An image is a distinct content, a text a distinct value of the column ``captions`` (all
    texts of an image) or else ``text``. An image and a text are relevant to each other if an
    item has both: an image may have several texts, and a text several images. A query counts 1
    if a relevant one is among its first k, else 0.

    Source: Karpathy, Fei-Fei, Deep Visual-Semantic Alignments for Generating Image
    Descriptions, CVPR 2015 (arXiv:1412.2306), 4.1.
    """

    name: ClassVar[str] = "image-text"
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    optional_columns: ClassVar[tuple[str, ...]] = (CAPTIONS,)
    captions: ClassVar[int] = 0
    """If positive, the number of first texts of an image that count; every one is then a text
    of its own, even if it equals another one. Otherwise equal texts are one text."""
    fold_size: ClassVar[int] = 0
    """If positive, only images of one fold are compared, and the means of the folds are
    averaged; then ``captions`` must be positive, too."""

    @property
    def formula(self) -> str:
        """The formula of the metrics."""
        return f"mean over queries of {METRICS['recall'].formula}, k = 1, 5, 10"

    def settings(self) -> dict[str, Any]:
        """Return the settings by name."""
        spec = TEST_ITEMS.describe()
        shared = ("score", "normalise", "direction")
        return {
            "queries": f"{TO_TEXT}: images; {TO_IMAGE}: texts; of {spec['queries']}",
            "gallery": f"{TO_TEXT}: texts; {TO_IMAGE}: images; of {spec['gallery']}",
            "images": "distinct contents",
            "texts": self._texts_text(),
            "relevant": "image and text of one item",
            "templates": self._templates_text(),
            **{key: spec[key] for key in shared},
            "ties": "in the order of the items",
            "metric": "recall@1",
            "denominator": "images; texts",
            "depth": max(RANKS),
            **{key: spec[key] for key in ("average", "percent", "decimals")},
            **(
                {"folds": self._folds_text(), "average": "over folds"} if self.fold_size else {}
            ),
        }

    def _texts_text(self) -> str:
        if not self.captions:
            return "distinct values of the column captions, else of text"
        return f"the first {self.captions} of the column captions of an image, else its text"

    def _folds_text(self) -> str:
        size = counted(self.fold_size, "image")
        return f"values of the column {FOLD}, else {size} by {POSITION} or the items' order"

    def texts(self, rows: pl.DataFrame) -> list[str]:
        """Return the distinct texts of the test items, in the order of the items."""
        return ImageTextPairs.of(rows, self.captions).names

    def evaluate_texts(
        self,
        vectors: AnyArray,
        text_vectors: Float32Array,
        rows: pl.DataFrame,
        *,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Rank texts for every image, and images for every text."""
        self.check_items(rows)
        pairs = ImageTextPairs.of(rows, self.captions)
        items = l2_normalised(*as_vectors(vectors, rows["item_id"]))
        images = items[pairs.image_rows]
        texts = l2_normalised(*as_vectors(text_vectors, pairs.names))
        folds = self._folds(rows, pairs)
        values = recalls_of_folds(images, texts, pairs, folds, progress)
        classes = _classes(rows)
        means: list[Averages] = []
        columns: dict[str, Float64Array] = {}
        spec = replace(TEST_ITEMS, average="subsets") if self.fold_size else TEST_ITEMS
        for direction, own, fold in (
            (TO_TEXT, pairs.image_rows, folds),
            (
                TO_IMAGE,
                pairs.text_rows,
                folds[pairs.images] if self.captions else folds,
            ),
        ):
            queries = rows[own]
            if self.fold_size:
                queries = queries.with_columns(subset=pl.Series(fold).cast(pl.String))
            mean = Averages(spec, queries, classes[own])
            for k in RANKS:
                title = f"{direction} recall@{k}"
                by_subset = k == 1 and not self.fold_size
                mean.add(values[direction, k], title, f"{title} {{}}" if by_subset else "")
                columns[title] = _means_of_rows(values[direction, k], own, len(rows))[
                    pairs.rows
                ]
            means.append(mean)
        main = columns.pop(f"{TO_TEXT} recall@1")
        queries = (
            rows[pairs.rows]
            .select("item_id", "label", "subset")
            .with_columns(
                pl.Series("value", main).fill_nan(None),
                *(pl.Series(name, values).fill_nan(None) for name, values in columns.items()),
            )
        )
        labels = rows["label"].gather(pairs.rows).drop_nulls()
        counts = {
            "queries": len(images) + len(texts),
            "gallery": len(images) + len(texts),
            "labels": len(images) if self.captions else labels.n_unique(),
        }
        return Evaluation(
            {**means[0].values, **means[1].values},
            queries,
            self.describe(),
            [*pairs.notes, *self._fold_notes(folds)],
            {**means[0].intervals, **means[1].intervals},
            counts,
            {**means[0].unrounded, **means[1].unrounded},
        )

    def _folds(self, rows: pl.DataFrame, pairs: ImageTextPairs) -> Int64Array:
        """Return the fold (i,) of every image, from 0."""
        if not self.fold_size:
            return np.zeros(len(pairs.image_rows), np.int64)
        if FOLD in rows.columns and rows[FOLD].null_count() < len(rows):
            given = rows[FOLD].gather(pairs.image_rows)
            if given.null_count():
                raise DataError(
                    f"the column {FOLD} has no value for {counted(given.null_count(), 'image')}"
                )
            return given.rank("dense").cast(pl.Int64).to_numpy() - 1
        places = np.arange(len(pairs.image_rows))
        if POSITION in rows.columns and rows[POSITION].null_count() < len(rows):
            given = rows[POSITION].gather(pairs.image_rows)
            if given.null_count() or not given.dtype.is_numeric():
                raise DataError(f"the column {POSITION} is not a number for every image")
            places = given.rank("ordinal").cast(pl.Int64).to_numpy() - 1
        numbers: Int64Array = places // self.fold_size
        return numbers

    def _fold_notes(self, folds: Int64Array) -> list[str]:
        """Describe the folds, if there are some."""
        if not self.fold_size:
            return []
        sizes = ", ".join(f"{size:,}" for size in np.bincount(folds))
        return [f"folds of {sizes} images, whose means are averaged"]


def _classes(rows: pl.DataFrame) -> Int64Array:
    """Return the class (n,) of every item; an item without a label is a class of its own."""
    classes = codes(rows, ["label"])
    alone: Int64Array = classes.max(initial=0) + 1 + np.arange(len(rows))
    return np.where(classes < 0, alone, classes)


def _means_of_rows(values: Float64Array, rows: Int64Array, count: int) -> Float64Array:
    """Return the mean (count,) of the values (q,) of every row; NaN for a row without any."""
    sums = np.bincount(rows, weights=values, minlength=count)
    sizes = np.bincount(rows, minlength=count)
    means: Float64Array = np.where(sizes > 0, sums / np.maximum(sizes, 1), np.nan)
    return means
