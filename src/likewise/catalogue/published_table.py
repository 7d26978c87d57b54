"""Write the published table of a data set or view, and open its last version."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import polars as pl
import pyarrow as pa

from likewise.catalogue.text_models import text_tower_digest
from likewise.errors import DataError
from likewise.formats import atomic
from likewise.models.passport import Passport
from likewise.retrieval.filters import TEXT_COLUMNS
from likewise.retrieval.indexes.lance import Ann, build_ann
from likewise.storage import journal, tables, versions
from likewise.storage.digests import Digests, Split, with_further
from likewise.storage.digests.digester import digest_splits
from likewise.storage.digests.key_ranges import MOST_ROWS, digester_for
from likewise.storage.schema import PUBLISHED
from likewise.storage.workspace import Workspace

SCALAR_INDICES: dict[str, Literal["BTREE", "BITMAP"]] = {
    "label": "BTREE",
    "split": "BITMAP",
    "subset": "BITMAP",
}

TEXT_RUN_COLUMNS = ("text", "content")
"""Columns that only protocols which compare items with texts read."""


@dataclass(frozen=True)
class PublishedContent:
    """Content of a published table, in canonical order."""

    job: str
    """Name of the lock that only one writing process can take."""
    schema: pa.Schema
    """All columns: those of ``rows``, then one per model."""
    rows: Iterable[pa.RecordBatch]
    vectors: Mapping[str, Iterable[pa.RecordBatch]]
    """Model -> batches of the column with its vectors."""
    count: int
    """Number of rows."""
    further: Sequence[str]
    """Names of the additional columns of this data set."""
    anns: Mapping[str, Ann]
    """Model -> options of its ANN index."""


def write_published(
    ws: Workspace, name: str, content: PublishedContent, last: tables.Table | None
) -> None:
    """Write the published table ``name`` and its digests, both or neither.

    Args:
        ws: the workspace.
        name: the data set or view.
        content: the content of the table.
        last: the last version of the table; see ``last_version``.

    Raises:
        DataError: there are no items.
    """
    if not content.count:
        raise DataError(f"{name} has no items to publish; see: likewise findings {name}")
    with journal.exclusive_job(ws, content.job):
        staging = journal.Staging(ws, content.job)
        table = staging.path(ws.published(name))
        temporary = staging.folder / "digests"
        digester = digester_for(PUBLISHED.key, content.count, temporary / "digests")
        # The vectors of each model are in separate files that change only with the vectors, so
        # a corrected label pushes little, and the vectors of one model can be pulled.
        plain = [field for field in content.schema if field.name not in content.vectors]
        tables.write(table, pa.schema(plain), digester.tap(content.rows))
        for model, batches in content.vectors.items():
            tables.add_column(table, content.schema.field(model), digester.tap(batches))
        with atomic.writing(table):
            _index(table, content.anns, last)
        digests = replace(
            with_further(digester.digests(), content.further),
            splits=_split_digests(tables.open_table(table), temporary),
        )
        ann = {
            model: {**ann.model_dump(), **_text_inputs(content.schema.field(model), digests)}
            for model, ann in content.anns.items()
        }
        digests = replace(digests, ann=ann)
        atomic.write_text(staging.path(ws.published_digests(name)), digests.to_yaml())
        shutil.rmtree(temporary, ignore_errors=True)
        staging.commit()


def _text_inputs(column: pa.Field, digests: Digests) -> dict[str, str]:
    """Return the digests that runs of a model with a text tower depend on, else nothing.

    These are the text tower and the columns of ``TEXT_RUN_COLUMNS``.
    """
    passport = column.metadata[b"passport"]
    if b'"text"' not in passport:
        return {}
    where = f"the passport of {column.name}"
    tower = text_tower_digest(Passport.from_json(passport, where))
    columns = {name: digests.columns[name] for name in TEXT_RUN_COLUMNS}
    return {**tower, **columns} if tower else {}


def _split_digests(table: tables.Table, temporary: Path) -> dict[str, Split]:
    """Compute the digest of each split, in bounded memory; see ``digest_splits``."""
    columns = ["item_id", "label", "split"]
    if table.rows <= MOST_ROWS:
        return digest_splits(table.read(columns))
    sizes = table.read(["split"])["split"].fill_null("").value_counts(sort=False)
    counts = dict(sizes.sort("split").iter_rows())
    digesters = {
        name: digester_for(PUBLISHED.key, rows, temporary / f"split-{number}")
        for number, (name, rows) in enumerate(counts.items())
    }
    for batch in table.scan(columns):
        frame = pl.DataFrame(pl.from_arrow(batch)).with_columns(pl.col("split").fill_null(""))
        for (name,), part in frame.partition_by(
            "split", as_dict=True, include_key=False
        ).items():
            for one in part.to_arrow().to_batches():
                digesters[str(name)].add(one)
    return {
        name: Split(rows, digesters[name].digests().columns["label"])
        for name, rows in counts.items()
    }


def last_version(ws: Workspace, name: str) -> tables.Table | None:
    """Open the published table of the checkout, or else of dvc.lock; None if both lack it."""
    output = ws.published(name)
    path = output if tables.exists(output) else versions.recorded_view(ws, output)
    return tables.open_table(path, "") if path else None


def _index(path: Path, anns: Mapping[str, Ann], last: tables.Table | None) -> None:
    """Build the scalar, text and ANN indices of a published table.

    ANN indices of unchanged vectors are linked from the ``last`` version.
    """
    table = tables.open_table(path, "")
    for column, kind in SCALAR_INDICES.items():
        table.create_scalar_index(column, kind)
    table.create_text_index(TEXT_COLUMNS)
    for model, ann in anns.items():
        build_ann(table, model, ann, last)
    tables.remove_old_versions(path)
