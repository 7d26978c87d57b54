"""Retrieval tasks: a protocol's specification applied to the items of a data set."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from likewise.errors import DataError, bounded
from likewise.evaluation.protocols.exclusions import codes, left_out_items, parts_of_items
from likewise.evaluation.protocols.grades import listed_rows, present_grades
from likewise.evaluation.protocols.held_out import held_out_rows
from likewise.evaluation.protocols.spec import ItemFilter, ProtocolSpec, filter_text
from likewise.evaluation.ranking import Groups
from likewise.formats.array_types import BoolArray, Int64Array
from likewise.formats.counted_nouns import counted

_NULL_IS_ANY = "role"
"""The column in which null matches every value. In others it does only if all items have it."""

_FIRST_ONLY = "split"
"""The column of which only the first listed value that any item has is selected."""


_LISTED = 20
"""Maximum number of classes that a note lists."""


@dataclass(frozen=True)
class RetrievalTask:
    """Queries, gallery and relevance for the items of a data set.

    Attributes:
        queries: (q,) int64, item rows of the queries.
        gallery: (n,) int64, item rows of the gallery.
        relevant: relevant items of every query, as positions in ``gallery``.
        left_out: items that are excluded from the ranking of every query, likewise.
        zero_scored: (n,) gallery items that score 0 whatever their vector; None: no item.
        classes: (q,) int64, class of every query, by any numbers.
        labelled: (q,) whether a query has a label.
        notes: remarks for the reader of a report.
        grades: grade of every row of ``relevant``, in the order of its queries; None: all
            are 1.
        parts: (q,) and (n,) part of every query and gallery item, if a query ranks only the
            items of its part; -1: none.
    """

    queries: Int64Array
    gallery: Int64Array
    relevant: Groups
    left_out: list[Groups]
    zero_scored: BoolArray | None
    classes: Int64Array
    labelled: BoolArray
    notes: list[str]
    grades: Int64Array | None = None
    parts: tuple[Int64Array, Int64Array] | None = None

    def excluded(self) -> list[Groups]:
        """Return ``left_out`` and the items of other parts."""
        others = [] if self.parts is None else [Groups.unlike(*self.parts)]
        return [*self.left_out, *others]


def build_task(spec: ProtocolSpec, rows: pl.DataFrame) -> RetrievalTask:
    """Apply ``spec`` to the items ``rows``.

    Raises:
        DataError: a column or a value is missing, or no query is left.
    """
    gallery, labels = select_gallery(rows, spec), codes(rows, ["label"])
    held_out, notes = np.empty(0, np.int64), [*selection_notes(rows, spec)]
    if spec.held_out:
        held_out, note = held_out_rows(rows, labels, gallery, spec)
        notes.append(note)
    queries = held_out if spec.held_out else select_queries(rows, spec)
    zero_scored = None
    if spec.mask != "none":
        minor = _in_small_class(labels, gallery, spec.min_class_size)
        kept = queries[~minor[queries]]
        notes += _small_classes(rows, labels, gallery, spec.min_class_size)
        notes.append(
            "queries of classes with fewer than "
            f"{counted(spec.min_class_size, 'gallery item')}, left out: "
            f"{len(queries) - len(kept):,}"
        )
        queries = kept
        if spec.mask == "zero":
            zero_scored = minor[gallery] | np.isin(gallery, held_out)
        else:
            gallery = gallery[~minor[gallery]]
    position = np.full(len(rows), -1)
    position[gallery] = np.arange(len(gallery))
    left_out = list(left_out_items(spec, rows, queries, gallery, position))
    by_label, grades = spec.relevant == ("label",), None
    if by_label:
        kinds = labels if spec.match == ("label",) else codes(rows, spec.match)
        relevant = Groups.alike(kinds[queries], kinds[gallery])
    else:
        relevant, grades = listed_rows(
            rows, queries, position, spec.relevant, present_grades(spec, rows)
        )
    unlabelled = labels[queries] < 0
    classes = np.where(
        unlabelled, labels.max(initial=0) + 1 + np.arange(len(queries)), labels[queries]
    )
    labelled = ~unlabelled if by_label else _judged(rows, queries, spec)
    return RetrievalTask(
        queries,
        gallery,
        relevant,
        left_out,
        zero_scored,
        classes,
        labelled,
        notes,
        grades if spec.grades else None,
        parts_of_items(spec, rows, queries, gallery),
    )


def checked_task(name: str, spec: ProtocolSpec, rows: pl.DataFrame) -> RetrievalTask:
    """Apply ``spec`` to the items ``rows``.

    Raises:
        DataError: a column is missing, or no query is left.
    """
    require_columns(name, spec.columns(), rows)
    require_list_columns(name, spec.list_columns(), rows)
    for column in (*spec.match[1:], *spec.within):
        if rows[column].null_count() == len(rows):
            raise DataError(
                f"{name} compares items of one {column}, and no item has a {column}; give it "
                "by the source or by likewise correct"
            )
    task = build_task(spec, rows)
    if not len(task.queries):
        raise DataError(
            "; ".join([f"nothing can be scored: {name} selects no query", *task.notes])
        )
    return task


def require_columns(name: str, columns: Sequence[str], rows: pl.DataFrame) -> None:
    """Check that the items have all ``columns`` that the protocol ``name`` reads.

    Raises:
        DataError: columns are missing; the message names them.
    """
    missing = [column for column in columns if column not in rows.columns]
    if missing:
        raise DataError(
            f"{name} reads columns that these items do not have: {', '.join(missing)}; their "
            "source, or the table of items, must provide them"
        )


def require_list_columns(name: str, columns: Sequence[str], rows: pl.DataFrame) -> None:
    """Check that ``columns`` hold lists of strings.

    Raises:
        DataError: some columns do not; the message names these columns.
    """
    other = [column for column in columns if rows.schema[column] != pl.List(pl.String)]
    if other:
        raise DataError(
            f"{name} reads lists of texts, which {', '.join(other)} does not hold; a table of "
            "items with lists is a .parquet file"
        )


def select_queries(rows: pl.DataFrame, spec: ProtocolSpec) -> Int64Array:
    """Return the numbers of the rows that ``spec`` selects as queries."""
    chosen = select_rows(rows, spec.queries)
    return chosen[_has_label(rows, spec)[chosen]] if spec.labels else chosen


def select_gallery(rows: pl.DataFrame, spec: ProtocolSpec) -> Int64Array:
    """Return the numbers of the rows that ``spec`` selects as the gallery."""
    chosen = select_rows(rows, spec.gallery)
    if spec.labels:
        chosen = chosen[_has_label(rows, spec)[chosen]]
    for column, values in spec.excluded.items():
        taken_out = rows[column].is_in(list(values)).fill_null(value=False).to_numpy()
        chosen = chosen[~taken_out[chosen]]
    return chosen


def plain_label(label: str) -> str:
    """Return a label as ``ProtocolSpec.labels`` compares it."""
    return label.lower().replace("-", " ").replace("_", " ")


def _has_label(rows: pl.DataFrame, spec: ProtocolSpec) -> BoolArray:
    """(rows,) whether the label of an item is one of ``spec.labels``."""
    wanted = {plain_label(label) for label in spec.labels}
    known = [
        label for label in rows["label"].unique().drop_nulls() if plain_label(label) in wanted
    ]
    flags: BoolArray = rows["label"].is_in(known).fill_null(value=False).to_numpy()
    return flags


def _judged(rows: pl.DataFrame, queries: Int64Array, spec: ProtocolSpec) -> BoolArray:
    """(q,) whether a query is scored even if it has no relevant item."""
    if spec.without_relevant == "not scored":
        return np.ones(len(queries), bool)
    lists = rows[queries].select(pl.any_horizontal(pl.col(spec.relevant).is_not_null()))
    return lists.to_series().to_numpy()


def select_rows(rows: pl.DataFrame, chosen: ItemFilter) -> Int64Array:
    """Return the numbers of the rows that ``chosen`` selects."""
    mask = np.ones(len(rows), bool)
    for column in chosen:
        values = _selected_values(rows, chosen, column)
        if values is None:
            continue
        matches = rows[column].is_in(values)
        if column == _NULL_IS_ANY:
            matches = matches | rows[column].is_null()
        mask &= matches.fill_null(value=False).to_numpy()
    return np.flatnonzero(mask)


def _selected_values(rows: pl.DataFrame, chosen: ItemFilter, column: str) -> list[str] | None:
    """Return the values of ``column`` to select; None, for all, if no item has a value."""
    present = rows[column].drop_nulls().unique().sort().to_list()
    if not present:
        return None
    values = [value for value in chosen[column] if value in present]
    if values:
        return values[:1] if column == _FIRST_ONLY else values
    if column == _NULL_IS_ANY and rows[column].null_count():
        return list(chosen[column])
    raise DataError(
        f"no item has the {column} {' or '.join(chosen[column])}; the values are: "
        f"{bounded(present, len(present))}"
    )


def selection_notes(rows: pl.DataFrame, spec: ProtocolSpec) -> Iterator[str]:
    """Describe selections that depend on the items."""
    if spec.labels:
        known = {plain_label(label) for label in rows["label"].unique().drop_nulls()}
        present = len({plain_label(label) for label in spec.labels} & known)
        yield f"labels: {present:,} of the protocol's {len(spec.labels):,} are present"
    if spec.excluded:
        every = len(select_gallery(rows, replace(spec, excluded={})))
        left = every - len(select_gallery(rows, spec))
        yield f"gallery: items with {filter_text(spec.excluded)}, taken out: {left:,}"
    queries = {} if spec.held_out else spec.queries
    for side, chosen in (("queries", queries), ("gallery", spec.gallery)):
        for column in chosen:
            values = _selected_values(rows, chosen, column)
            if values is None:
                yield f"{side}: no item has a {column}, so all are taken"
            elif column == _FIRST_ONLY and len(chosen[column]) > 1:
                yield f"{side}: {column} {values[0]}"


def _in_small_class(labels: Int64Array, gallery: Int64Array, min_class_size: int) -> BoolArray:
    """(rows,) whether the class of an item has fewer gallery items than ``min_class_size``."""
    sizes = np.bincount(labels[gallery] + 1, minlength=int(labels.max(initial=0)) + 2)
    sizes[0] = 0
    flags: BoolArray = sizes[labels + 1] < min_class_size
    return flags


def _small_classes(
    rows: pl.DataFrame, labels: Int64Array, gallery: Int64Array, min_class_size: int
) -> Iterator[str]:
    """Name the classes with fewer than ``min_class_size`` gallery items, with their counts."""
    known = np.flatnonzero(labels >= 0)
    number, first = np.unique(labels[known], return_index=True)
    sizes = np.bincount(
        labels[gallery][labels[gallery] >= 0], minlength=int(labels.max(initial=0)) + 1
    )
    small = [
        f"{rows['label'][int(known[row])]} ({sizes[label]:,})"
        for label, row in zip(number, first, strict=True)
        if sizes[label] < min_class_size
    ]
    if small:
        yield (
            f"{len(small):,} of {counted(len(number), 'class', 'has', 'have')} fewer than "
            f"{counted(min_class_size, 'gallery item')}: "
            f"{bounded(small, len(small), _LISTED)}; min_images_per_class sets another number"
        )
