"""Import the vectors of a model that is not in the catalogue."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
import pyarrow as pa
from tqdm import tqdm

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.imported_vectors import VectorMatcher
from likewise.catalogue.name_clashes import check_columns
from likewise.catalogue.params_editor import ParamsEditor
from likewise.errors import ConfigError, DataError
from likewise.formats import atomic, vector_files
from likewise.formats.array_types import AnyArray
from likewise.formats.paths import StrPath
from likewise.formats.vector_files import VectorBlock
from likewise.models.passport import Passport
from likewise.registry import check
from likewise.retrieval.indexes.lance import Ann
from likewise.storage import artefacts, journal, tables, timings, versions
from likewise.storage.config import ImportEntry, params_faults
from likewise.storage.schema import EMBEDDINGS, vector
from likewise.storage.takedown_lock import no_takedown
from likewise.storage.workspace import Workspace

KIND = "imported"
"""The kind of recipe in the passports of imported vectors."""

LANCE = ".lance"
"""The suffix of a Lance dataset, which is a folder, or of a single Lance file."""


@dataclass(frozen=True)
class ImportedVectors:
    """Result of an import.

    Attributes:
        dataset: name of the data set.
        model: name of the model.
        vectors: number of distinct contents, which have one vector each.
        dim: number of dimensions.
        normalised: number of vectors that were divided by their length.
        findings: check -> number of findings, such as vectors of unknown items.
        written: True if the entry in params.yaml is new or changed.
    """

    dataset: str
    model: str
    vectors: int
    dim: int
    normalised: int
    findings: dict[str, int]
    written: bool


def import_vectors(  # noqa: PLR0913 (the fields of an entry)
    dataset: str,
    model: str,
    file: StrPath | None = None,
    *,
    ids: StrPath | None = None,
    dtype: Literal["float32", "float16"] = "float32",
    key: Literal["content", "item"] = "content",
    origin: str = "",
    workspace: StrPath | None = None,
) -> ImportedVectors:
    """Import the vectors of ``dataset`` by a model that the catalogue does not have.

    With a ``file``, its entry is written to the section ``imported`` of params.yaml. Without
    one, the file of that entry is read again, as the stage ``import`` does.

    A row belongs to the item of its id, or else to the item at the same place in canonical
    order. Vectors are stored L2-normalised; those that are, up to rounding, stay as they are.
    By default, a content has one vector: if items of one content have different vectors, the
    first is kept and the others are findings (``likewise.findings``). With the key ``item``
    every item keeps its own.

    Args:
        dataset: name of an ingested data set.
        model: name of the model: a new name, of no model in params.yaml.
        file: vectors (n, d): .npy, .npz, .parquet, .csv, .safetensors, .pt, .lance and
            others.
        ids: file of the n ids, one per line or in a column ``item_id``.
        dtype: type of the stored numbers.
        key: what has one vector: a content (the pixels of an image or box), or an item.
        origin: description of the model and its preprocessing, for people.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        DataError: the file is damaged, or items have no vector, several, or one with NaN.
        ConfigError: the name is that of a model in params.yaml.
        UnknownNameError: no such data set; or no ``file``, and params.yaml has no entry.
        MissingArtefactError: the data set was not ingested.

    Example:
        >>> import numpy as np
        >>> emoji = likewise.open("emoji")
        >>> np.save("mine.npy", emoji.vectors("tiny"))
        >>> done = likewise.import_vectors("emoji", "mine", "mine.npy", origin="my model")
        >>> done.vectors, done.dim, done.normalised
        (23, 96, 0)
    """
    ws = open_workspace(workspace)
    ws.dataset(dataset)
    if file is None:
        entry = _entry(ws, dataset, model)
        return _import(ws, dataset, model, entry)
    imported = ws.params.imported
    present = (k for k, e in imported.items() if (e.dataset, e.model) == (dataset, model))
    name = next(present, f"{dataset}-{model}")
    old = imported.get(name)
    fields = {"dataset": dataset, "model": model, "dtype": dtype, "origin": origin, "key": key}
    fields |= {"file": ws.as_written(file), "ids": ws.as_written(ids or file)}
    entry = check(ImportEntry, {**fields, "ann": old.ann if old else {}}, f"imported.{name}")
    changed = ws.params.model_copy(update={"imported": {**imported, name: entry}})
    faults = params_faults(changed)
    if faults:
        raise ConfigError("\n".join(faults))
    done = _import(ws, dataset, model, entry)
    if entry == old:
        return done
    editor = ParamsEditor(ws)
    editor.add("imported", {name: entry.model_dump(exclude_defaults=True)})
    editor.commit()
    return replace(done, written=True)


def _entry(ws: Workspace, dataset: str, model: str) -> ImportEntry:
    key = ws.params.embedding(dataset, model)
    entry = ws.params.vector_entries()[key]
    if not isinstance(entry, ImportEntry):
        raise DataError(
            f"{model!r} is a model of params.yaml; run: likewise embed {dataset} {model}"
        )
    return entry


def _import(ws: Workspace, dataset: str, model: str, entry: ImportEntry) -> ImportedVectors:
    """Write the table of vectors, its digests and its findings."""
    with no_takedown(ws, dataset, f"import-{dataset}-{model}"):
        return _imported(ws, dataset, model, entry)


def _imported(ws: Workspace, dataset: str, model: str, entry: ImportEntry) -> ImportedVectors:
    file, ids = ws.source(entry.file), ws.source(entry.ids)
    ann = check(Ann, entry.ann, f"params.yaml: imported: {model}: ann")
    command = artefacts.table(ws, dataset, "items").command
    items = tables.open_table(versions.locate(ws, ws.table(dataset, "items")), command)
    check_columns(dataset, (column.name for column in items.source_columns), [model])
    rows = items.read(["item_id", "content"])
    if entry.key == "item":
        rows = rows.with_columns(tables.item_keys())
    matcher = VectorMatcher(rows, entry.dtype, entry.file)
    job, output = f"import-{dataset}-{model}", ws.embeddings(dataset, model)
    clock = timings.Clock(ws, job)
    with journal.exclusive_job(ws, job):
        staging = journal.Staging(ws, job)
        path = staging.path(output)
        blocks = _with_progress(_blocks(file, ids), dataset, matcher)
        matched = _KeptError(matcher.match(blocks))
        first = next(matched, ([], np.empty((0, 1), entry.dtype)))
        matched.check()
        contract = EMBEDDINGS.with_columns(vector("vector", matcher.dim or 1, entry.dtype))
        passport = _passport(file, ids, entry, matcher.dim or 1)
        schema = tables.lance_schema(contract, {"vector": {"passport": passport.to_json()}})
        tables.write(path, schema, _batches(chain([first], matched), schema))
        matched.check()
        digests = replace(
            tables.open_table(path, "").digest(contract), ann={model: ann.model_dump()}
        )
        atomic.write_text(staging.path(ws.digests(dataset, model)), digests.to_yaml())
        atomic.write_text(
            staging.path(ws.vector_findings(dataset, model)), _as_json(matcher.findings)
        )
        staging.commit()
        clock.record(len(rows))
    counts = dict(Counter(name for name, _, _ in matcher.findings))
    count = rows["content"].n_unique()
    return ImportedVectors(
        dataset, model, count, matcher.dim, matcher.normalised, counts, written=False
    )


class _KeptError(Iterator[tuple[list[str], AnyArray]]):
    """An iterator that ends at an error and keeps it: Lance would change the text."""

    def __init__(self, matched: Iterator[tuple[list[str], AnyArray]]) -> None:
        self._matched = matched
        self._error: DataError | None = None

    def __next__(self) -> tuple[list[str], AnyArray]:
        try:
            return next(self._matched)
        except DataError as error:
            self._error = error
            raise StopIteration from error

    def check(self) -> None:
        """Raise the error that was kept."""
        if self._error is not None:
            raise self._error


def _blocks(file: Path, ids: Path) -> Iterator[VectorBlock]:
    """Yield the vectors of ``file``, with the ids of a separate file."""
    blocks = _opened(file)
    if ids == file:
        yield from blocks
        return
    names = iter(_ids(ids))
    for block in blocks:
        some = list(islice(names, len(block.vectors)))
        if len(some) < len(block.vectors):
            raise DataError(f"{ids}: has fewer ids than there are vectors in {file}")
        yield VectorBlock(some, block.vectors)
    if next(names, None) is not None:
        raise DataError(f"{ids}: has more ids than there are vectors in {file}")


def _opened(file: Path) -> Iterator[VectorBlock]:
    if file.suffix.lower() in (".pt", ".pth"):
        from likewise.models.tensor_files import read_tensor

        vectors, ids = read_tensor(file)
        return vector_files.blocks(vectors, ids, file)
    if file.suffix.lower() == LANCE:
        batches = tables.foreign_batches(file, vector_files.columns_to_read, vector_files.BLOCK)
        return (vector_files.table_block(_frame(batch), file) for batch in batches)
    return vector_files.read_vectors(file)


def _ids(file: Path) -> list[str]:
    """Return the ids in a file of ids."""
    if file.suffix.lower() != LANCE:
        return vector_files.read_ids(file)
    batches = tables.foreign_batches(file, vector_files.columns_of_ids, vector_files.BLOCK)
    return [one for batch in batches for one in vector_files.ids_of(_frame(batch), file)]


def _frame(batch: pa.RecordBatch) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(batch))


def _with_progress(
    blocks: Iterator[VectorBlock], dataset: str, matcher: VectorMatcher
) -> Iterator[VectorBlock]:
    positional = False
    with tqdm(unit="vec", desc=f"import {dataset}", disable=None) as bar:
        for block in blocks:
            positional = block.ids is None
            yield block
            bar.update(len(block.vectors))
    if positional:
        matcher.check_count()


def _batches(
    matched: Iterator[tuple[list[str], AnyArray]], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    for contents, vectors in matched:
        values = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
        yield pa.record_batch([pa.array(contents, pa.string()), values], schema=schema)


def _passport(file: Path, ids: Path, entry: ImportEntry, dim: int) -> Passport:
    """Return the passport of a file of vectors; the hash of its bytes is their identity."""
    digest = hashlib.sha256()
    for path in dict.fromkeys((file, ids)):
        for part in sorted(p for p in path.rglob("*") if p.is_file()) or [path]:
            with part.open("rb") as handle:
                digest.update(hashlib.file_digest(handle, "sha256").digest())
    return Passport(
        recipe={"kind": KIND} | ({"key": entry.key} if entry.key != "content" else {}),
        backbone=KIND,
        dim=dim,
        weights_sha256=digest.hexdigest(),
        weights_source=entry.origin or file.name,
        preprocessing=None,
        precision="float32",
        libraries={},
    )


def _as_json(findings: list[tuple[str, str, str]]) -> str:
    ordered = pl.DataFrame(findings, ["check", "path", "detail"], orient="row")
    rows = [list(row) for row in ordered.sort("check", "path").rows()] if findings else []
    return json.dumps(rows, ensure_ascii=False, indent=0) + "\n"
