"""Write the published table: items, image facts and vectors."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import polars as pl
import pyarrow as pa

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.corrections import correct_items
from likewise.catalogue.embedding_roles import roles_digest
from likewise.catalogue.published_table import PublishedContent, last_version, write_published
from likewise.errors import StaleArtefactError
from likewise.formats.array_types import Int64Array
from likewise.formats.counted_nouns import counted
from likewise.formats.paths import StrPath
from likewise.registry import check
from likewise.retrieval.indexes.lance import Ann
from likewise.storage import artefacts, tables, timings, versions
from likewise.storage.schema import IMAGES, ITEMS, PUBLISHED, Column, explained
from likewise.storage.takedown_lock import no_takedown
from likewise.storage.workspace import Workspace

_BATCHES = 32
"""Batches of items that are joined with the facts of their images at a time."""

_RANGE_SHARE = 1 / 16
"""Part of the memory that the vectors of a range of items may use."""

_FACTS = frozenset(IMAGES.names()) - {"image_id"}


@dataclass(frozen=True)
class Published:
    """The result of ``publish``.

    Attributes:
        dataset: name of the data set.
        items: number of items.
        models: models whose vectors the table holds.
    """

    dataset: str
    items: int
    models: list[str]


@dataclass(frozen=True)
class _Vectors:
    """The vectors of one model, and the row of each item's vector."""

    model: str
    table: tables.Table
    rows: Int64Array
    memory: int

    @property
    def field(self) -> pa.Field:
        return self.table.schema.field("vector")

    def batches(self, field: pa.Field) -> Iterator[pa.RecordBatch]:
        """Yield the items' vectors in order, as the column ``field``.

        The vectors of a range of items are read in the order of the table: reading them one by
        one in another order takes three times as long.
        """
        schema, dim = pa.schema([field]), self.table.dim("vector")
        size = self.table.dtype("vector").itemsize * dim
        step = tables.BATCH * max(1, int(self.memory * _RANGE_SHARE) // (size * tables.BATCH))
        for start in range(0, len(self.rows), step):
            rows = self.rows[start : start + step]
            order = np.argsort(rows, kind="stable")
            vectors = np.empty((len(rows), dim), self.table.dtype("vector"))
            for at in range(0, len(rows), tables.BATCH):
                part = order[at : at + tables.BATCH]
                vectors[part] = self.table.vectors("vector", rows[part].tolist())
            for at in range(0, len(rows), tables.BATCH):
                values = pa.array(vectors[at : at + tables.BATCH].ravel())
                column = pa.FixedSizeListArray.from_arrays(values, type=field.type)
                yield pa.record_batch([column], schema=schema)


@dataclass(frozen=True)
class _Items:
    """The items with the facts of their images, corrected, read in ranges of rows."""

    ws: Workspace
    dataset: str
    items: tables.Table
    images: tables.Table

    @classmethod
    def open(cls, ws: Workspace, dataset: str) -> "_Items":
        command = artefacts.table(ws, dataset, "items").command
        items, images = (
            tables.open_table(versions.locate(ws, ws.table(dataset, name)), command)
            for name in ("items", "images")
        )
        return cls(ws, dataset, items, images)

    @property
    def further(self) -> tuple[Column, ...]:
        """The source's own columns."""
        return self.items.source_columns

    @property
    def names(self) -> list[str]:
        """The columns of the published table without vectors."""
        return [*PUBLISHED.names(), *(column.name for column in self.further)]

    def batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Yield the published rows without vectors, in canonical order."""
        bare = pa.schema([field.remove_metadata() for field in schema])
        lookup = tables.RowIndex(self.images, "image_id")
        facts = [name for name in PUBLISHED.names() if name in _FACTS]
        for part in self.parts([*ITEMS.names(), *(c.name for c in self.further)]):
            rows = lookup.positions(part["image_id"])
            joined = part.hstack(tables.take_frame(self.images, rows, facts))
            joined = correct_items(self.ws, self.dataset, joined.select(self.names))
            for start in range(0, len(joined), tables.BATCH):
                table = joined.slice(start, tables.BATCH).to_arrow().cast(bare)
                columns = [column.combine_chunks() for column in table.columns]
                yield pa.record_batch(columns, schema=schema)

    def parts(self, columns: list[str]) -> Iterator[pl.DataFrame]:
        """Yield columns of the items as they were ingested, in ranges of rows."""
        batches = self.items.scan(columns)
        while group := list(islice(batches, _BATCHES)):
            yield pl.DataFrame(pl.from_arrow(pa.Table.from_batches(group)))

    def vector_rows(self, table: tables.Table) -> Int64Array:
        """Return the row (n,) of each item's vector in ``table``; -1 if it has none."""
        lookup = tables.RowIndex(table, "content")
        parts = self.parts(["item_id", "content"])
        rows = [lookup.positions(tables.vector_keys(table, part)) for part in parts]
        return np.concatenate([np.empty(0, np.int64), *rows])

    def roles(self) -> str:
        """Return the digest of the roles of contents; see ``roles_digest``."""
        frame = pl.concat(self.parts(["item_id", "content", "role"]))
        return roles_digest(correct_items(self.ws, self.dataset, frame))


def publish(dataset: str, *, workspace: StrPath | None = None) -> Published:
    """Write the published table of ``dataset``: items, image facts and a column per model.

    Args:
        dataset: name of the data set.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        ConfigError: the entry of an embedding of the data set is broken.
        MissingArtefactError: the data set was not ingested, or a model's vectors are missing.
        StaleArtefactError: a model's vectors do not cover the current items.

    Example:
        >>> likewise.publish("emoji")
        Published(dataset='emoji', items=23, models=['tiny'])
    """
    ws = open_workspace(workspace)
    ws.dataset(dataset)
    ws.params.refuse_broken_of(dataset, "embeddings", "imported")
    with no_takedown(ws, dataset, f"publish-{dataset}"):
        return _publish(ws, dataset)


def _publish(ws: Workspace, dataset: str) -> Published:
    """Join the tables of a data set, and write the published one."""
    clock = timings.Clock(ws, f"publish-{dataset}")
    last = last_version(ws, dataset)
    models = _in_their_places(ws.params.models_of(dataset), last)
    items = _Items.open(ws, dataset)
    further = items.further
    vectors = [_vectors(items, model) for model in models]
    contract = PUBLISHED.with_columns(
        *further, *(Column(v.model, v.field.type, "L2-normalised embedding") for v in vectors)
    )
    # One entry only: Lance writes several in any order, and the file would be pushed again.
    passports = {v.model: {"passport": v.table.metadata("vector")["passport"]} for v in vectors}
    schema = tables.lance_schema(contract, {**explained(further), **passports})
    parts = PublishedContent(
        job=f"publish-{dataset}",
        schema=schema,
        rows=items.batches(pa.schema([schema.field(name) for name in items.names])),
        vectors={one.model: one.batches(schema.field(one.model)) for one in vectors},
        count=items.items.rows,
        further=[column.name for column in further],
        anns={model: _ann(ws, dataset, model) for model in models},
    )
    write_published(ws, dataset, parts, last)
    clock.record(items.items.rows)
    return Published(dataset, items.items.rows, models)


def _in_their_places(models: list[str], last: tables.Table | None) -> list[str]:
    """Return the models in the column order of the last version, new ones at the end.

    Lance writes the position of a column into its files. If a new model came first, the files
    of all models behind it would change and be pushed again.
    """
    places = last.vector_columns if last else []
    return sorted(models, key=lambda m: places.index(m) if m in places else len(places))


def _vectors(items: _Items, model: str) -> _Vectors:
    """Find the vectors of ``model`` for all items.

    Raises:
        StaleArtefactError: they do not cover the items, or were made for other roles.
    """
    ws, dataset = items.ws, items.dataset
    stage = artefacts.embeddings(ws, dataset, model).stage
    path = versions.locate(ws, ws.embeddings(dataset, model))
    table = tables.open_table(path, stage.command)
    rows = items.vector_rows(table)
    absent = int((rows < 0).sum())
    if absent:
        what = f"{model!r} has no vector for {counted(absent, 'item')} of {dataset!r}"
        raise StaleArtefactError(what, stage.command)
    roles = table.metadata("vector").get("roles")
    if roles and roles != items.roles():
        what = (
            f"roles of {dataset!r} have changed, and the vectors of {model!r} depend on roles"
        )
        raise StaleArtefactError(what, stage.forced)
    return _Vectors(model, table, rows, ws.params.memory)


def _ann(ws: Workspace, dataset: str, model: str) -> Ann:
    """Return the index settings for the vectors of ``model``."""
    key = ws.params.embedding(dataset, model)
    section = "embeddings" if key in ws.params.embeddings else "imported"
    where = f"params.yaml: {section}.{key}.ann"
    return check(Ann, ws.params.vector_entries()[key].ann, where)
