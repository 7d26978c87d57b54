"""Score embeddings or rankings from elsewhere, without a catalogue."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from likewise.errors import DataError
from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.protocols.base import Evaluation
from likewise.evaluation.protocols.by_column import score_by
from likewise.formats.array_types import AnyArray
from likewise.formats.arrays import array_of
from likewise.formats.counted_nouns import counted
from likewise.formats.paths import StrPath
from likewise.sources.gpr1200_subsets import CATEGORIES, PER_CATEGORY, subset_of


def score(  # noqa: PLR0913 (one keyword per kind of input)
    protocol: str,
    *,
    embeddings: StrPath | npt.ArrayLike | None = None,
    indices: StrPath | npt.ArrayLike | None = None,
    images: StrPath | None = None,
    items: StrPath | pl.DataFrame | None = None,
    labels: Sequence[object] | AnyArray | None = None,
    min_images_per_class: int | None = None,
    by: str | None = None,
) -> Evaluation:
    """Score embeddings of items, or ranked lists of queries, by a protocol.

    Row i belongs to row i of ``items``; or to image i of GPR1200 in canonical order: by
    category, then by file name. The order within a category affects the names of the queries
    only, no metric.

    Args:
        protocol: name of the protocol, such as ``gpr1200``.
        embeddings: an array (n, d), or a file with one (``.npy``, ``.npz``, ``.csv`` ...).
        indices: an array (q, k) of positions in the gallery, best first, or a file with one.
            Give either ``embeddings`` or ``indices``.
        images: folder or archive of the images; without it the array must have the 12,000 rows
            of the whole GPR1200, ten per category.
        items: a frame of the items, or a file with one (``.csv``, ``.parquet``), instead of
            images; or the ``.pkl`` of Revisited Oxford or Paris.
        labels: one label per row instead of ``items``; None: the row has no label.
        min_images_per_class: the smallest class of the protocols of CompCars; by default 58.
        by: a column of the items; the metrics are also reported for each of its values.

    Raises:
        DataError: the array is missing, has rows that do not fit the images, or cannot be
            scored.
        UnknownNameError: there is no such protocol.

    Example:
        >>> emoji = likewise.open("emoji")
        >>> vectors = emoji.vectors("tiny")
        >>> result = likewise.score("gpr1200", embeddings=vectors, items=emoji.items)
        >>> len(result.queries), round(result.metrics["all"], 2)
        (23, 0.66)
        >>> labels = emoji.items["label"].to_list()
        >>> result = likewise.score("leave-one-out", embeddings=vectors, labels=labels)
        >>> round(result.metrics["mAP"], 2)
        0.48

        In full precision, the mean of the values of the queries:

        >>> round(result.unrounded["mAP"] - result.queries["value"].mean(), 12)
        0.0
    """
    options = (
        {} if min_images_per_class is None else {"min_images_per_class": min_images_per_class}
    )
    part = PROTOCOLS.build({"kind": protocol, **options}, f"protocol {protocol}")
    if sum(given is not None for given in (images, items, labels)) > 1:
        raise DataError("give either images or items or labels, not several of them")
    if labels is not None:
        items = _labelled(labels)
    if embeddings is not None and indices is None:
        where, values = _read(embeddings, "embeddings")
        evaluate: Callable[..., Evaluation] = part.evaluate_vectors
    elif indices is not None and embeddings is None:
        where, values = _read(indices, "indices")
        evaluate = part.evaluate_lists
    else:
        raise DataError("give either embeddings or indices, and only one of them")
    rows, notes = _rows(where, len(values), images, items)
    try:
        result = evaluate(values, rows)
        if by is not None:
            result = score_by(result, _column(rows, by), by)
    except DataError as error:
        raise DataError(" / ".join([f"{where}: {error}", *notes])) from error
    return replace(result, notes=[*result.notes, *notes])


def _column(rows: pl.DataFrame, by: str) -> pl.DataFrame:
    """Return item_id and the column by which a result is reported."""
    known = [name for name in rows.columns if name != "item_id"]
    if by not in known:
        raise DataError(f"by: the items have no column {by!r}; columns: {', '.join(known)}")
    return rows.select("item_id", by)


def _read(given: StrPath | npt.ArrayLike, name: str) -> tuple[str, AnyArray]:
    """Return the name of a file or argument for messages, and its array."""
    where = os.fspath(given) if isinstance(given, str | os.PathLike) else name
    return where, np.atleast_1d(array_of(given, name))


def _rows(
    where: str, count: int, images: StrPath | None, items: StrPath | pl.DataFrame | None
) -> tuple[pl.DataFrame, list[str]]:
    """Return the items of the rows of the array, and notes."""
    if items is None:
        return _standard(where, count) if images is None else _listed(Path(images))
    from likewise.sources.item_table import checked_items, read_items

    if isinstance(items, pl.DataFrame):
        return checked_items(items, "items"), []
    return read_items(Path(items)), []


def _labelled(labels: Sequence[object] | AnyArray) -> pl.DataFrame:
    """Return items that have only a label; their ids are their row numbers."""
    values = labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
    if any(isinstance(value, list) for value in values):
        raise DataError("labels has several dimensions; expected one label per row")
    texts = [None if value is None else str(value) for value in values]
    frame = {"item_id": [str(row) for row in range(len(texts))], "label": texts}
    return pl.DataFrame(frame, schema={"item_id": pl.String, "label": pl.String})


def _standard(where: str, count: int) -> tuple[pl.DataFrame, list[str]]:
    """Return the rows of the whole GPR1200; only their categories are known."""
    if count != CATEGORIES * PER_CATEGORY:
        raise DataError(
            f"{where}: has {counted(count, 'row')}, but GPR1200 has "
            f"{CATEGORIES * PER_CATEGORY:,}; name the folder of its images (images), or a "
            "table (items)"
        )
    categories = [row // PER_CATEGORY for row in range(count)]
    rows = pl.DataFrame(
        {
            "item_id": [str(row) for row in range(count)],
            "label": [str(category) for category in categories],
            "subset": [subset_of(category) for category in categories],
        }
    )
    note = f"no images were given: row i belongs to category i // {PER_CATEGORY}"
    return rows, [note]


def _listed(images: Path) -> tuple[pl.DataFrame, list[str]]:
    """Return the rows of the images in ``images``, named as ingest names them."""
    from likewise.sources.item_table import gpr1200_items

    rows, left_out = gpr1200_items(images)
    note = (
        f"{images}: {counted(left_out, 'file', 'is', 'are')} left out: they have no names of "
        "GPR1200 images"
    )
    return rows, [note] if left_out else []
