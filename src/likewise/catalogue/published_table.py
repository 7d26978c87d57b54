"""The published table, of a data set or of a view: how it is written, and as it last stood."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import polars as pl
import pyarrow as pa

from likewise.formats import atomic
from likewise.retrieval.filters import WORDS
from likewise.retrieval.indexes.lance import Ann, build_ann
from likewise.schema import PUBLISHED
from likewise.storage import journal, tables, versions
from likewise.storage.digests import Digester, digest_splits, with_further
from likewise.storage.workspace import Workspace

SCALAR_INDICES: dict[str, Literal["BTREE", "BITMAP"]] = {
    "label": "BTREE",
    "split": "BITMAP",
    "subset": "BITMAP",
}


@dataclass(frozen=True)
class Parts:
    """What a published table is made of, in canonical order."""

    job: str
    """What writes it; no two processes do at once."""
    schema: pa.Schema
    """All of its columns: those of ``rows``, then a column a model."""
    rows: Iterable[pa.RecordBatch]
    vectors: Mapping[str, Iterable[pa.RecordBatch]]
    """Model -> the column of its vectors."""
    items: pl.DataFrame
    """item_id, label and split of the rows."""
    further: Sequence[str]
    """The columns that only this data set has."""
    anns: Mapping[str, Ann]
    """Model -> how its vectors are indexed."""


def write_published(ws: Workspace, name: str, parts: Parts, last: tables.Table | None) -> None:
    """Write the published table ``name`` and its digests, both or neither.

    ``last`` is its last version; see ``last_version``.
    """
    with journal.exclusive_job(ws, parts.job):
        staging = journal.Staging(ws, parts.job)
        table = staging.path(ws.published(name))
        digester = Digester(PUBLISHED.key)
        # Every model's vectors have files of their own, with the same bytes as long as
        # they are the same: a corrected label pushes little, and one model's can be pulled.
        plain = [field for field in parts.schema if field.name not in parts.vectors]
        tables.write(table, pa.schema(plain), digester.tap(parts.rows))
        for model, batches in parts.vectors.items():
            tables.add_column(table, parts.schema.field(model), digester.tap(batches))
        with atomic.writing(table):
            _index(table, parts.anns, last)
        digests = replace(
            with_further(digester.digests(), parts.further),
            splits=digest_splits(parts.items),
            ann={model: ann.model_dump() for model, ann in parts.anns.items()},
        )
        atomic.write_text(staging.path(ws.published_digests(name)), digests.to_yaml())
        staging.commit()


def last_version(ws: Workspace, name: str) -> tables.Table | None:
    """The published table as it stands, or as dvc.lock names it; None where there is none."""
    output = ws.published(name)
    path = output if tables.exists(output) else versions.recorded_view(ws, output)
    return tables.open_table(path, "") if path else None


def _index(path: Path, anns: Mapping[str, Ann], last: tables.Table | None) -> None:
    """Index a published table's columns that are filtered by, and its vectors.

    Indices of vectors that are those of the ``last`` version are taken from there.
    """
    table = tables.open_table(path, "")
    for column, kind in SCALAR_INDICES.items():
        table.create_scalar_index(column, kind)
    table.create_text_index(WORDS)
    for model, ann in anns.items():
        build_ann(table, model, ann, last)
    tables.remove_old_versions(path)
