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

TO_TEXT, TO_IMAGE = "image-to-text", "text-to-image"


class ImageText(TextProtocol):
    """Recall at 1, 5 and 10 from images to their texts, and from texts to their images.

    An image is a distinct content, a text a distinct value of the column ``text``. An image and
    a text are relevant to each other if an item has both: an image may have several texts, and
    a text several images. A query counts 1 if a relevant one is among its first k, else 0.

    Source: Karpathy, Fei-Fei, Deep Visual-Semantic Alignments for Generating Image
    Descriptions, CVPR 2015 (arXiv:1412.2306), 4.1.
    """

    name: ClassVar[str] = "image-text"
    columns: ClassVar[tuple[str, ...]] = ("label", "subset", "split", "text", "content")

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
            "texts": "distinct values of the column text",
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
        pairs = _Pairs.of(rows)
        return rows["text"].gather(pairs.text_rows).to_list()

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
        texts = l2_normalised(*as_vectors(text_vectors, rows["text"].gather(pairs.text_rows)))
        to_text = rank_vectors(images, texts, pairs.texts_of_images(), progress=progress)
        to_image = rank_vectors(texts, images, pairs.images_of_texts(), progress=progress)
        shown = rows[pairs.rows]
        classes = codes(shown, ["label"])
        alone = classes.max(initial=0) + 1 + np.arange(len(shown))
        means = Averages(TEST_ITEMS, shown, np.where(classes < 0, alone, classes))
        columns: dict[str, Float64Array] = {}
        for direction, ranking, first in (
            (TO_TEXT, to_text, pairs.image_rows),
            (TO_IMAGE, to_image, pairs.text_rows),
        ):
            for k in RANKS:
                values = np.full(len(rows), np.nan)
                values[first] = measure(f"recall@{k}", ranking.ranked)
                title = f"{direction} recall@{k}"
                columns[title] = values[pairs.rows]
                subsets = f"{title} {{}}" if k == 1 else ""
                means.add(columns[title], title, subsets)
        main = columns.pop(f"{TO_TEXT} recall@1")
        queries = shown.select("item_id", "label", "subset").with_columns(
            pl.Series("value", main).fill_nan(None),
            *(pl.Series(name, values).fill_nan(None) for name, values in columns.items()),
        )
        counts = {
            "queries": len(images) + len(texts),
            "gallery": len(images) + len(texts),
            "labels": len(np.unique(classes[classes >= 0])),
        }
        return Evaluation(
            means.values,
            queries,
            self.describe(),
            [*pairs.notes],
            means.intervals,
            counts,
            means.unrounded,
        )


@dataclass(frozen=True)
class _Pairs:
    """The images and texts of the test items.

    Attributes:
        rows: (n,) rows of the test items with a text.
        image_rows: (i,) first row of every distinct content, ascending.
        text_rows: (t,) first row of every distinct text, ascending.
        images: (n,) number of the image of every item.
        texts: (n,) number of the text of every item.
        notes: remarks for the reader of a report.
    """

    rows: Int64Array
    image_rows: Int64Array
    text_rows: Int64Array
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
        present = rows["text"].gather(test).str.strip_chars().fill_null("") != ""
        own = test[present.to_numpy()]
        if not len(own):
            raise DataError(
                "nothing can be scored: no item has a text; give texts by the source or by "
                "likewise correct"
            )
        image_rows, images = _numbered(rows["content"].gather(own), own)
        text_rows, texts = _numbered(rows["text"].gather(own), own)
        notes = [n for n in selection_notes(rows, TEST_ITEMS) if n.startswith("queries")]
        notes.append(f"{len(image_rows):,} images, {len(text_rows):,} texts")
        if len(own) < len(test):
            notes.append(f"items without a text, left out: {len(test) - len(own):,}")
        return cls(own, image_rows, text_rows, images, texts, notes)

    def texts_of_images(self) -> Groups:
        """Return the texts of every image."""
        return _groups(self.images, self.texts, len(self.image_rows))

    def images_of_texts(self) -> Groups:
        """Return the images of every text."""
        return _groups(self.texts, self.images, len(self.text_rows))


def _numbered(values: pl.Series, rows: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Number distinct values by first occurrence: the row of each, and (n,) numbers."""
    firsts = values.to_frame("value").with_row_index("at").unique("value", keep="first")
    ordered = firsts.sort("at")
    numbers = pl.int_range(len(ordered), eager=True)
    each = values.replace_strict(ordered["value"], numbers, return_dtype=pl.Int64)
    return rows[ordered["at"].to_numpy()], each.to_numpy()


def _groups(queries: Int64Array, relevant: Int64Array, count: int) -> Groups:
    """Return the distinct relevant rows of every query, ascending."""
    pairs = np.unique(np.stack([queries, relevant], axis=1), axis=0)
    ends = np.searchsorted(pairs[:, 0], np.arange(count), side="right")
    begins = np.concatenate([[0], ends[:-1]])
    return Groups(pairs[:, 1], begins, ends)
