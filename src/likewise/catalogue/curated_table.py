"""Published tables with the columns ``tags`` and ``selections``, added when they are opened."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from likewise.catalogue import item_tags
from likewise.catalogue.item_selections import read_selection, selection_files
from likewise.catalogue.item_tags import read_tags
from likewise.errors import DataError, VersionError
from likewise.formats import atomic
from likewise.formats.paths import refuse_links
from likewise.retrieval import selection_filter
from likewise.storage import tables, versions
from likewise.storage.workspace import Workspace

COLUMNS = (item_tags.COLUMN, selection_filter.COLUMN)
"""List columns that no stage writes or reads."""

_LIST = pa.list_(pa.string())

Words = dict[str, list[str]]
"""Item -> its tags, or the selections that have it, sorted."""


def with_curated(ws: Workspace, name: str, snapshot: Path) -> Path:
    """Return the folder of a published table with the tags and selections of its items.

    The folder has links to the files of ``snapshot``, and a small file per new column. Every
    item has a list; that of an item without tags is empty.

    Args:
        ws: the workspace.
        name: the data set or view.
        snapshot: a folder of the table whose files do not change.

    Returns:
        The folder; ``snapshot`` itself if there are neither tags nor selections, or if nothing
        can be written.

    Raises:
        DataError: a file of tags or of a selection cannot be parsed.
    """
    state = curated_state(ws, name)
    if not state or not tables.exists(snapshot):
        return snapshot
    try:
        version = f"{tables.manifest_hash(snapshot)}-{state}"
        linked = versions.own_folder(ws, ws.views, version) / snapshot.name
        refuse_links(ws.cache_root, linked.parent)
        if not versions.lock_view(linked):
            table = tables.open_table(snapshot)
            words = {c: w for c, w in curated_words(ws, name).items() if c not in table.columns}
            if not words:
                return snapshot
            _write(linked, table, words, list(selection_files(ws, name)))
            versions.lock_view(linked)
        link_new_files(snapshot, linked)
    except (OSError, VersionError):  # a catalogue and a home folder that cannot be written
        return snapshot
    return linked


def curated_words(ws: Workspace, name: str) -> dict[str, Words]:
    """Return the columns that a data set has: ``tags`` if it has tags, and ``selections``.

    Raises:
        DataError: a file of tags or of a selection cannot be parsed.
    """
    columns: dict[str, Words] = {}
    tags: defaultdict[str, list[str]] = defaultdict(list)
    for item, tag in sorted(read_tags(ws, name)):
        tags[item].append(tag)
    if tags:
        columns[item_tags.COLUMN] = dict(tags)
    chosen: defaultdict[str, list[str]] = defaultdict(list)
    names = list(selection_files(ws, name))
    for selection in names:
        for item in read_selection(ws, name, selection):
            chosen[item].append(selection)
    if names:
        columns[selection_filter.COLUMN] = dict(chosen)
    return columns


def curated_state(ws: Workspace, name: str) -> str:
    """Return a name for the contents of the files of tags and selections; "" without any."""
    tags = ws.tags(ws.params.base(name))
    files = [*([tags] if tags.is_file() else []), *selection_files(ws, name).values()]
    hasher = hashlib.sha256()
    for path in files:
        hasher.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return hasher.hexdigest()[:16] if files else ""


def join_curated(ws: Workspace, name: str, frame: pl.LazyFrame) -> pl.LazyFrame:
    """Add the columns of ``curated_words`` to a frame with the column ``item_id``.

    Raises:
        DataError: a file of tags or of a selection cannot be parsed.
    """
    present = frame.collect_schema().names()
    for column, words in curated_words(ws, name).items():
        if column not in present:
            lists = pl.LazyFrame(
                {"item_id": list(words), column: list(words.values())},
                {"item_id": pl.String, column: pl.List(pl.String)},
            )
            frame = frame.join(lists, on="item_id", how="left", maintain_order="left")
            frame = frame.with_columns(pl.col(column).fill_null([]))
    return frame


def link_new_files(snapshot: Path, linked: Path) -> None:
    """Link the files into ``linked`` that ``snapshot`` has got since, such as vectors."""
    if linked != snapshot:
        absent = {
            target: path
            for path in snapshot.rglob("*")
            if path.is_file() and not (target := linked / path.relative_to(snapshot)).exists()
        }
        versions.link_files(absent)


def refuse_own_column(columns: Sequence[str], column: str, dataset: str) -> None:
    """Refuse tags or selections if the source has a column of their name.

    Raises:
        DataError: it has.
    """
    if column in columns:
        raise DataError(
            f"the source of {dataset} has a column {column!r} of its own, so {column} of "
            "Likewise would hide it; rename that column in the source"
        )


def _write(
    linked: Path, table: tables.Table, columns: Mapping[str, Words], names: list[str]
) -> None:
    """Write the folder ``linked``, completely or not at all; ``names`` are all selections."""
    known = {selection_filter.NAMES: ",".join(names)}
    with atomic.spare_folder(linked) as building:
        part = building / linked.name
        files = (path for path in table.path.rglob("*") if path.is_file())
        versions.link_files({part / path.relative_to(table.path): path for path in files})
        ids = tables.RowIndex(table, "item_id")
        for column, words in columns.items():
            metadata = known if column == selection_filter.COLUMN else None
            field = pa.field(column, _LIST, metadata=metadata)
            tables.add_column(part, field, _batches(ids, table.rows, words, field))
        with suppress(OSError):  # another process created it meanwhile
            part.rename(linked)


def _batches(
    ids: tables.RowIndex, rows: int, words: Words, field: pa.Field
) -> Iterator[pa.RecordBatch]:
    """Yield the lists of all rows, in the order of the table."""
    items = list(words)
    positions = ids.positions(items)
    lengths = np.zeros(rows + 1, np.int32)
    values: list[str] = []
    for place in np.argsort(positions, kind="stable").tolist():
        if positions[place] != tables.NO_ROW:
            lengths[positions[place] + 1] = len(words[items[place]])
            values += words[items[place]]
    offsets = pa.array(np.cumsum(lengths, dtype=np.int32))
    lists = pa.ListArray.from_arrays(offsets, pa.array(values, pa.string()), type=_LIST)
    for start in range(0, rows, tables.BATCH):
        part = pa.concat_arrays([lists.slice(start, tables.BATCH)])  # offsets begin with 0
        yield pa.record_batch([part], schema=pa.schema([field]))
