"""Retrieval between images and their texts, in both directions."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl

from likewise.errors import DataError
from likewise.evaluation.metrics import METRICS, measure
from likewise.evaluation.protocols.averages import Averages
from likewise.evaluation.protocols.base import Evaluation
from likewise.evaluation.protocols.inputs import as_vectors, l2_normalised
from likewise.evaluation.protocols.query_sets import (
    codes,
    require_columns,
    select_rows,
    selection_notes,
)
from likewise.evaluation.protocols.text_protocol import TEST_ITEMS, TextProtocol
from likewise.evaluation.ranking import Groups, Progress, rank_vectors
from likewise.formats.array_types import AnyArray, Float32Array, Float64Array, Int64Array

RANKS = (1, 5, 10)

CAPTIONS = "captions"
"""A column of some sources: all texts of an image."""

TO_TEXT, TO_IMAGE = "image-to-text", "text-to-image"


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
    columns: ClassVar[tuple[str, ...]] = ("label", "subset", "split", "text", "content")
    optional_columns: ClassVar[tuple[str, ...]] = (CAPTIONS,)

    def check_items(self, rows: pl.DataFrame) -> None:
        """Check that the items have the columns of the protocol."""
        require_columns(self.name, self.columns, rows)

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
            "texts": "distinct values of the column captions, else of text",
            "relevant": "image and text of one item",
            "templates": self._templates_text(),
            **{key: spec[key] for key in shared},
            "ties": "in the order of the items",
            "metric": "recall@1",
            "denominator": "images; texts",
            "depth": max(RANKS),
            **{key: spec[key] for key in ("average", "percent", "decimals")},
        }

    def texts(self, rows: pl.DataFrame) -> list[str]:
        """Return the distinct texts of the test items, in the order of the items."""
        return _Pairs.of(rows).names

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
        pairs = _Pairs.of(rows)
        items = l2_normalised(*as_vectors(vectors, rows["item_id"]))
        images = items[pairs.image_rows]
        texts = l2_normalised(*as_vectors(text_vectors, pairs.names))
        to_text = rank_vectors(images, texts, pairs.texts_of_images(), progress=progress)
        to_image = rank_vectors(texts, images, pairs.images_of_texts(), progress=progress)
        classes = _classes(rows)
        means: list[Averages] = []
        columns: dict[str, Float64Array] = {}
        for direction, ranking, own in (
            (TO_TEXT, to_text, pairs.image_rows),
            (TO_IMAGE, to_image, pairs.text_rows),
        ):
            mean = Averages(TEST_ITEMS, rows[own], classes[own])
            for k in RANKS:
                values, title = (
                    measure(f"recall@{k}", ranking.ranked),
                    f"{direction} recall@{k}",
                )
                mean.add(values, title, f"{title} {{}}" if k == 1 else "")
                columns[title] = _means_of_rows(values, own, len(rows))[pairs.rows]
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
            "labels": labels.n_unique(),
        }
        return Evaluation(
            {**means[0].values, **means[1].values},
            queries,
            self.describe(),
            pairs.notes,
            {**means[0].intervals, **means[1].intervals},
            counts,
            {**means[0].unrounded, **means[1].unrounded},
        )


@dataclass(frozen=True)
class _Pairs:
    """The images and texts of the test items.

    Attributes:
        rows: (n,) rows of the test items with a text.
        image_rows: (i,) first row of every distinct content, ascending.
        text_rows: (t,) first row of every distinct text, ascending.
        names: the distinct texts.
        images: (p,) number of the image of every pair of an item and a text.
        texts: (p,) number of the text of every pair.
        notes: remarks for the reader of a report.
    """

    rows: Int64Array
    image_rows: Int64Array
    text_rows: Int64Array
    names: list[str]
    images: Int64Array
    texts: Int64Array
    notes: list[str]

    @classmethod
    def of(cls, rows: pl.DataFrame) -> "_Pairs":
        """Find the images and texts of the items ``rows``.

        Raises:
            DataError: no test item has a text.
        """
        require_columns(ImageText.name, ImageText.columns, rows)
        test = select_rows(rows, TEST_ITEMS.queries)
        items = rows[test].with_columns(row=pl.Series(test))
        texts = pl.concat_list("text")
        if rows.schema.get(CAPTIONS) == pl.List(pl.String):
            several = pl.col(CAPTIONS).list.len() > 0
            texts = pl.when(several).then(CAPTIONS).otherwise(texts)
        pairs = items.select("row", "content", text=texts).explode("text")
        pairs = pairs.filter(pl.col("text").str.strip_chars() != "")
        if pairs.is_empty():
            raise DataError(
                "nothing can be scored: no item has a text; give texts by the source or by "
                "likewise correct"
            )
        own = pairs["row"].unique().sort().to_numpy()
        image_firsts, images = _numbered(pairs["content"])
        text_firsts, numbers = _numbered(pairs["text"])
        image_rows = pairs["row"].gather(image_firsts).to_numpy()
        text_rows = pairs["row"].gather(text_firsts).to_numpy()
        names = pairs["text"].gather(text_firsts).to_list()
        notes = [n for n in selection_notes(rows, TEST_ITEMS) if n.startswith("queries")]
        notes.append(f"{len(image_rows):,} images, {len(names):,} texts")
        if len(own) < len(test):
            notes.append(f"items without a text, left out: {len(test) - len(own):,}")
        return cls(own, image_rows, text_rows, names, images, numbers, notes)

    def texts_of_images(self) -> Groups:
        """Return the texts of every image."""
        return _groups(self.images, self.texts, len(self.image_rows))

    def images_of_texts(self) -> Groups:
        """Return the images of every text."""
        return _groups(self.texts, self.images, len(self.text_rows))


def _numbered(values: pl.Series) -> tuple[Int64Array, Int64Array]:
    """Number distinct values by first occurrence: the position of each, and (n,) numbers."""
    firsts = values.to_frame("value").with_row_index("at").unique("value", keep="first")
    ordered = firsts.sort("at")
    numbers = pl.int_range(len(ordered), eager=True)
    each = values.replace_strict(ordered["value"], numbers, return_dtype=pl.Int64)
    return ordered["at"].cast(pl.Int64).to_numpy(), each.to_numpy()


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


def _groups(queries: Int64Array, relevant: Int64Array, count: int) -> Groups:
    """Return the distinct relevant rows of every query, ascending."""
    pairs = np.unique(np.stack([queries, relevant], axis=1), axis=0)
    ends = np.searchsorted(pairs[:, 0], np.arange(count), side="right")
    begins = np.concatenate([[0], ends[:-1]])
    return Groups(pairs[:, 1], begins, ends)
