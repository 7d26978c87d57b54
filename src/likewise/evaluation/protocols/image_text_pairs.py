"""The images and texts of a data set, and the recall between them in both directions."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from likewise.errors import DataError
from likewise.evaluation.metrics import measure
from likewise.evaluation.protocols.query_sets import (
    require_columns,
    select_rows,
    selection_notes,
)
from likewise.evaluation.protocols.text_protocol import TEST_ITEMS
from likewise.evaluation.ranking import Groups, Progress, rank_vectors
from likewise.formats.array_types import Float32Array, Float64Array, Int64Array
from likewise.formats.counted_nouns import counted

RANKS = (1, 5, 10)

COLUMNS = ("label", "subset", "split", "text", "content")
"""The columns that are read, besides ``CAPTIONS``."""

CAPTIONS = "captions"
"""A column of some sources: all texts of an image."""

TO_TEXT, TO_IMAGE = "image-to-text", "text-to-image"


@dataclass(frozen=True)
class ImageTextPairs:
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
    def of(cls, rows: pl.DataFrame, captions: int = 0) -> "ImageTextPairs":
        """Find the images and texts of the items ``rows``.

        Args:
            rows: the items.
            captions: if positive, the number of first texts of an image that count, each of
                them a text of its own; otherwise equal texts are one text.

        Raises:
            DataError: no test item has a text.
        """
        require_columns("image-text", COLUMNS, rows)
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
        if captions:
            place = pl.int_range(pl.len()).over("content")
            pairs = pairs.filter(place < captions)
        image_firsts, images = _numbered(pairs["content"])
        text_firsts, numbers = _numbered(pairs["text"])
        if captions:
            text_firsts = numbers = np.arange(len(pairs))
        image_rows = pairs["row"].gather(image_firsts).to_numpy()
        text_rows = pairs["row"].gather(text_firsts).to_numpy()
        names = pairs["text"].gather(text_firsts).to_list()
        notes = [n for n in selection_notes(rows, TEST_ITEMS) if n.startswith("queries")]
        notes.append(f"{counted(len(image_rows), 'image')}, {counted(len(names), 'text')}")
        fewer = np.count_nonzero(np.bincount(images) < captions)
        if fewer:
            notes.append(f"images with fewer than {counted(captions, 'text')}: {fewer:,}")
        if len(own) < len(test):
            notes.append(f"items without a text, left out: {len(test) - len(own):,}")
        return cls(own, image_rows, text_rows, names, images, numbers, notes)

    def texts_of_images(self) -> Groups:
        """Return the texts of every image."""
        return _groups(self.images, self.texts, len(self.image_rows))

    def images_of_texts(self) -> Groups:
        """Return the images of every text."""
        return _groups(self.texts, self.images, len(self.text_rows))


def recalls_of_folds(
    images: Float32Array,
    texts: Float32Array,
    pairs: ImageTextPairs,
    folds: Int64Array,
    progress: Progress | None,
) -> dict[tuple[str, int], Float64Array]:
    """Return the recall of every query by direction and rank, among the images of its fold.

    Args:
        images: (i, d) unit vectors.
        texts: (t, d) unit vectors.
        pairs: the images and texts that belong together.
        folds: (i,) fold of every image.
        progress: called after every block of queries.
    """
    values = {(TO_TEXT, k): np.zeros(len(images)) for k in RANKS}
    values |= {(TO_IMAGE, k): np.zeros(len(texts)) for k in RANKS}
    for fold in range(int(folds.max(initial=0)) + 1):
        chosen = folds[pairs.images] == fold
        own_images, own_texts = pairs.images[chosen], pairs.texts[chosen]
        image, text = np.flatnonzero(folds == fold), np.unique(own_texts)
        places = np.searchsorted(image, own_images), np.searchsorted(text, own_texts)
        to_text = _groups(*places, len(image))
        to_image = _groups(*places[::-1], len(text))
        some_images, some_texts = images[image], texts[text]
        for direction, at, ranking in (
            (TO_TEXT, image, rank_vectors(some_images, some_texts, to_text, progress=progress)),
            (
                TO_IMAGE,
                text,
                rank_vectors(some_texts, some_images, to_image, progress=progress),
            ),
        ):
            for k in RANKS:
                values[direction, k][at] = measure(f"recall@{k}", ranking.ranked)
    return values


def _numbered(values: pl.Series) -> tuple[Int64Array, Int64Array]:
    """Number distinct values by first occurrence: the position of each, and (n,) numbers."""
    firsts = values.to_frame("value").with_row_index("at").unique("value", keep="first")
    ordered = firsts.sort("at")
    numbers = pl.int_range(len(ordered), eager=True)
    each = values.replace_strict(ordered["value"], numbers, return_dtype=pl.Int64)
    return ordered["at"].cast(pl.Int64).to_numpy(), each.to_numpy()


def _groups(queries: Int64Array, relevant: Int64Array, count: int) -> Groups:
    """Return the distinct relevant rows of every query, ascending."""
    pairs = np.unique(np.stack([queries, relevant], axis=1), axis=0)
    ends = np.searchsorted(pairs[:, 0], np.arange(count), side="right")
    begins = np.concatenate([[0], ends[:-1]])
    return Groups(pairs[:, 1], begins, ends)
