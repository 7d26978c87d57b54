"""Score embeddings or rankings that were made elsewhere, without a catalogue."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from likewise.errors import DataError
from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.protocols.base import Evaluation
from likewise.formats.archives import open_files
from likewise.formats.arrays import read_array
from likewise.sources.gpr1200 import Gpr1200
from likewise.sources.gpr1200_subsets import CATEGORIES, PER_CATEGORY, subset_of
from likewise.sources.item_table import read_items


def score(
    protocol: str,
    *,
    embeddings: Path | str | None = None,
    indices: Path | str | None = None,
    images: Path | str | None = None,
    items: Path | str | None = None,
) -> Evaluation:
    """Score one vector an item, or one ranked list a query, by a protocol.

    Row i belongs to the i-th row of ``items``; or to the i-th image of GPR1200 in canonical
    order: by category, then by file name. The order inside a category matters to no metric,
    only to the names of the queries.

    Args:
        protocol: its name, as ``gpr1200``.
        embeddings: a file (n, d) of numbers (see ``vectorfiles.read_array``),
        indices: ... or one (q, k) of positions in the gallery, best first; one of the two.
        images: the folder or archive of the images; without it the file must have the 12,000
            rows of the whole of GPR1200, ten a category.
        items: a table of the items (see ``itemtable.read_items``), in place of images.

    Raises:
        DataError: not one file, or one whose rows do not fit the images or cannot be scored.
        UnknownNameError: no such protocol.
    """
    part = PROTOCOLS.build({"kind": protocol}, f"protocol {protocol}")
    path = embeddings or indices
    if path is None or (embeddings and indices):
        raise DataError("give either embeddings or indices: one file")
    if images and items:
        raise DataError("give either images or items: what the rows are")
    values = np.atleast_1d(read_array(Path(path)))
    rows, notes = _rows(path, len(values), images, items)
    try:
        told = (part.evaluate_vectors if embeddings else part.evaluate_lists)(values, rows)
    except DataError as error:
        raise DataError(" / ".join([f"{path}: {error}", *notes])) from error
    return replace(told, notes=[*told.notes, *notes])


def _rows(
    path: Path | str, count: int, images: Path | str | None, items: Path | str | None
) -> tuple[pl.DataFrame, list[str]]:
    """What the rows of the file are, and notes."""
    if items is not None:
        return read_items(Path(items)), []
    return _standard(path, count) if images is None else _listed(Path(images))


def _standard(path: Path | str, count: int) -> tuple[pl.DataFrame, list[str]]:
    """The rows of the whole of GPR1200, of which only the categories are known."""
    if count != CATEGORIES * PER_CATEGORY:
        raise DataError(
            f"{path}: has {count:,} rows, and all of GPR1200 {CATEGORIES * PER_CATEGORY:,}; "
            "name the folder of the images that it is of (images), or a table (items)"
        )
    categories = [row // PER_CATEGORY for row in range(count)]
    rows = pl.DataFrame(
        {
            "item_id": [str(row) for row in range(count)],
            "label": [str(category) for category in categories],
            "subset": [subset_of(category) for category in categories],
        }
    )
    note = f"no images were named: row i is taken to be of category i // {PER_CATEGORY}"
    return rows, [note]


def _listed(images: Path) -> tuple[pl.DataFrame, list[str]]:
    """The rows of the images in ``images``, as ingest would name them."""
    read = Gpr1200().read(open_files(images), images)
    left_out = len(read.findings)
    note = f"{images}: {left_out:,} files are left out, by their names no images of GPR1200"
    return read.items.select("item_id", "label", "subset"), [note] if left_out else []
