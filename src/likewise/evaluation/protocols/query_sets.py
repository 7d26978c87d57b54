"""Who queries whom, and what is relevant to whom: the switches applied to a set's items."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from likewise.errors import DataError, bounded
from likewise.evaluation.protocols.spec import Switches, Who
from likewise.evaluation.ranking import Groups, Ints

Flags = npt.NDArray[np.bool_]

_BOTH = "role"
"""The column in which null stands for every value; elsewhere only where all items have it."""

_IN_ORDER = "split"
"""The column of whose values only the first is taken that any item has."""


@dataclass(frozen=True)
class Task:
    """A benchmark's question.

    Attributes:
        queries: (q,) int64, the items that query.
        gallery: (n,) int64, the items that are ranked.
        relevant: each query's relevant items, as positions in ``gallery``.
        left_out: what each query's ranking is without, likewise.
        silent: (n,) the gallery items whose score is 0 whatever their vector; None: no item.
        classes: (q,) int64, whichever numbers tell the queries' classes apart.
        labelled: (q,) which queries have a label.
        notes: what a reader should know of it.
    """

    queries: Ints
    gallery: Ints
    relevant: Groups
    left_out: list[Groups]
    silent: Flags | None
    classes: Ints
    labelled: Flags
    notes: list[str]


def pose(switches: Switches, rows: pl.DataFrame) -> Task:
    """The task that ``switches`` make of the items ``rows``.

    Raises:
        DataError: a column or its values are not there, or nobody is left to query.
    """
    queries, gallery = (_chosen(rows, who) for who in (switches.queries, switches.gallery))
    labels = codes(rows, ["label"])
    notes = [*_chosen_notes(rows, switches)]
    silent = None
    if switches.mask != "none":
        minor = _minor(labels, gallery, switches.fewest)
        kept = queries[~minor[queries]]
        notes.append(
            f"queries of classes with fewer than {switches.fewest} gallery items, left out: "
            f"{len(queries) - len(kept):,}"
        )
        queries = kept
        if switches.mask == "zero":
            silent = minor[gallery]
        else:
            gallery = gallery[~minor[gallery]]
    place = np.full(len(rows), -1)
    place[gallery] = np.arange(len(gallery))
    left_out = list(_left_out(switches, rows, queries, gallery, place))
    if switches.relevant == ("label",):
        relevant = Groups.alike(labels[queries], labels[gallery])
    else:
        relevant = _listed(rows, queries, place, switches.relevant)
    alone = labels[queries] < 0
    classes = np.where(
        alone, labels.max(initial=0) + 1 + np.arange(len(queries)), labels[queries]
    )
    labelled = ~alone if switches.relevant == ("label",) else np.ones(len(queries), bool)
    return Task(queries, gallery, relevant, left_out, silent, classes, labelled, notes)


def codes(rows: pl.DataFrame, columns: Sequence[str]) -> Ints:
    """(n,) int64: a number a combination of values, -1 where any of them is null."""
    known = rows.select(pl.all_horizontal(pl.col(columns).is_not_null())).to_series()
    value = pl.col(columns[0]) if len(columns) == 1 else pl.struct(columns)
    ranks = rows.select(value.rank("dense").cast(pl.Int64).fill_null(-1)).to_series()
    found: Ints = np.where(known.to_numpy(), ranks.to_numpy(), -1)
    return found


def need_columns(name: str, wanted: Sequence[str], rows: pl.DataFrame) -> None:
    """Refuse items without the columns that a protocol reads.

    Raises:
        DataError: which they are.
    """
    absent = [column for column in wanted if column not in rows.columns]
    if absent:
        raise DataError(
            f"{name} reads columns that these items do not have: {', '.join(absent)}; "
            "their source, or the table of items, must give them"
        )


def need_lists(name: str, wanted: Sequence[str], rows: pl.DataFrame) -> None:
    """Refuse columns that are to hold lists of texts, and hold something else.

    Raises:
        DataError: which they are.
    """
    other = [column for column in wanted if rows.schema[column] != pl.List(pl.String)]
    if other:
        raise DataError(
            f"{name} reads lists of texts, which {', '.join(other)} does not hold; a table of "
            "items with lists is a .parquet file"
        )


def _chosen(rows: pl.DataFrame, who: Who) -> Ints:
    """The rows that ``who`` holds for."""
    mask = np.ones(len(rows), bool)
    for column in who:
        values = _values(rows, who, column)
        if values is None:
            continue
        fits = rows[column].is_in(values)
        if column == _BOTH:
            fits = fits | rows[column].is_null()
        mask &= fits.fill_null(value=False).to_numpy()
    return np.flatnonzero(mask)


def _values(rows: pl.DataFrame, who: Who, column: str) -> list[str] | None:
    """The values that are taken; None, for any, where no item has one."""
    present = rows[column].drop_nulls().unique().sort().to_list()
    if not present:
        return None
    found = [value for value in who[column] if value in present]
    if found:
        return found[:1] if column == _IN_ORDER else found
    if column == _BOTH and rows[column].null_count():
        return list(who[column])
    raise DataError(
        f"no item has the {column} {' or '.join(who[column])}; there are: "
        f"{bounded(present, len(present))}"
    )


def _chosen_notes(rows: pl.DataFrame, switches: Switches) -> Iterator[str]:
    """What was taken where the switches leave it to the items."""
    for what, who in (("queries", switches.queries), ("gallery", switches.gallery)):
        for column in who:
            values = _values(rows, who, column)
            if values is None:
                yield f"{what}: no item has a {column}, so all are taken"
            elif column == _IN_ORDER and len(who[column]) > 1:
                yield f"{what}: {column} {values[0]}"


def _minor(labels: Ints, gallery: Ints, fewest: int) -> Flags:
    """(rows,) whether an item's class has fewer than ``fewest`` items in the gallery."""
    sizes = np.bincount(labels[gallery] + 1, minlength=int(labels.max(initial=0)) + 2)
    sizes[0] = 0
    flags: Flags = sizes[labels + 1] < fewest
    return flags


def _left_out(
    switches: Switches, rows: pl.DataFrame, queries: Ints, gallery: Ints, place: Ints
) -> Iterator[Groups]:
    if not switches.query_in_gallery:
        yield Groups.one(place[queries])
    if switches.left_out:
        alike = codes(rows, switches.left_out)
        yield Groups.alike(alike[queries], alike[gallery])
    if switches.junk:
        yield _listed(rows, queries, place, switches.junk)


def _listed(rows: pl.DataFrame, queries: Ints, place: Ints, columns: Sequence[str]) -> Groups:
    """The gallery positions of the items whose ids the queries' ``columns`` list."""
    ids = pl.DataFrame({"item_id": rows["item_id"], "place": place})
    lists = pl.concat(
        rows[queries].select(pl.int_range(pl.len()).alias("query"), item_id=column)
        for column in columns
    ).explode("item_id")
    found = lists.drop_nulls("item_id").unique().join(ids, on="item_id", how="left")
    unknown = found.filter(pl.col("place").is_null())["item_id"].sort()
    if len(unknown):
        raise DataError(
            f"{' and '.join(columns)}: no item is called {bounded(unknown, len(unknown))}"
        )
    ranked = found.filter(pl.col("place") >= 0).sort("query", "place")
    ends = np.searchsorted(ranked["query"].to_numpy(), np.arange(len(queries)), side="right")
    begins = np.concatenate([[0], ends[:-1]]) if len(ends) else ends
    return Groups(ranked["place"].to_numpy(), begins, ends)
