"""Items that a query does not rank: other parts, listed items, and items that equal it."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from likewise.evaluation.protocols.grades import listed_rows
from likewise.evaluation.protocols.spec import ProtocolSpec
from likewise.evaluation.ranking import Groups
from likewise.formats.array_types import Int64Array


def codes(rows: pl.DataFrame, columns: Sequence[str]) -> Int64Array:
    """Number the combinations of values of ``columns``: (n,) int64; -1 if one is null."""
    known = rows.select(pl.all_horizontal(pl.col(columns).is_not_null())).to_series()
    value = pl.col(columns[0]) if len(columns) == 1 else pl.struct(columns)
    ranks = rows.select(value.rank("dense").cast(pl.Int64).fill_null(-1)).to_series()
    numbers: Int64Array = np.where(known.to_numpy(), ranks.to_numpy(), -1)
    return numbers


def left_out_items(
    spec: ProtocolSpec,
    rows: pl.DataFrame,
    queries: Int64Array,
    gallery: Int64Array,
    position: Int64Array,
) -> Iterator[Groups]:
    """Yield the gallery items that each query does not rank.

    Args:
        spec: the switches ``query_in_gallery``, ``left_out``, ``junk`` and ``among``.
        rows: the items.
        queries: (q,) row numbers of the queries.
        gallery: (n,) row numbers of the gallery.
        position: (rows,) position of every item in the gallery; -1: none.
    """
    if not spec.query_in_gallery:
        yield Groups.one(position[queries])
    if spec.left_out:
        values = codes(rows, spec.left_out)
        yield Groups.alike(values[queries], values[gallery])
    if spec.junk:
        yield listed_rows(rows, queries, position, spec.junk)[0]
    if spec.among:
        listed = listed_rows(rows, queries, position, spec.among)[0]
        yield listed.complement(len(gallery))


def parts_of_items(
    spec: ProtocolSpec, rows: pl.DataFrame, queries: Int64Array, gallery: Int64Array
) -> tuple[Int64Array, Int64Array] | None:
    """Return the part of every query and gallery item; None if all items are one part."""
    if not spec.within:
        return None
    values = codes(rows, spec.within)
    return values[queries], values[gallery]
