"""Write the published table: items, image facts and vectors."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.corrections import correct_items
from likewise.catalogue.embedding_roles import roles_digest
from likewise.catalogue.published_table import PublishedContent, last_version, write_published
from likewise.errors import StaleArtefactError
from likewise.formats.paths import StrPath
from likewise.registry import check
from likewise.retrieval.indexes.lance import Ann
from likewise.schema import IMAGES, ITEMS, PUBLISHED, Column, explained
from likewise.storage import artefacts, tables, versions
from likewise.storage.workspace import Workspace


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
    rows: pl.Series

    @property
    def field(self) -> pa.Field:
        return self.table.schema.field("vector")

    def batches(self, field: pa.Field) -> Iterator[pa.RecordBatch]:
        """Yield the items' vectors in order, as the column ``field``."""
        schema = pa.schema([field])
        for start in range(0, len(self.rows), tables.BATCH):
            rows = self.rows.slice(start, tables.BATCH).to_list()
            column = self.table.take(rows, ["vector"]).column(0)
            yield pa.record_batch([column], schema=schema)


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
    ws.params.refuse_broken_of(dataset, "embeddings")
    last = last_version(ws, dataset)
    models = _in_their_places(ws.params.models_of(dataset), last)
    facts, further = _facts(ws, dataset)
    vectors = [_vectors(ws, dataset, model, facts) for model in models]
    contract = PUBLISHED.with_columns(
        *further, *(Column(v.model, v.field.type, "L2-normalised embedding") for v in vectors)
    )
    # One entry only: Lance writes several in any order, and the file would be pushed again.
    passports = {v.model: {"passport": v.table.metadata("vector")["passport"]} for v in vectors}
    schema = tables.lance_schema(contract, {**explained(further), **passports})
    parts = PublishedContent(
        job=f"publish-{dataset}",
        schema=schema,
        rows=_rows(facts, pa.schema([schema.field(name) for name in facts.columns])),
        vectors={one.model: one.batches(schema.field(one.model)) for one in vectors},
        items=facts,
        further=[column.name for column in further],
        anns={model: _ann(ws, dataset, model) for model in models},
    )
    write_published(ws, dataset, parts, last)
    return Published(dataset, len(facts), models)


def _in_their_places(models: list[str], last: tables.Table | None) -> list[str]:
    """Return the models in the column order of the last version, new ones at the end.

    Lance writes the position of a column into its files. If a new model came first, the files
    of all models behind it would change and be pushed again.
    """
    places = last.vector_columns if last else []
    return sorted(models, key=lambda m: places.index(m) if m in places else len(places))


def _facts(ws: Workspace, dataset: str) -> tuple[pl.DataFrame, tuple[Column, ...]]:
    """Items with the facts of their images, in canonical order; the source's own columns."""
    command = artefacts.table(ws, dataset, "items").command
    items = tables.open_table(versions.locate(ws, ws.table(dataset, "items")), command)
    images = tables.open_table(versions.locate(ws, ws.table(dataset, "images")), command)
    known = [name for name in PUBLISHED.names() if name in IMAGES.names()]
    facts = images.read(sorted({"image_id", *known}))
    further = items.source_columns
    rows = items.read([*ITEMS.names(), *(c.name for c in further)])
    ordered = [*PUBLISHED.names(), *(c.name for c in further)]
    joined = rows.join(facts, on="image_id", maintain_order="left").select(ordered)
    return correct_items(ws, dataset, joined), further


def _vectors(ws: Workspace, dataset: str, model: str, facts: pl.DataFrame) -> _Vectors:
    stage = artefacts.embeddings(ws, dataset, model).stage
    path = versions.locate(ws, ws.embeddings(dataset, model))
    table = tables.open_table(path, stage.command)
    present = table.read(["content"]).with_row_index("row")
    rows = facts.select("content").join(
        present, on="content", how="left", maintain_order="left"
    )["row"]
    if rows.null_count():
        what = f"{model!r} has no vector for {rows.null_count():,} items of {dataset!r}"
        raise StaleArtefactError(what, stage.command)
    roles = table.metadata("vector").get("roles")
    if roles and roles != roles_digest(facts):
        what = (
            f"roles of {dataset!r} have changed, and the vectors of {model!r} depend on roles"
        )
        raise StaleArtefactError(what, stage.forced)
    return _Vectors(model, table, rows)


def _rows(facts: pl.DataFrame, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield the published rows without vectors, in batches."""
    bare = pa.schema([field.remove_metadata() for field in schema])
    for start in range(0, len(facts), tables.BATCH):
        table = facts.slice(start, tables.BATCH).to_arrow().cast(bare)
        columns = [column.combine_chunks() for column in table.columns]
        yield pa.record_batch(columns, schema=schema)


def _ann(ws: Workspace, dataset: str, model: str) -> Ann:
    """Return the index settings for the vectors of ``model``."""
    key = ws.params.embedding(dataset, model)
    return check(Ann, ws.params.vector_entries()[key].ann, f"params.yaml: {key}: ann")
